/// The methods of Pub/Sub that are emulated, by Google's names.
enum PubSubMethod: String, Sendable, CaseIterable {
  case topicsCreate = "pubsub.projects.topics.create"
  case topicsGet = "pubsub.projects.topics.get"
  case topicsList = "pubsub.projects.topics.list"
  case topicsDelete = "pubsub.projects.topics.delete"
  case topicsPublish = "pubsub.projects.topics.publish"
  case topicSubscriptionsList = "pubsub.projects.topics.subscriptions.list"
  case subscriptionsCreate = "pubsub.projects.subscriptions.create"
  case subscriptionsGet = "pubsub.projects.subscriptions.get"
  case subscriptionsList = "pubsub.projects.subscriptions.list"
  case subscriptionsDelete = "pubsub.projects.subscriptions.delete"
  case subscriptionsPull = "pubsub.projects.subscriptions.pull"
  case subscriptionsAcknowledge = "pubsub.projects.subscriptions.acknowledge"
  case subscriptionsModifyAckDeadline = "pubsub.projects.subscriptions.modifyAckDeadline"
}

extension PubSubMethod {
  /// From the discovery document of pubsub v1.
  static let routes = RouteTable<PubSubMethod>(
    """
    pubsub.projects.topics.create PUT projects/{project}/topics/{topic}
    pubsub.projects.topics.get GET projects/{project}/topics/{topic}
    pubsub.projects.topics.list GET projects/{project}/topics pageSize pageToken
    pubsub.projects.topics.delete DELETE projects/{project}/topics/{topic}
    pubsub.projects.topics.publish POST projects/{project}/topics/{topic}:publish
    pubsub.projects.topics.subscriptions.list GET projects/{project}/topics/{topic}/subscriptions pageSize pageToken
    pubsub.projects.subscriptions.create PUT projects/{project}/subscriptions/{subscription}
    pubsub.projects.subscriptions.get GET projects/{project}/subscriptions/{subscription}
    pubsub.projects.subscriptions.list GET projects/{project}/subscriptions pageSize pageToken
    pubsub.projects.subscriptions.delete DELETE projects/{project}/subscriptions/{subscription}
    pubsub.projects.subscriptions.pull POST projects/{project}/subscriptions/{subscription}:pull
    pubsub.projects.subscriptions.acknowledge POST projects/{project}/subscriptions/{subscription}:acknowledge
    pubsub.projects.subscriptions.modifyAckDeadline POST \
    projects/{project}/subscriptions/{subscription}:modifyAckDeadline
    """)

  /// The name of the body's message in the schema; nil: it has none.
  var body: String? {
    switch self {
    case .topicsCreate: "Topic"
    case .subscriptionsCreate: "Subscription"
    case .topicsPublish: "PublishRequest"
    case .subscriptionsPull: "PullRequest"
    case .subscriptionsAcknowledge: "AcknowledgeRequest"
    case .subscriptionsModifyAckDeadline: "ModifyAckDeadlineRequest"
    case .topicsGet, .topicsList, .topicsDelete, .topicSubscriptionsList, .subscriptionsGet, .subscriptionsList,
      .subscriptionsDelete:
      nil
    }
  }
}
