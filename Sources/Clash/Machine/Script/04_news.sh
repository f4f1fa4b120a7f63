# Messages to the job's topic.

sequence=0
log_offset=0
log_is_behind=
heartbeat_at=0
told_start=
told_preemption=
# A message that was written and not taken yet. It is offered again as it is, so that a lost answer makes a duplicate
# and nothing else.
message=$fast/message
message_waits=
message_is=
message_at=0

# Writes a message's JSON. What is in it are numbers, names of this program and base64, so that it is always valid.
write_message() { # FILE KIND DATA-FILE [OFFSET]
  {
    printf '{"messages":[{"attributes":{"dagrun":"1","job":"%s","attempt":"%s","boot":"%s"' \
      "$job" "$attempt" "$boot"
    [[ -n $word ]] && printf ',"word":"%s"' "$word"
    printf ',"kind":"%s","sequence":"%s"' "$2" "$sequence"
    [[ -n ${4-} ]] && printf ',"offset":"%s"' "$4"
    printf '},"data":"'
    base64 -w 0 <"$3"
    printf '"}]}\n'
  } >"$1" || return 1
  ((sequence += 1))
}

publish_file() { # FILE SECONDS
  request "$2" POST "${setting[publish-url]}" -H 'Content-Type: application/json' --data-binary "@$1"
}

# Offers the waiting message; true when none waits afterwards.
offer_message() {
  [[ -n $message_waits ]] || return 0
  ((SECONDS >= message_at)) || return 1
  if publish_file "$message" 20; then
    message_waits=
    return 0
  fi
  say "Pub/Sub did not take a message ($message_is): $(request_fault)"
  message_at=$((SECONDS + retry_seconds))
  # It will not be taken later either; those after it may.
  [[ $http_status == 400 || $http_status == 413 ]] && message_waits=
  return 1
}

# 2: the disk does not take it.
tell() { # KIND DATA-FILE [OFFSET]
  write_message "$message" "$@" 2>/dev/null || return 2
  message_waits=yes
  message_is=$1
  message_at=0
  offer_message
}

# The line by which the job's driver learns from the serial console why this VM is silent: a status of HTTP, `000`
# (no answer), `token` or `disk`; the VM's account; then words.
cannot_report() { # STATUS WORDS
  local account='' words=$2
  curl -sS --fail --max-time 5 -H "$metadata_header" -o "$fast/account" \
    "$metadata/instance/service-accounts/default/email" 2>/dev/null && account=$(<"$fast/account")
  say "cannot report [$1] [$account]: ${words//[[:cntrl:]]/ }"
}

# Offers the first message until it is taken; false: it never was, and the console says why. What Google calls its own
# trouble has as long as a result has, all else $first_word_seconds. A detached VM that went off would be made again, so
# it has as long in any case.
speak_first() {
  local kind last='' since began=$SECONDS status fault said='' limit
  : >"$fast/data"
  write_message "$message" heartbeat "$fast/data" 2>/dev/null || {
    cannot_report disk "the VM's disk does not take the job's messages"
    return 1
  }
  heartbeat_at=$((SECONDS + heartbeat_seconds))
  until publish_file "$message" 20; do
    [[ -z $stopping ]] || return 1
    fault=$(request_fault)
    say "Pub/Sub did not take the first message: $fault"
    status=${token_fault:+token}
    status=${status:-$http_status}
    case $status in
      408 | 429 | 5??) kind=passing limit=$publish_seconds ;;
      *) kind=lasting limit=$first_word_seconds ;;
    esac
    [[ $kind == "$last" ]] || since=$SECONDS
    last=$kind
    # However faults alternate, it has an end.
    if ((SECONDS - since >= limit || SECONDS - began >= publish_seconds)) || is_at_limit; then
      [[ -n $said ]] || cannot_report "$status" "$fault"
      said=yes
      if [[ -z ${setting[detached]-} ]] || ((SECONDS - began >= publish_seconds)) || is_at_limit; then return 1; fi
    fi
    nap "$retry_seconds"
  done
  [[ -z $said ]] || say 'can report'
}

# What the container printed since the last time, at most so many pieces.
tell_log() { # PIECES
  local size length status pieces=$1
  log_is_behind=
  [[ -e $log ]] || return 0
  size=$(wc -c <"$log")
  while ((log_offset < size && pieces > 0)); do
    # A file that grows meanwhile is read no further than that.
    tail -c "+$((log_offset + 1))" "$log" 2>/dev/null | head -c 1048576 >"$fast/data" 2>/dev/null
    length=$(wc -c <"$fast/data")
    ((length > 0)) || return 0
    tell log "$fast/data" "$log_offset"
    status=$?
    ((status == 2)) || ((log_offset += length, pieces -= 1))
    ((status == 0)) || return 1
  done
  ((log_offset >= size)) || log_is_behind=yes
}

# All that is due now.
tell_news() {
  offer_message || return 0
  if [[ -e $fast/preempted && -z $told_preemption ]]; then
    told_preemption=yes
    : >"$fast/data"
    tell preempted "$fast/data" || return 0
  fi
  notice_start
  if [[ -s $fast/started && -z $told_start ]]; then
    told_start=yes
    printf '{"startedAt":%s}' "$(<"$fast/started")" >"$fast/data"
    tell started "$fast/data" || return 0
  fi
  tell_log 4 || return 0
  keep_log
  if ((SECONDS >= heartbeat_at)); then
    heartbeat_at=$((SECONDS + heartbeat_seconds))
    : >"$fast/data"
    tell heartbeat "$fast/data"
  fi
}

# The metadata server holds the answer until the cloud takes the VM back.
watch_for_preemption() {
  local query value=$fast/preempted-value
  trap 'kill $(jobs -p) 2>/dev/null; exit 0' TERM
  while kill -0 $$ 2>/dev/null; do
    for query in '' '?wait_for_change=true&timeout_sec=60'; do
      curl -sS --fail --connect-timeout 5 --max-time 90 -H "$metadata_header" -o "$value" \
        "$metadata/instance/preempted$query" 2>/dev/null &
      wait $! || { nap "$retry_seconds"; continue; }
      [[ $(<"$value") == TRUE ]] || continue
      : >"$fast/preempted"
      kill -USR1 $$ 2>/dev/null
      return
    done
  done
}
