# Requests to Google.

# Waits for a background command of this shell, also when a signal's trap comes between. Returns its status.
await() { # PID
  local status
  wait "$1"
  status=$?
  while ((status > 128)) && kill -0 "$1" 2>/dev/null; do
    wait "$1"
    status=$?
  done
  return "$status"
}

# A pause that a signal ends.
nap() { # SECONDS
  local sleeper
  sleep "$1" &
  sleeper=$!
  wait "$sleeper"
  kill "$sleeper" 2>/dev/null
  return 0
}

# Why there is no token for the last request; empty where there was one.
token_fault=

# Leaves the line `Authorization: Bearer …` in a file, so that the token is on no command line. The metadata server
# gives the service account's token; it is used until four minutes before its end.
authorize() { # [anew]
  # A background command has a number of its own, so this shell's is kept.
  local me=$BASHPID until=0 token lifetime header=$fast/authorization
  [[ -r $header.until ]] && until=$(<"$header.until")
  [[ ${1-} != anew && -s $header ]] && ((EPOCHSECONDS < until)) && return 0
  curl -sS --fail --connect-timeout 5 --max-time 10 --retry 5 --retry-connrefused --retry-max-time 45 \
    -H "$metadata_header" -o "$fast/token.$me" "$metadata/instance/service-accounts/default/token" \
    2>"$fast/error.$me" &
  await $! || { token_fault=$(<"$fast/error.$me"); say "no access token: $token_fault"; return 1; }
  token=$(json_strings access_token <"$fast/token.$me")
  lifetime=$(sed -n 's/.*"expires_in"[^0-9]*\([0-9][0-9]*\).*/\1/p' "$fast/token.$me")
  rm -f "$fast/token.$me"
  [[ -n $token ]] || { token_fault='the metadata server gives none'; say "no access token: $token_fault"; return 1; }
  printf 'Authorization: Bearer %s\n' "$token" >"$header.$me"
  printf '%s\n' $((EPOCHSECONDS + ${lifetime:-300} - 240)) >"$header.until.$me"
  mv -f "$header.$me" "$header"
  mv -f "$header.until.$me" "$header.until"
}

# One request to one of Google's services, within a limit of time. Sets `http_status` (000: no answer) and `answer`,
# the file of what came. True for 2xx.
request() { # SECONDS METHOD URL [OPTION…]
  local limit=$1 method=$2 url=$3 try renewal=''
  shift 3
  answer=$fast/answer.$BASHPID
  for try in first again; do
    http_status=000
    : >"$answer"
    token_fault=
    authorize "$renewal" || { printf 'no access token: %s' "$token_fault" >"$answer.error"; return 1; }
    curl -sS --globoff --connect-timeout 10 --max-time "$limit" --speed-limit 1 --speed-time 60 -X "$method" \
      -H "@$fast/authorization" -H Expect: -o "$answer" -w '%{http_code}' "$@" "$url" \
      >"$answer.status" 2>"$answer.error" &
    await $!
    http_status=$(<"$answer.status")
    [[ $http_status == 401 && $try == first ]] || break
    renewal=anew
  done
  [[ $http_status == 2?? ]]
}

# The same, again and again while the fault may pass. For calls that do no harm when they come twice.
request_patiently() { # SECONDS METHOD URL [OPTION…]
  local try
  for try in 1 2 3 4 5 6; do
    request "$@" && return 0
    case $http_status in
      000 | 408 | 429 | 5??) nap $((retry_seconds * try)) ;;
      *) return 1 ;;
    esac
  done
  return 1
}

# What went wrong with the last request, in a line.
request_fault() {
  if [[ $http_status == 000 ]]; then
    printf 'no answer: %s' "$(head -c 500 "$answer.error")"
  else
    printf 'HTTP %s: %s' "$http_status" "$(json_strings error.message <"$answer" | head -c 500)"
  fi
}

# A value of the metadata server, into a file.
fetch_metadata() { # NAME FILE
  curl -sS --fail --connect-timeout 5 --max-time 60 --retry 5 --retry-connrefused -H "$metadata_header" \
    -o "$2" "$metadata/$1"
}
