extension RunnerScript {
  /// Waiting while news are told, and what signals do.
  static let attend = #"""
    # Set by SIGTERM: the VM is being shut down, because it is preempted, or because somebody removes it.
    stopping=
    # The container has been asked to run, and is not known to have ended.
    container_runs=

    # Nothing final is told from here on, and nothing is removed: whoever drives the job decides how it goes on.
    on_stop() {
      stopping=yes
      say 'the VM is being shut down'
      if [[ -n $container_runs ]]; then
        docker stop -t "$stop_seconds" "$container" >/dev/null 2>&1 &
      fi
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

    # Waits for the step's end and tells news meanwhile. Returns its status; 143 when the VM must stop and `keeps` is not
    # given.
    attend_step() { # [keeps]
      local sleeper pause status
      while [[ ! -e $fast/step-status ]] && kill -0 "$step" 2>/dev/null; do
        tell_news
        if [[ -n $stopping && ${1-} != keeps ]]; then
          kill "$step" 2>/dev/null
          wait "$step"
          return 143
        fi
        end_overtime
        end_at_limit
        if [[ $overtime == limit && ${1-} != keeps ]]; then
          kill "$step" 2>/dev/null
          wait "$step"
          printf machine >"$fast/failure-kind"
          limit_words >"$fast/failure-message"
          return 1
        fi
        pause=$log_seconds
        # So that the start is told soon, and a log that grows fast does not fall behind.
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
    """#
}
