#!/usr/bin/env bash
# Judges an emulator by gcloud itself: gcloud.sh 127.0.0.1:PORT FOLDER
# FOLDER is for gcloud's own files. Prints what failed and exits with 1, or prints "ok".
set -euo pipefail
address=$1
folder=$2

export CLOUDSDK_CONFIG=$folder/gcloud CLOUDSDK_CORE_PROJECT=judge CLOUDSDK_CORE_DISABLE_PROMPTS=1
export CLOUDSDK_CORE_DISABLE_USAGE_REPORTING=true CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK=true
export CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE=http://$address/compute/v1/
export CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB=http://$address/
export CLOUDSDK_AUTH_ACCESS_TOKEN_FILE=$folder/token
mkdir -p "$CLOUDSDK_CONFIG"
[[ -s $folder/token ]] || echo no-secret >"$folder/token"

fail() {
  echo "$1" >&2
  exit 1
}
# expect WHAT WANTED GOT
expect() { [[ $2 == "$3" ]] || fail "$1: wanted '$2', got '$3'"; }
# refused WORDS COMMAND…: fails, and says so in these words
refused() {
  local words
  ! words=$("${@:2}" 2>&1) || fail "${*:2}: was not refused"
  grep -qiE "$1" <<<"$words" || fail "${*:2}: was refused for another reason: $words"
}

judge_compute() {
  local zone=europe-west1-b
  printf '#cloud-config\n' >"$folder/user-data"
  gcloud compute instance-templates create train-1 --machine-type=n1-standard-1 --image-family=cos-stable \
    --image-project=cos-cloud --boot-disk-size=20GB --labels=dagrun=job,dagrun-job=train \
    --provisioning-model=SPOT --instance-termination-action=DELETE --max-run-duration=1h \
    --metadata-from-file=user-data="$folder/user-data" --quiet
  expect "templates with the label" train-1 \
    "$(gcloud compute instance-templates list --filter='properties.labels.dagrun-job=train' --format='value(name)')"
  expect "the disk's size" 20 "$(gcloud compute instance-templates describe train-1 \
    --format='value(properties.disks[0].initializeParams.diskSizeGb)')"
  refused "already exists" gcloud compute instance-templates create train-1 --machine-type=n1-standard-1 \
    --image-family=cos-stable --image-project=cos-cloud

  gcloud compute instance-groups managed create train-1 --zone=$zone --template=train-1 --size=1 \
    --base-instance-name=train-1 --quiet
  gcloud compute instance-groups managed wait-until train-1 --zone=$zone --stable --timeout=60
  expect "the group's VM" RUNNING "$(gcloud compute instance-groups managed list-instances train-1 --zone=$zone \
    --format='value(instanceStatus)')"
  expect "its zone" $zone "$(gcloud compute instances list --filter='labels.dagrun=job' \
    --format='value(zone.basename())')"
  refused "in use|being used" gcloud compute instance-templates delete train-1 --quiet
  gcloud compute instance-groups managed delete train-1 --zone=$zone --quiet
  expect "groups that are left" "" "$(gcloud compute instance-groups managed list --format='value(name)')"
  gcloud compute instance-templates delete train-1 --quiet
  expect "templates that are left" "" "$(gcloud compute instance-templates list --format='value(name)')"
}

judge_pubsub() {
  gcloud pubsub topics create train --labels=dagrun=job
  refused "exists" gcloud pubsub topics create train
  gcloud pubsub subscriptions create train --topic=train --ack-deadline=600 --expiration-period=1d \
    --message-retention-duration=1d
  gcloud pubsub topics publish train --message=hello --attribute=kind=log
  expect "the message" hello "$(gcloud pubsub subscriptions pull train --auto-ack \
    --format='value(message.data.decode(base64))')"
  expect "the topics" projects/judge/topics/train "$(gcloud pubsub topics list --format='value(name)')"
  gcloud pubsub topics delete train
  expect "the subscription's topic" _deleted-topic_ "$(gcloud pubsub subscriptions describe train --format='value(topic)')"
  gcloud pubsub subscriptions delete train
  refused "not found|does not exist|NOT_FOUND" gcloud pubsub subscriptions describe train
}

# At the same time: a command of gcloud takes most of a second.
judge_pubsub &
pubsub=$!
judge_compute
wait $pubsub
echo ok
