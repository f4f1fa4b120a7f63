import Foundation
import Processes

@testable import CloudEmulator

/// In place of a docker client and its engine: a script that keeps containers in a folder. A container's command runs on
/// this machine as it is; MOUNT_0, MOUNT_1 … are the sources of its mounts. It proves nothing about a real engine but
/// what is asked of it.
final class StandInEngine: Sendable {
  let folder = TestFolder()

  init() throws {
    try makeFolders(folder.path + "/containers")
    try Self.script.replacingOccurrences(of: "@STATE@", with: folder.path)
      .write(toFile: client, atomically: true, encoding: .utf8)
    chmod(client, 0o755)
  }

  var client: String { folder.path + "/docker" }

  /// Every command line it was given, as a shell would write it.
  var calls: [String] {
    ((try? String(contentsOfFile: folder.path + "/calls", encoding: .utf8)) ?? "").split(separator: "\n").map(
      String.init)
  }

  var containers: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path + "/containers")) ?? []).sorted()
  }

  func makeContainer(_ name: String, label: String) throws {
    try makeFolders(folder.path + "/containers/" + name)
    try (label + "\n").write(toFile: folder.path + "/containers/\(name)/labels", atomically: true, encoding: .utf8)
  }

  private static let script = #"""
    #!/bin/bash
    state=@STATE@
    calls=$(printf '%q ' "$@"); printf '%s\n' "$calls" >> "$state/calls"
    verb=$1; shift
    id() { printf %s "$1" | sha256sum | cut -c 1-64; }
    find_container() { # NAME-OR-ID
      local folder
      for folder in "$state"/containers/*/; do
        folder=${folder%/}; found=${folder##*/}
        [[ $found == "$1" || $(id "$found") == "$1"* ]] && return
      done
      echo "Error response from daemon: No such container: $1" >&2; return 1
    }
    case $verb in
      version) echo 99.1 ;;
      context) echo "${ENDPOINT-unix:///var/run/docker.sock}" ;;
      pull) echo "pulled $*" ;;
      run)
        variables=() labels=() mounts=0 detach= name=
        while [[ $1 != -- ]]; do
          case $1 in
            --name) name=$2; shift ;;
            --label) labels+=("$2"); shift ;;
            --env) [[ $2 == *=* ]] && variables+=("$2") || variables+=("$2=${!2}"); shift ;;
            --mount) source=${2#*source=}; variables+=("MOUNT_$((mounts++))=${source%%,*}"); shift ;;
            --detach) detach=yes ;;
            --rm) ;;
            *) shift ;;
          esac
          shift
        done
        shift 2
        folder=$state/containers/$name
        mkdir "$folder" 2>/dev/null || { echo "docker: Conflict. The container name \"/$name\" is already in use" >&2; exit 125; }
        printf '%s\n' "${labels[@]}" > "$folder/labels"
        [[ $detach ]] && { setsid env -i "PATH=$PATH" "${variables[@]}" "$@" > "$folder/log" 2>&1 < /dev/null & echo $! > "$folder/pid"; id "$name"; echo; exit; }
        setsid env -i "PATH=$PATH" "${variables[@]}" "$@" < /dev/null &
        pid=$!; echo $pid > "$folder/pid"
        trap 'kill -TERM $pid' TERM
        while :; do wait $pid; status=$?; kill -0 $pid 2>/dev/null || break; done
        wait $pid; status=$?
        echo $status > "$folder/status"
        exit $status
        ;;
      ps)
        all= quiet= labels=()
        while (($#)); do
          case $1 in
            --all | -a) all=yes ;;
            --quiet | -q) quiet=yes ;;
            --filter) [[ $2 == label=* ]] && labels+=("${2#label=}"); shift ;;
            --format) shift ;;
          esac
          shift
        done
        for folder in "$state"/containers/*/; do
          [[ -e $folder/labels ]] || continue
          for label in "${labels[@]}"; do grep -qxF -- "$label" "$folder/labels" || continue 2; done
          [[ $all ]] || kill -0 "$(cat "$folder/pid" 2>/dev/null || echo x)" 2>/dev/null || continue
          name=${folder%/}; name=${name##*/}
          [[ $quiet ]] && id "$name" || echo "$(id "$name") $name"
        done
        ;;
      rm | kill | stop)
        status=0
        for word; do
          [[ $word == -* ]] && continue
          find_container "$word" || { status=1; continue; }
          [[ -e $state/containers/$found/pid ]] && kill -9 -- "-$(cat "$state/containers/$found/pid")" 2>/dev/null
          [[ $verb == rm ]] && rm -rf "$state/containers/$found"
          echo "$word"
        done
        exit $status
        ;;
      inspect | logs | wait)
        for word; do last=$word; done
        find_container "$last" || exit 1
        case $verb in
          inspect) echo "/$found $(cat "$state/containers/$found/status") [$state]" ;;
          logs) cat "$state/containers/$found/log" ;;
          wait) cat "$state/containers/$found/status" ;;
        esac
        ;;
      *) echo "docker: unknown command: $verb" >&2; exit 1 ;;
    esac
    """#
}
