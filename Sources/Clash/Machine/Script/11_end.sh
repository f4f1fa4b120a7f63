# From a boot to the end of the VM.

# Everything of the boots before that is not a result. An interrupted container runs again from the beginning.
begin_boot() {
  boot=$(</proc/sys/kernel/random/uuid)
  docker rm --force "$container" >/dev/null 2>&1
  rm -rf "$work"
  mkdir -p "$state" "$work" "$docker_home" || return 1
  head -c 8388608 /dev/zero >"$state/reserve"
}

run_job() {
  local docker_status
  begin_step prepare
  attend_step || {
    [[ -z $stopping ]] || return 1
    fail_step machine 'the VM could not be prepared'
    return 0
  }
  container_runs=yes
  begin_step run_container
  attend_step keeps
  docker_status=$?
  judge_container "$docker_status"
  # SIGTERM ended it, not the program.
  if [[ -n $stopping ]] && ! has_ended_by_itself; then return 1; fi
  if [[ -e $fast/preempted && $status != 0 ]]; then
    say 'the VM is preempted'
    return 1
  fi
  if [[ -z $failure_kind ]] && [[ $status == 0 || -n ${setting[outputs-on-failure]-} ]]; then
    begin_step upload_outputs
    attend_step keeps || fail_step outputs 'the outputs could not be copied'
  fi
  log_is_ending=yes
  begin_step finish_log
  attend_step leaves || [[ -n $stopping ]] ||
    printf 'dagrun: the whole log could not be kept where it was asked for\n' >>"$log"
}

# The VM must stop: whether the end of the container is its program's own all the same.
has_ended_by_itself() {
  [[ -n $status && -z $failure_kind ]] || return 1
  [[ $(awk -v end="$ended" -v stop="$stopped_at" 'BEGIN { print (end + 0 < stop + 0) }') == 1 ]] && return 0
  [[ $status == 0 && -n $container_is_deaf ]]
}

# A step says itself why it failed, unless it was killed.
fail_step() { # KIND MESSAGE
  failure_kind=$1
  failure_message=$2
  [[ ! -s $fast/failure-kind ]] || failure_kind=$(<"$fast/failure-kind")
  [[ ! -s $fast/failure-message ]] || failure_message=$(<"$fast/failure-message")
}

linger() { # SECONDS
  local until=$((SECONDS + $1))
  while [[ -z $stopping ]] && ((SECONDS < until)) && ! is_at_limit; do nap 5; done
}

remove_group() { # TRIES
  local tries=$1 try pause
  for ((try = 1; ; try++)); do
    [[ -z $stopping ]] || return 0
    if request 60 DELETE "${setting[group-url]}" || [[ $http_status == 404 ]]; then
      say 'the group of this VM is removed'
      return 0
    fi
    say "the group of this VM cannot be removed: $(request_fault)"
    pause=$((retry_seconds * try * try))
    # A group that repairs would begin the job again on a new VM if this one were off, so it stays, and tries.
    if [[ -n ${setting[detached]-} ]]; then
      ((pause <= 600)) || pause=600
    else
      ((try < tries)) || return 0
    fi
    nap "$pause"
  done
}

# The client removes the VM as soon as it has the result. When it does not, the VM does.
leave() {
  linger "$linger_seconds"
  remove_group 6
  linger "$linger_seconds"
  [[ -n $stopping ]] || systemctl poweroff
}

# Nothing has begun, and nobody would hear of it.
leave_unheard() {
  linger "$console_seconds"
  remove_group 1
  [[ -n $stopping ]] || systemctl poweroff
}

main() {
  local watcher
  load_settings || {
    cannot_report disk "the job's settings cannot be read"
    linger "$console_seconds"
    systemctl poweroff
    return 1
  }
  trap on_stop TERM
  trap : USR1
  mkdir -p "$state" && load_limit
  if [[ -e $state/result ]]; then
    say "the job $job ended at an earlier boot"
    mkdir -p "$work"
    publish_result
    leave
    return 0
  fi
  begin_boot || {
    cannot_report disk "the VM's disk does not take the job's files"
    leave_unheard
    return 0
  }
  say "job $job, attempt $attempt, boot $boot"
  watch_for_preemption &
  watcher=$!
  speak_first || {
    kill "$watcher" 2>/dev/null
    leave_unheard
    return 0
  }
  find_instance
  if run_job; then
    finish
    kill "$watcher" 2>/dev/null
    # What is left of the log has what is left of the time.
    [[ -z $stopping ]] || await "$step"
    leave
  else
    # A last word, if there is time for one.
    tell_news
    kill "$watcher" 2>/dev/null
  fi
}

main
exit 0
