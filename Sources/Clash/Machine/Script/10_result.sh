# How the job went: written to the disk first, told then, and told again at the next boot if need be.

status=
ended=
failure_kind=
failure_message=

encoded_text() { printf '"%s"' "$(base64 -w 0)"; }

# All that is text is base64, all else is a number or null, so that it is always valid JSON.
write_result() {
  local started=null size=0 output=null
  # A container may have filled the disk; this was kept for now.
  rm -f "$state/reserve"
  [[ -s $fast/started ]] && started=$(<"$fast/started")
  [[ -e $log ]] && size=$(wc -c <"$log")
  if [[ -n $status && -f $inside/output && ! -L $inside/output && -s $inside/output ]]; then
    if (($(wc -c <"$inside/output") > 1048576)); then
      [[ -n $failure_kind ]] || {
        failure_kind=outputs
        failure_message="the job wrote over 1 MiB to \$DAGRUN_OUTPUT: write it to an output directory"
      }
    else
      output=$(encoded_text <"$inside/output")
    fi
  fi
  {
    printf '{"status":%s,"infrastructure":' "${status:-null}"
    if [[ -n $failure_kind ]]; then
      printf '{"kind":"%s","message":%s}' "$failure_kind" "$(printf '%s' "$failure_message" | encoded_text)"
    else
      printf 'null'
    fi
    printf ',"startedAt":%s,"endedAt":%s,"logBytes":%s,"logTail":' "$started" "${ended:-$EPOCHREALTIME}" "$size"
    if ((size > 0)); then tail -c 65536 "$log" | encoded_text; else printf '""'; fi
    printf ',"output":%s}' "$output"
  } >"$work/result" && write_message "$state/result.new" result "$work/result" &&
    sync "$state/result.new" && mv "$state/result.new" "$state/result" && sync "$state"
}

publish_result() {
  local until=$((SECONDS + publish_seconds)) pause=1 missing=0
  while :; do
    if publish_file "$state/result" 60; then
      : >"$state/published"
      say 'the result is published'
      return 0
    fi
    say "the result is not published yet: $(request_fault)"
    case $http_status in
      # The topic is gone, and so is the job's owner.
      404) ((missing += 1, missing < 5)) || return 1 ;;
      400 | 413) return 1 ;;
    esac
    ((SECONDS < until)) || return 1
    nap "$pause"
    ((pause = pause * 2 < 30 ? pause * 2 : 30))
  done
}

has_news() {
  [[ -n $message_waits ]] && return 0
  [[ -s $fast/started && -z $told_start ]] && return 0
  [[ -e $log ]] && ((log_offset < $(wc -c <"$log")))
}

# The result is on the disk before anything else is told. What is left of the log has its time, and the result does not
# wait longer for it.
finish() {
  local until=$((SECONDS + flush_seconds))
  write_result || say 'the result cannot be written to the disk'
  while [[ -z $stopping ]] && has_news && ((SECONDS < until)); do
    tell_news
    [[ -z $message_waits ]] || nap 1
  done
  publish_result
}
