# The whole log, where it was asked for: line by line to Cloud Logging while it grows, or at the end to Cloud Storage.
#
# docker's own driver for Cloud Logging would take the output away from this program, and Container-Optimized OS's
# logging agent may have sent nothing yet when the VM ends. So the entries are written by the API.

kept_offset=0
keep_at=0
keep_fault=
# Another shell of this program keeps the end of the log, and it alone: each line is to be there once.
log_is_ending=

# JSON of one `entries.write`: a text entry for each line. Bytes that are not UTF-8 become U+FFFD.
log_entries() {
  tr -d '\000' | job=$job attempt=$attempt boot=$boot project=${setting[project]} \
    instance=$instance_id zone=$instance_zone awk '
    function quoted(line, out, c, at, size, follow, rest) {
      out = ""
      size = length(line)
      for (at = 1; at <= size; at++) {
        c = substr(line, at, 1)
        if (c == "\"" || c == "\\") out = out "\\" c
        else if (c in control) out = out control[c]
        else if (!(c in code)) out = out c
        else {
          follow = code[c] >= 194 && code[c] < 224 ? 1 : code[c] >= 224 && code[c] < 240 ? 2 : \
            code[c] >= 240 && code[c] < 245 ? 3 : 0
          rest = substr(line, at + 1, follow)
          if (follow == 0 || length(rest) < follow || !continues(rest, follow) || !isShortest(code[c], rest))
            out = out replacement
          else { out = out c rest; at += follow }
        }
      }
      return out
    }
    function continues(rest, count, at, value) {
      for (at = 1; at <= count; at++) {
        # To ask an array for what it does not have would put it there.
        if (!(substr(rest, at, 1) in code)) return 0
        value = code[substr(rest, at, 1)]
        if (value < 128 || value > 191) return 0
      }
      return 1
    }
    # Neither overlong forms, nor surrogates, nor beyond the last character.
    function isShortest(first, rest, second) {
      second = code[substr(rest, 1, 1)] + 0
      return !(first == 224 && second < 160 || first == 237 && second > 159 || first == 240 && second < 144 || \
        first == 244 && second > 143)
    }
    BEGIN {
      for (at = 1; at < 32; at++) control[sprintf("%c", at)] = sprintf("\\u%04x", at)
      for (at = 128; at < 256; at++) code[sprintf("%c", at)] = at
      replacement = sprintf("%c%c%c", 239, 191, 189)
      printf "{\"logName\":\"projects/%s/logs/dagrun\",\"resource\":{\"type\":\"gce_instance\",\"labels\":", ENVIRON["project"]
      printf "{\"project_id\":\"%s\",\"instance_id\":\"%s\",\"zone\":\"%s\"}},", ENVIRON["project"], ENVIRON["instance"], ENVIRON["zone"]
      printf "\"labels\":{\"dagrun-job\":\"%s\",\"dagrun-attempt\":\"%s\",\"dagrun-boot\":\"%s\"},\"entries\":[", ENVIRON["job"], ENVIRON["attempt"], ENVIRON["boot"]
    }
    { printf "%s{\"textPayload\":\"%s\"}", (NR > 1 ? "," : ""), quoted($0) }
    END { print "]}" }'
}

# What the log has gained, up to its last whole line; all of it when the container has ended. Never fails the job.
keep_log() { # [all]
  local size length whole pieces=4 until=$((SECONDS + publish_seconds))
  [[ ${setting[log-to]-} == logging && -e $log ]] || return 0
  [[ -n ${1-} ]] || { [[ -z $log_is_ending ]] && ((SECONDS >= keep_at)); } || return 0
  size=$(wc -c <"$log")
  while ((kept_offset < size)); do
    if [[ -n ${1-} ]]; then
      ((SECONDS < until)) || { keep_fault='it is too long'; return 1; }
    else
      # The VM has to say meanwhile that it lives.
      ((pieces > 0)) || { log_is_behind=yes; return 0; }
      ((pieces -= 1))
    fi
    tail -c "+$((kept_offset + 1))" "$log" 2>/dev/null | head -c 65536 >"$work/lines"
    length=$(wc -c <"$work/lines")
    whole=$length
    [[ $(tail -c 1 "$work/lines" | wc -l) == 1 ]] || ((whole -= $(tail -n 1 "$work/lines" | wc -c)))
    # Nothing follows the end of the log; and what fills a piece all by itself is sent in pieces.
    if [[ -n ${1-} ]] && ((length < 65536)) || ((length == 65536 && whole == 0)); then whole=$length; fi
    ((whole > 0)) || return 0
    head -c "$whole" "$work/lines" >"$work/whole-lines"
    log_entries <"$work/whole-lines" >"$work/entries"
    if ! request 15 POST "${setting[logging-url]}entries:write" -H 'Content-Type: application/json' \
      --data-binary "@$work/entries"; then
      keep_fault=$(request_fault)
      keep_at=$((SECONDS + 15))
      return 1
    fi
    ((kept_offset += whole))
  done
}

find_instance() {
  instance_id=0
  instance_zone=unknown
  [[ ${setting[log-to]-} == logging ]] || return 0
  fetch_metadata instance/id "$fast/instance" 2>/dev/null && instance_id=$(<"$fast/instance")
  fetch_metadata instance/zone "$fast/instance" 2>/dev/null && instance_zone=$(<"$fast/instance")
  instance_zone=${instance_zone##*/}
}

# The end of it, within limits: the result does not depend on the log.
finish_log() {
  local try
  case ${setting[log-to]-} in
    storage)
      upload_file "$log" "${setting[log-bucket]}" "${setting[log-object]}" 'text/plain; charset=utf-8' || {
        say "cannot copy the log to gs://${setting[log-bucket]}/${setting[log-object]}: $(request_fault)"
        return 1
      }
      ;;
    logging)
      for try in 1 2 3 4 5; do
        keep_log all && return 0
        [[ $keep_fault != 'it is too long' ]] || break
        nap "$retry_seconds"
      done
      say "the end of the log is not in Cloud Logging: $keep_fault"
      return 1
      ;;
  esac
}
