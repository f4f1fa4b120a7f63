# docker's command line, and what became of the container.

# docker reads `--mount` as a line of CSV.
mount_directory() { # HERE IN-THE-CONTAINER
  local target=target=$2
  case $target in
    *[,\"$'\n']* | ' '* | *' ') target="\"${target//\"/\"\"}\"" ;;
  esac
  options+=(--mount "type=bind,source=$1,$target")
}

# Hands on NAME=VALUE through docker's own environment, where no other process reads it and a line break is as good as
# any byte; by docker's command line where the name means something to docker itself, or to a shell that wraps it.
set_variable() { # NAME VALUE
  case $1 in
    '' | [!A-Za-z_]* | *[!A-Za-z0-9_]* | _ | PWD | OLDPWD | PPID | OPTIND | UID | EUID | \
      PATH | HOME | IFS | ENV | TMPDIR | SHELLOPTS | POSIXLY_CORRECT | PS4 | LANG | LANGUAGE | \
      LC_ALL | LC_ADDRESS | LC_COLLATE | LC_CTYPE | LC_IDENTIFICATION | LC_MEASUREMENT | LC_MESSAGES | LC_MONETARY | \
      LC_NAME | LC_NUMERIC | LC_PAPER | LC_TELEPHONE | LC_TIME | \
      BASH | BASHOPTS | BASHPID | BASH_* | DOCKER_* | \
      LD_ASSUME_KERNEL | LD_AUDIT | LD_BIND_* | LD_DEBUG* | LD_DYNAMIC_WEAK | LD_HWCAP_MASK | LD_LIBRARY_PATH | \
      LD_ORIGIN_PATH | LD_POINTER_GUARD | LD_PRELOAD | LD_PREFER_MAP_32BIT_EXEC | LD_PROFILE* | LD_SHOW_AUXV | \
      LD_TRACE_* | LD_USE_LOAD_BIAS | LD_VERBOSE | LD_WARN | \
      GODEBUG | GOGC | GOMAXPROCS | GOMEMLIMIT | GORACE | GOTRACEBACK | GOCOVERDIR)
      options+=(--env "$1=$2")
      ;;
    *)
      options+=(--env "$1")
      variables+=("$1=$2")
      ;;
  esac
}

# Entry point and command of the image, as it was made, for a program that comes before them.
read_image_command() {
  mapfile -d '' -t image_entrypoint < <(docker image inspect \
    --format '{{range .Config.Entrypoint}}{{printf "%s\x00" .}}{{end}}' "${setting[image]}" | head -c -1)
  mapfile -d '' -t image_command < <(docker image inspect \
    --format '{{range .Config.Cmd}}{{printf "%s\x00" .}}{{end}}' "${setting[image]}" | head -c -1)
}

