#!/bin/bash
# What the VM of a dagrun job runs at every boot: it brings data and image, runs the container once, and reports.
# docs/what-the-vm-runs.md has its life. Every value it was given lies in a file beside it, each value followed by a
# zero byte; none is ever read as a part of this program.
# shellcheck disable=SC2317 # Steps and traps are called by name.
set -uo pipefail
# Bytes are bytes: neither names nor logs need be UTF-8.
export LC_ALL=C
umask 077

folder=$(cd -- "${BASH_SOURCE[0]%/*}" && pwd) || exit 1
# What outlives a restart of the VM, and what is made anew at each boot.
state=$folder/state
work=$folder/work
# What the runner needs to speak at all is kept in memory where systemd offers that: a container may fill the disk and
# continue.
fast=${RUNTIME_DIRECTORY:-$work}
# In the container: /dagrun.
inside=$work/inside
log=$work/log

log_seconds=${DAGRUN_LOG_SECONDS:-2}
heartbeat_seconds=${DAGRUN_HEARTBEAT_SECONDS:-60}
# How long the first message is offered where it is refused or nobody answers: a role that was just granted takes a
# minute to be known everywhere, a route some seconds.
first_word_seconds=${DAGRUN_FIRST_WORD_SECONDS:-90}
# How long a VM that cannot report stays on: Google shows the console of one that runs.
console_seconds=${DAGRUN_CONSOLE_SECONDS:-90}
# How long a result is offered to Pub/Sub before the VM gives up.
publish_seconds=${DAGRUN_PUBLISH_SECONDS:-900}
# How long the client has to remove the VM before it removes itself.
linger_seconds=${DAGRUN_LINGER_SECONDS:-180}
# How long the container has to end when the VM must; the cloud gives the VM 30.
stop_seconds=${DAGRUN_STOP_SECONDS:-20}
# How long the result waits for what is left of the log.
flush_seconds=${DAGRUN_FLUSH_SECONDS:-60}
# How long docker's daemon may be away.
daemon_seconds=${DAGRUN_DAEMON_SECONDS:-300}
# Between two tries of anything that may go better later.
retry_seconds=${DAGRUN_RETRY_SECONDS:-5}
# How much later than the client the VM ends a job that takes too long.
overtime_seconds=${DAGRUN_OVERTIME_SECONDS:-120}
# How long before the cloud ends the VM it ends its job by itself, at most; of a short time, a quarter.
margin_seconds=150

metadata=http://metadata.google.internal/computeMetadata/v1
metadata_header='Metadata-Flavor: Google'

say() { printf 'dagrun: %s\n' "$*"; }

# The runner's own copy of a program's environment does not concern docker, and docker keeps its logins there.
docker_home=$work/docker
docker_program=$(type -P docker) || docker_program=docker
docker() { HOME=$docker_home timeout 300 "$docker_program" "$@"; }

declare -A setting=()
load_settings() {
  local -a pairs=()
  local index
  mapfile -d '' -t pairs <"$folder/settings" || return 1
  for ((index = 0; index + 1 < ${#pairs[@]}; index += 2)); do
    setting[${pairs[index]}]=${pairs[index + 1]}
  done
  job=${setting[job]}
  attempt=${setting[attempt]}
  # By it the client tells this VM's messages from those of anybody else who may publish to the topic.
  word=${setting[word]-}
  container=dagrun-$job-$attempt
  [[ -z ${setting[first-word-seconds]-} ]] || first_word_seconds=${setting[first-word-seconds]}
}

# When the cloud is about to end this VM, in seconds since 1970; 0: never. A group that repairs would then make it anew,
# and the job would begin again, for ever: so the VM ends its job before, and removes its group.
limit_at=0
# How long the container has to end then: the result must be out before the VM is off.
limit_stop_seconds=$stop_seconds
load_limit() {
  local limit=${setting[run-limit]-} margin=$margin_seconds left
  [[ -n $limit ]] || return 0
  ((margin * 4 <= limit)) || margin=$((limit / 4))
  ((limit_stop_seconds * 4 <= margin)) || limit_stop_seconds=$((margin / 4))
  left=${DAGRUN_LIMIT_SECONDS:-$((limit - margin))}
  # The cloud's clock does not begin anew when only the operating system does.
  [[ -s $state/limit ]] || printf '%s\n' $((EPOCHSECONDS + left)) >"$state/limit"
  limit_at=$(<"$state/limit")
}

is_at_limit() { ((limit_at > 0 && EPOCHSECONDS >= limit_at)); }

# Ends a step of the preparation, or of what follows the container: nothing but the program's own status is its doing.
fail() { # KIND MESSAGE
  say "$2"
  printf '%s' "$1" >"$fast/failure-kind"
  printf '%s' "$2" >"$fast/failure-message"
  exit 1
}
