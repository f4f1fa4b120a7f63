# What must be there before the container can run.

# Files that were too large for the user-data are in metadata values of their own, in pieces of base64.
fetch_pieces() {
  local entry name count piece
  for entry in ${setting[pieces]-}; do
    name=${entry%%=*}
    count=${entry##*=}
    : >"$work/pieces"
    for ((piece = 0; piece < count; piece++)); do
      fetch_metadata "instance/attributes/dagrun-file-$name-$piece" "$work/piece" 2>"$work/error" ||
        fail machine "the VM cannot read its metadata dagrun-file-$name-$piece: $(<"$work/error")"
      cat "$work/piece" >>"$work/pieces"
    done
    base64 -d <"$work/pieces" >"$folder/$name" ||
      fail machine "the VM's metadata dagrun-file-$name is not base64"
    rm -f "$work/pieces" "$work/piece"
  done
}

# Secrets come from Secret Manager to this VM, and are never in its metadata. NAME and value, for the container.
fetch_secrets() {
  local -a secrets=()
  local index value
  : >"$work/secrets"
  mapfile -d '' -t secrets <"$folder/secrets"
  for ((index = 0; index + 1 < ${#secrets[@]}; index += 2)); do
    request_patiently 30 GET "${setting[secrets-url]}${secrets[index + 1]}:access" ||
      fail inputs "cannot read the secret ${secrets[index + 1]}: $(request_fault). The VM's service account needs the \
role secretmanager.secretAccessor on it."
    json_strings payload.data <"$answer" | base64 -d >"$work/secret" ||
      fail inputs "the secret ${secrets[index + 1]} came in a form that is not known"
    rm -f "$answer"
    value=
    IFS= read -r -d '' value <"$work/secret"
    [[ $(wc -c <"$work/secret") -eq ${#value} ]] ||
      fail inputs "the secret ${secrets[index + 1]} has a zero byte, which no environment variable can hold"
    rm -f "$work/secret"
    printf '%s\0%s\0' "${secrets[index]}" "$value" >>"$work/secrets"
  done
}

# Google's own registries want the service account's token.
log_in_to_registry() {
  local registry=${setting[image]%%/*}
  mkdir -p "$docker_home"
  case $registry in
    *-docker.pkg.dev | gcr.io | *.gcr.io) ;;
    *) return 0 ;;
  esac
  if type -P docker-credential-gcr >/dev/null; then
    HOME=$docker_home docker-credential-gcr configure-docker "--registries=$registry" </dev/null && return 0
  fi
  authorize || return 0
  sed 's/^Authorization: Bearer //' "$fast/authorization" |
    docker login --username oauth2accesstoken --password-stdin "https://$registry" >/dev/null 2>&1 ||
    say "could not log in to $registry"
}

pull_image() {
  local try text
  for try in 1 2 3 4 5; do
    timeout 3600 env "HOME=$docker_home" "$docker_program" pull "${setting[image]}" >"$work/pull" 2>&1 </dev/null &&
      return 0
    text=$(tail -c 2000 "$work/pull")
    say "docker pull: $text"
    case $text in
      *'no such host'* | *'i/o timeout'* | *'connection refused'*) ;;
      *denied* | *unauthorized* | *Unauthorized* | *forbidden* | *Forbidden* | *'manifest unknown'* | *'not found'* | \
        *'does not exist'* | *'invalid reference'* | *'no matching manifest'* | *'no space left'*) break ;;
    esac
    ((try < 5)) && nap $((retry_seconds * try))
  done
  fail image_pull "docker could not pull ${setting[image]}: $text"
}

# Container-Optimized OS has the drivers as an extension, to be installed at every boot, on a file system that forbids
# to execute; elsewhere docker's own runtime for GPUs brings them. Leaves docker's options in a file.
install_accelerators() {
  local try device
  : >"$work/accelerator-options"
  [[ -n ${setting[accelerators]-} ]] || return 0
  if ! type -P cos-extensions >/dev/null; then
    printf '%s\0' --gpus all >"$work/accelerator-options"
    return 0
  fi
  for try in 1 2 3; do
    timeout 1800 cos-extensions install gpu </dev/null && break
    ((try < 3)) || fail machine 'the drivers of the accelerators could not be installed (cos-extensions install gpu)'
    nap $((retry_seconds * try))
  done
  { mount --bind /var/lib/nvidia /var/lib/nvidia && mount -o remount,exec /var/lib/nvidia; } ||
    fail machine 'the drivers of the accelerators cannot be made executable (mount /var/lib/nvidia)'
  printf '%s\0' --volume /var/lib/nvidia/lib64:/usr/local/nvidia/lib64 \
    --volume /var/lib/nvidia/bin:/usr/local/nvidia/bin --device /dev/nvidia-uvm --device /dev/nvidiactl \
    >"$work/accelerator-options"
  for device in /dev/nvidia[0-9]*; do printf '%s\0' --device "$device" >>"$work/accelerator-options"; done
  add_driver_paths >>"$work/accelerator-options"
}

# What the image's environment has; nothing where it does not name it.
image_variable() { # NAME
  local entry
  while IFS= read -r -d '' entry; do
    [[ $entry != "$1="* ]] || printf '%s' "${entry#*=}"
  done < <(docker image inspect --format '{{range .Config.Env}}{{printf "%s\x00" .}}{{end}}' "${setting[image]}")
}

# Only images that are made for GPUs look where the drivers are. What the job itself sets comes later, and counts.
add_driver_paths() {
  local libraries programs
  libraries=$(image_variable LD_LIBRARY_PATH)
  programs=$(image_variable PATH)
  case :$libraries: in
    *:/usr/local/nvidia/lib64:*) ;;
    *) printf '%s\0' --env "LD_LIBRARY_PATH=/usr/local/nvidia/lib64${libraries:+:$libraries}" ;;
  esac
  case :$programs: in
    *:/usr/local/nvidia/bin:*) ;;
    *)
      # docker's own, for an image without one.
      printf '%s\0' --env \
        "PATH=${programs:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}:/usr/local/nvidia/bin"
      ;;
  esac
}

# The job's script and its mounts' first program, where any user that the container may have can read them.
lay_out_inside() {
  mkdir -p "$inside" && chmod 0777 "$inside" || return 1
  : >"$inside/output" && chmod 0666 "$inside/output" || return 1
  if [[ -n ${setting[script-name]-} ]]; then
    cp -- "$folder/script" "$inside/${setting[script-name]}" && chmod 0755 "$inside/${setting[script-name]}"
  fi || return 1
  if [[ -e $folder/mount-entry ]]; then
    cp "$folder/mount-entry" "$inside/mount-entry" && chmod 0755 "$inside/mount-entry"
  fi
}

prepare() {
  fetch_pieces
  lay_out_inside 2>"$work/error" || fail machine "the VM's disk does not take the job's files: $(<"$work/error")"
  fetch_secrets
  log_in_to_registry
  pull_image
  install_accelerators
  copy_mounts
}
