internal import Foundation

/// Programs that a VM on Container-Optimized OS has, and this machine has not, or must not be asked.
enum Shims {
  /// Done by the VM's first process.
  static let clients = ["docker", "systemctl", "poweroff", "reboot"]

  static func scripts(_ plan: MachinePlan) -> [String: String] {
    var scripts = [
      "docker-credential-gcr": dockerCredentials, "cos-extensions": extensions,
      "gcsfuse": gcsfuse(endpoint: plan.storageEndpoint ?? ""), "fusermount": "#!/bin/sh\nexit 0\n", "mount": mount,
    ]
    let program = ([MachineRoot.program] + plan.programArguments).map(shellQuoted).joined(separator: " ")
    for name in clients { scripts[name] = "#!/bin/sh\nexec \(program) client \(name) \"$@\"\n" }
    return scripts
  }

  private static let dockerCredentials = """
    #!/bin/sh
    # Stands in for docker-credential-gcr: there is no registry that would ask for the credentials.
    case "$1" in
      configure-docker)
        [ -n "$HOME" ] || { echo "docker-credential-gcr: HOME is not set" >&2; exit 1; }
        mkdir -p "$HOME/.docker" && printf '{"credHelpers":{}}\\n' > "$HOME/.docker/config.json"
        ;;
      get) printf '{"Username":"_dcgcr_token","Secret":""}\\n' ;;
      *) exit 0 ;;
    esac

    """

  private static let extensions = """
    #!/bin/sh
    # Stands in for cos-extensions: the folders of the driver, without a driver.
    [ "$1 $2" = "install gpu" ] || { echo "cos-extensions: only 'install gpu' is emulated" >&2; exit 1; }
    mkdir -p /var/lib/nvidia/lib64 /var/lib/nvidia/bin && echo "GPU drivers: none, this is an emulated VM"

    """

  private static let mount = """
    #!/bin/sh
    # Stands in for mount: programs of this VM cannot mount. The folder of drivers is executable from the start.
    case "$*" in
      "--bind /var/lib/nvidia /var/lib/nvidia" | "-o remount,exec /var/lib/nvidia") exit 0 ;;
      "" | -l) exec cat /proc/self/mounts ;;
    esac
    echo "mount: nothing can be mounted in an emulated VM" >&2
    exit 32

    """

  /// Copies the objects once, at the time of the mount; nothing that is written there goes back.
  private static func gcsfuse(endpoint: String) -> String {
    """
    #!/bin/bash
    # Stands in for gcsfuse: copies the objects of the bucket.
    set -uo pipefail
    endpoint=\(shellQuoted(endpoint))
    only_dir= bucket= directory=
    while (($#)); do
      case $1 in
        --only-dir) only_dir=$2; shift ;;
        --only-dir=*) only_dir=${1#*=} ;;
        -o | --key-file | --uid | --gid | --dir-mode | --file-mode | --log-file | --temp-dir | --config-file) shift ;;
        -*) ;;
        *) if [[ $bucket ]]; then directory=$1; else bucket=$1; fi ;;
      esac
      shift
    done
    fail() { echo "gcsfuse: $*" >&2; exit 1; }
    [[ $bucket && $directory ]] || fail "usage: gcsfuse [options] BUCKET DIRECTORY"
    [[ -d $directory ]] || fail "$directory is not a directory"
    [[ $endpoint ]] || fail "this emulator has no Cloud Storage"
    encoded() {
      local LC_ALL=C text=$1 index character
      for ((index = 0; index < ${#text}; index++)); do
        character=${text:index:1}
        case $character in
          [a-zA-Z0-9.~_-]) printf '%s' "$character" ;;
          *) printf '%%%02X' "'$character" | sed 's/%FFFFFFFFFFFFFF/%/' ;;
        esac
      done
    }
    account=http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token
    token=$(curl -sf -H 'Metadata-Flavor: Google' "$account" | sed 's/.*"access_token" *: *"\\([^"]*\\)".*/\\1/')
    prefix=${only_dir:+${only_dir%/}/} page=
    while :; do
      list=$(curl -sf -H "Authorization: Bearer $token" \\
        "$endpoint/storage/v1/b/$(encoded "$bucket")/o?prefix=$(encoded "$prefix")${page:+&pageToken=$page}") ||
        fail "cannot list bucket $bucket"
      while IFS= read -r name; do
        [[ $name && $name != */ ]] || continue
        target=$directory/${name#"$prefix"}
        mkdir -p "${target%/*}" && curl -sf -H "Authorization: Bearer $token" -o "$target" \\
          "$endpoint/storage/v1/b/$(encoded "$bucket")/o/$(encoded "$name")?alt=media" ||
          fail "cannot read gs://$bucket/$name"
      done < <(grep -o '"name" *: *"[^"]*"' <<<"$list" | sed 's/^"name" *: *"//; s/"$//; s/\\\\\\//\\//g')
      page=$(grep -o '"nextPageToken" *: *"[^"]*"' <<<"$list" | sed 's/.*: *"//; s/"$//')
      [[ $page ]] || break
    done

    """
  }
}

/// One word for a shell, whatever is in it.
func shellQuoted(_ text: String) -> String {
  // Scalar by scalar: a quote with an accent on it is one character, and a quote to a shell.
  let scalars = text.unicodeScalars.map { $0 == "'" ? "'\\''" : String($0) }
  return "'" + scalars.joined() + "'"
}
