/// `docker` for the runner's tests: writes down what it is asked, byte for byte, and runs a program of the test's
/// instead of a container.
///
/// The test's folder is `$WORLD`. `refuse` there holds a text and `refuse-status` a status: no container begins then.
enum DockerStandIn {
  static let script = #"""
    #!/bin/bash
    # What docker is asked is in $WORLD/asked, a line for each call.
    set -u
    export LC_ALL=C
    world=@WORLD@
    printf '%s\n' "${*:1:2}" >>"$world/asked"
    command=$1
    shift
    containers=$world/containers

    lookup() { # NAME: the last value of this process's own environment, as it was given
      local entry
      while IFS= read -r -d '' entry; do
        [[ $entry == "$1="* ]] && { printf '%s\0' "$entry"; return; }
      done </proc/$$/environ
    }

    # The daemon answers so many calls again after that.
    if [[ -e $world/daemon-away && $command != run ]]; then
      away=$(<"$world/daemon-away")
      ((away > 0)) || rm "$world/daemon-away"
      ((away > 0)) && { echo $((away - 1)) >"$world/daemon-away"; exit 1; }
    fi

    case $command in
      pull)
        printf '%s' "$1" >"$world/pulled"
        [[ -e $world/pull-fault ]] || exit 0
        cat "$world/pull-fault" >&2
        exit 1
        ;;
      run)
        printf '%s\0' "$@" >"$world/line" # what ps shows to every user
        : >"$world/environment"
        : >"$world/mounts"
        : >"$world/options"
        rm -f "$world/entrypoint"
        name=
        while [[ $1 == --* ]]; do
          case $1 in
            --name) name=$2; shift 2 ;;
            --entrypoint) printf '%s' "$2" >"$world/entrypoint"; shift 2 ;;
            --env)
              if [[ $2 == *=* ]]; then printf '%s\0' "$2"; else lookup "$2"; fi >>"$world/environment"
              shift 2
              ;;
            --mount)
              rest=${2#type=bind,source=}
              source=${rest%%,*}
              target=${rest#*,}
              if [[ $target == \"* ]]; then
                target=${target#\"}
                target=${target%\"}
                target=${target//\"\"/\"}
              fi
              printf '%s\0%s\0' "${target#target=}" "$source" >>"$world/mounts"
              [[ ${target#target=} == /dagrun ]] && inside=$source
              shift 2
              ;;
            --privileged) printf '%s\0' "$1" >>"$world/options"; shift ;;
            *) printf '%s\0%s\0' "$1" "$2" >>"$world/options"; shift 2 ;;
          esac
        done
        printf '%s' "$1" >"$world/image"
        shift
        printf '%s\0' "$@" >"$world/arguments"
        (($# > 0)) || : >"$world/arguments"
        mkdir -p "$containers/$name" || exit 125
        echo run >>"$world/runs"
        if [[ -e $world/refuse ]]; then
          cat "$world/refuse" >&2
          exit "$(<"$world/refuse-status")"
        fi
        rm -rf "$world/inside"
        cp -r "$inside" "$world/inside"
        date -u +%Y-%m-%dT%H:%M:%S.%NZ >"$containers/$name/started"
        env -i PATH="$PATH" WORLD="$world" INSIDE="$inside" bash "$world/program" &
        pid=$!
        echo $pid >"$containers/$name/pid"
        wait $pid
        status=$?
        date -u +%Y-%m-%dT%H:%M:%S.%NZ >"$containers/$name/finished"
        echo $status >"$containers/$name/status"
        exit $status
        ;;
      inspect)
        name=${*: -1}
        format=$4
        folder=$containers/$name
        [[ -d $folder ]] || exit 1
        running=false
        [[ -e $folder/started && ! -e $folder/status ]] && running=true
        read_or() { if [[ -e $folder/$1 ]]; then cat "$folder/$1"; else echo "$2"; fi; }
        format=${format//'{{.State.StartedAt}}'/$(read_or started 0001-01-01T00:00:00Z)}
        format=${format//'{{.State.FinishedAt}}'/$(read_or finished 0001-01-01T00:00:00Z)}
        format=${format//'{{.State.ExitCode}}'/$(read_or status 0)}
        format=${format//'{{.State.Running}}'/$running}
        format=${format//'{{.State.Pid}}'/$(read_or pid 0)}
        format=${format//'{{.State.OOMKilled}}'/false}
        printf '%s\n' "$format"
        ;;
      image)
        case $3 in
          *Entrypoint*) cat "$world/image-entrypoint" ;;
          *Env*) [[ ! -e $world/image-environment ]] || cat "$world/image-environment" ;;
          *) cat "$world/image-command" ;;
        esac
        echo
        ;;
      stop)
        echo stopped >>"$world/stops"
        pid=$(<"$containers/${*: -1}/pid")
        kill "$pid"
        for ((turn = 0; turn < 10 * $2; turn++)); do
          kill -0 "$pid" 2>/dev/null || exit 0
          sleep 0.1
        done
        kill -KILL "$pid"
        ;;
      wait) until [[ -e $containers/$1/status ]]; do sleep 0.05; done ;;
      rm) rm -rf "$containers/${*: -1}" ;;
    esac
    """#
}
