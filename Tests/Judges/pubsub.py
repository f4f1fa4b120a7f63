"""Judges an emulator of Pub/Sub by Google's official client over REST: python pubsub.py http://127.0.0.1:PORT

Prints what failed and exits with 1, or prints "ok". Google's own emulator passes it too.
"""

import sys
import time

from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.protobuf import duration_pb2
from google.pubsub_v1.services.publisher import PublisherClient
from google.pubsub_v1.services.subscriber import SubscriberClient

ENDPOINT = sys.argv[1]
PROJECT = "judge"
TOPIC = f"projects/{PROJECT}/topics/train"
SUBSCRIPTION = f"projects/{PROJECT}/subscriptions/train"
options = {"credentials": AnonymousCredentials(), "transport": "rest", "client_options": {"api_endpoint": ENDPOINT}}
publisher = PublisherClient(**options)
subscriber = SubscriberClient(**options)


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def expect_error(kinds, what, call):
    try:
        call()
    except kinds:
        return
    raise AssertionError(f"{what}: no error")


def pull(count):
    """Until there are as many, in several pulls: Google may give fewer than there are."""
    messages = []
    deadline = time.monotonic() + 30
    while len(messages) < count and time.monotonic() < deadline:
        answer = subscriber.pull(request={"subscription": SUBSCRIPTION, "max_messages": 100}, timeout=120)
        messages += answer.received_messages
    return messages


publisher.create_topic(request={"name": TOPIC, "labels": {"dagrun": "job"}})
expect_error(exceptions.Conflict, "a second topic of the same name", lambda: publisher.create_topic(name=TOPIC))
expect(publisher.get_topic(topic=TOPIC).labels["dagrun"] == "job", "the topic's label is lost")
topics = [topic.name for topic in publisher.list_topics(project=f"projects/{PROJECT}")]
expect(TOPIC in topics, f"the topic is not listed: {topics}")

subscription = subscriber.create_subscription(
    request={
        "name": SUBSCRIPTION, "topic": TOPIC, "ack_deadline_seconds": 600, "labels": {"dagrun": "job"},
        "message_retention_duration": duration_pb2.Duration(seconds=86400),
        "expiration_policy": {"ttl": duration_pb2.Duration(seconds=86400)},
    }
)
expect(subscription.ack_deadline_seconds == 600, "the ack deadline is lost")
expect(subscription.message_retention_duration.total_seconds() == 86400, "the retention is lost")
expect_error(
    exceptions.BadRequest, "an ack deadline of 601 s",
    lambda: subscriber.create_subscription(
        request={"name": SUBSCRIPTION + "-2", "topic": TOPIC, "ack_deadline_seconds": 601}
    ),
)
expect_error(
    exceptions.NotFound, "a subscription to no topic",
    lambda: subscriber.create_subscription(request={"name": SUBSCRIPTION + "-3", "topic": TOPIC + "-none"}),
)

sent = [
    {"data": bytes([0, 10, 255]), "attributes": {"kind": "log", "text": "line\nline ü"}},
    {"attributes": {"kind": "heartbeat"}},
]
ids = publisher.publish(topic=TOPIC, messages=sent).message_ids
expect(len(set(ids)) == 2, f"the ids are {ids}")
expect_error(
    exceptions.BadRequest, "a message with nothing in it",
    lambda: publisher.publish(topic=TOPIC, messages=[{}]),
)
received = pull(2)
by_kind = {one.message.attributes["kind"]: one for one in received}
expect(by_kind["log"].message.data == sent[0]["data"], "the bytes are lost")
expect(by_kind["log"].message.attributes["text"] == "line\nline ü", "an attribute is lost")
expect(by_kind["heartbeat"].message.data == b"", "a message without data has some")

subscriber.acknowledge(subscription=SUBSCRIPTION, ack_ids=[by_kind["log"].ack_id])
subscriber.modify_ack_deadline(
    subscription=SUBSCRIPTION, ack_ids=[by_kind["heartbeat"].ack_id], ack_deadline_seconds=0
)
again = pull(1)
expect([one.message.attributes["kind"] for one in again] == ["heartbeat"], f"after the nack came {again}")
expect(again[0].message.message_id == by_kind["heartbeat"].message.message_id, "the same message has another id")
subscriber.acknowledge(subscription=SUBSCRIPTION, ack_ids=[again[0].ack_id])

publisher.delete_topic(topic=TOPIC)
expect(subscriber.get_subscription(subscription=SUBSCRIPTION).topic == "_deleted-topic_", "the topic is not gone")
subscriber.delete_subscription(subscription=SUBSCRIPTION)
expect_error(
    exceptions.NotFound, "a deleted subscription",
    lambda: subscriber.get_subscription(subscription=SUBSCRIPTION),
)
expect_error(exceptions.NotFound, "a deleted topic", lambda: publisher.get_topic(topic=TOPIC))
print("ok")