# Sets the array `line`: docker's arguments, and `variables`, its environment.
compose_line() {
  local -a options=(--name "$container" --pull never --log-driver none) arguments=() values=() front=()
  local index
  variables=()
  mapfile -d '' -t arguments <"$folder/arguments"
  [[ -z ${setting[privileged]-} ]] || options+=(--privileged)
  [[ -z ${setting[shared-memory]-} ]] || options+=(--shm-size "${setting[shared-memory]}")
  mapfile -d '' -t values <"$work/accelerator-options"
  options+=(${values[@]+"${values[@]}"})

  mount_directory "$inside" /dagrun
  mapfile -d '' -t values <"$folder/outputs"
  for ((index = 0; index + 2 < ${#values[@]}; index += 3)); do
    mkdir -p "$work/outputs/$index" && chmod 0777 "$work/outputs/$index"
    mount_directory "$work/outputs/$index" "${values[index]}"
  done
  if [[ ${setting[mount-method]} == copy ]]; then
    mapfile -d '' -t values <"$folder/mounts"
    for ((index = 0; index + 2 < ${#values[@]}; index += 3)); do
      mount_directory "$work/mounts/$index" "${values[index]}"
    done
  fi

  mapfile -d '' -t values <"$folder/environment"
  for ((index = 0; index + 1 < ${#values[@]}; index += 2)); do
    set_variable "${values[index]}" "${values[index + 1]}"
  done
  mapfile -d '' -t values <"$work/secrets"
  for ((index = 0; index + 1 < ${#values[@]}; index += 2)); do
    set_variable "${values[index]}" "${values[index + 1]}"
  done
  set_variable DAGRUN_OUTPUT /dagrun/output

  if [[ -e $folder/mount-entry ]]; then
    front=(/dagrun/mount-entry)
    if [[ -n ${setting[entrypoint]+given} ]]; then
      front+=("${setting[entrypoint]}")
    else
      local -a image_entrypoint=() image_command=()
      read_image_command
      front+=(${image_entrypoint[@]+"${image_entrypoint[@]}"})
      ((${#arguments[@]} > 0)) || arguments=(${image_command[@]+"${image_command[@]}"})
    fi
    [[ -n ${setting[privileged]-} ]] || options+=(--privileged)
    options+=(--device /dev/fuse --entrypoint /bin/sh)
  elif [[ -n ${setting[entrypoint]+given} ]]; then
    options+=(--entrypoint "${setting[entrypoint]}")
  fi
  line=(run "${options[@]}" "${setting[image]}" ${front[@]+"${front[@]}"} ${arguments[@]+"${arguments[@]}"})
}

# The values are exported, not given to env: no command line has them, not even for a moment. Their names are the
# job's and may be any of this script's, so from here on only the positional parameters are used.
run_container() {
  local -a line=() variables=()
  compose_line
  exec >"$log" 2>&1 </dev/null
  export HOME=$docker_home
  set -- ${variables[@]+"${variables[@]}"} '' "$docker_program" "${line[@]}"
  while [[ -n $1 ]]; do
    unset -v "${1%%=*}"
    export "${1?}"
    shift
  done
  shift
  exec "$@"
}

inspect_container() { # FORMAT
  docker inspect --type container --format "$1" "$container" 2>/dev/null
}

# Seconds since 1970 of one of docker's times; nothing for its zero.
epoch() { # TIME
  [[ $1 == 0001-* || -z $1 ]] || date -u -d "$1" +%s.%N 2>/dev/null
}

# Whether the container has begun to run is docker's to say: its program may itself end with 125, 126 or 127.
notice_start() {
  [[ -n $container_runs && ! -s $fast/started ]] || return 0
  local at
  at=$(epoch "$(inspect_container '{{.State.StartedAt}}')")
  [[ -z $at ]] || printf '%s' "$at" >"$fast/started"
  [[ -s $fast/started ]] || return 0
  overtime_at=0
  [[ -z ${setting[timeout]-} ]] || overtime_at=$((SECONDS + setting[timeout] + overtime_seconds))
}

overtime_at=0
overtime=
# The client ends a job that takes too long; this is for a client that is gone.
end_overtime() {
  [[ -n $container_runs && -z $overtime ]] && ((overtime_at > 0 && SECONDS >= overtime_at)) || return 0
  overtime=yes
  say 'the job takes longer than it may'
  docker stop -t "$stop_seconds" "$container" >/dev/null 2>&1 &
}

limit_words() {
  printf 'the VM reached its max_run_duration of %s s, and the job ends with it' "${setting[run-limit]}"
}

end_at_limit() {
  [[ -z $overtime ]] && is_at_limit || return 0
  overtime=limit
  say "$(limit_words)"
  if [[ -n $container_runs ]]; then
    docker stop -t "$limit_stop_seconds" "$container" >/dev/null 2>&1 &
  fi
}

wait_for_container() {
  HOME=$docker_home exec timeout 3600 "$docker_program" wait "$container" >/dev/null 2>&1
}

# A daemon that is begun again, as by an update of docker, is back within a while.
await_daemon() {
  local until=$((SECONDS + daemon_seconds))
  until docker version >/dev/null 2>&1; do
    [[ -z $stopping ]] && ((SECONDS < until)) || return 1
    nap 1
  done
}

# Sets `status`, or `failure_kind` and `failure_message`, and `ended`.
judge_container() { # DOCKER'S-STATUS
  local state code finished killed text
  notice_start
  while :; do
    # docker's client may have lost its daemon, and the container has not.
    (($1 == 0)) || await_daemon || {
      container_runs=
      ended=$EPOCHREALTIME
      failure_kind=machine
      failure_message="docker's daemon is gone, and what became of the container is not known"
      return 0
    }
    [[ $(inspect_container '{{.State.Running}}') == true ]] || break
    begin_step wait_for_container
    attend_step keeps
    [[ -z $stopping ]] || return 0
  done
  container_runs=
  IFS=' ' read -r code killed finished < <(
    inspect_container '{{.State.ExitCode}} {{.State.OOMKilled}} {{.State.FinishedAt}}')
  ended=$(epoch "${finished-}")
  [[ -n $ended ]] || ended=$EPOCHREALTIME
  if [[ -s $fast/started ]]; then
    status=${code:-$1}
    [[ ${killed-} != true ]] || printf 'dagrun: the kernel ended the program: the VM is out of memory\n' >>"$log"
    [[ -z $overtime ]] || {
      failure_kind=machine
      failure_message="the job took longer than its limit of ${setting[timeout]-} s, and the VM ended it"
      [[ $overtime != limit ]] || failure_message=$(limit_words)
    }
    if [[ -s $inside/mount-failure ]]; then
      failure_kind=inputs
      failure_message=$(head -c 1000 "$inside/mount-failure")
      status=
    fi
    return 0
  fi
  text=$(tail -c 2000 "$log")
  case $1 in
    126) failure_kind=command_not_executable failure_message="the command cannot be executed in ${setting[image]}: $text" ;;
    127) failure_kind=command_not_found failure_message="there is no such command in ${setting[image]}: $text" ;;
    *) failure_kind=container_start failure_message="docker could not start the container: $text" ;;
  esac
}
