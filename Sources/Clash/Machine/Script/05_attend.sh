# Waiting while updates are sent, and what signals do.

# Set by SIGTERM: the VM is being shut down, because it is preempted, or because somebody removes it.
stopping=
stopped_at=
# The container has been asked to run, and is not known to have ended.
container_runs=
# Its program does not learn of the end.
container_is_deaf=

# Nothing is removed from here on, and nothing final is sent but what the program has done by itself: the job's driver
# decides what comes next.
on_stop() {
  [[ -n $stopping ]] || stopped_at=$EPOCHREALTIME
  stopping=yes
  say 'the VM is being shut down'
  if [[ -n $container_runs ]]; then
    is_container_deaf && container_is_deaf=yes
    docker stop -t "$stop_seconds" "$container" >/dev/null 2>&1 &
  fi
}

# As the first process of its container, a program gets SIGTERM only if it has asked for it. One that has not runs on
# until its time is up, and if it ends with 0 before that, it has come to its own end; of one that has, 0 may mean that
# it has put its work aside.
is_container_deaf() {
  local pid mask masks
  pid=$(HOME=$docker_home timeout 3 "$docker_program" inspect --type container --format '{{.State.Pid}}' \
    "$container" 2>/dev/null) || return 1
  [[ $pid == [1-9]* && -r /proc/$pid/status ]] || return 1
  masks=$(sed -n -e 's/^SigCgt:[[:space:]]*//p' -e 's/^SigBlk:[[:space:]]*//p' "/proc/$pid/status" 2>/dev/null)
  [[ -n $masks ]] || return 1
  for mask in $masks; do
    # Bit 14 is SIGTERM.
    (((16#$mask & 16#4000) == 0)) || return 1
  done
}

# Runs a function or a program in the background of this shell; its status is left in a file. Sets `step`.
begin_step() { # COMMAND…
  rm -f "$fast/step-status" "$fast/failure-kind" "$fast/failure-message"
  {
    trap 'kill $(jobs -p) 2>/dev/null; exit 143' TERM
    trap - USR1
    # In a shell of its own, for `fail` ends that.
    ("$@") &
    wait $!
    printf '%s\n' $? >"$fast/step-status.new"
    mv "$fast/step-status.new" "$fast/step-status"
  } &
  step=$!
}

# Waits for the step's end and sends updates meanwhile. Returns its status. When the VM must stop: `keeps` waits all the
# same, `leaves` lets the step run on and returns 143, and otherwise the step is ended and 143 returned.
attend_step() { # [keeps|leaves]
  local sleeper pause status
  while [[ ! -e $fast/step-status ]] && kill -0 "$step" 2>/dev/null; do
    tell_news
    if [[ -n $stopping && ${1-} == leaves ]]; then return 143; fi
    if [[ -n $stopping && ${1-} != keeps ]]; then
      kill "$step" 2>/dev/null
      wait "$step"
      return 143
    fi
    end_overtime
    end_at_limit
    if [[ $overtime == limit && -z ${1-} ]]; then
      kill "$step" 2>/dev/null
      wait "$step"
      printf machine >"$fast/failure-kind"
      limit_words >"$fast/failure-message"
      return 1
    fi
    pause=$log_seconds
    # So that the start is reported soon, and a log that grows fast does not fall behind.
    [[ -n $container_runs && -z $told_start || -n $log_is_behind ]] && pause=0.2
    sleep "$pause" &
    sleeper=$!
    [[ -e $fast/step-status ]] || wait -n "$step" "$sleeper" 2>/dev/null
    kill "$sleeper" 2>/dev/null
  done
  status=1
  [[ -e $fast/step-status ]] && status=$(<"$fast/step-status")
  return "$status"
}
