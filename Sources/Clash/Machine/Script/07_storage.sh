# Directories of Cloud Storage: copied in before, copied up after.

# Lists the objects below a prefix, one name a line, for no object's name has a line break.
list_objects() { # BUCKET PREFIX FILE
  local page='' url="${setting[storage-url]}b/$1/o?fields=items(name),nextPageToken"
  encode "$2"
  url+="&prefix=$encoded"
  : >"$3"
  while :; do
    request_patiently 60 GET "$url$page" || return 1
    json_strings items.name <"$answer" >>"$3"
    page=$(json_strings nextPageToken <"$answer")
    [[ -n $page ]] || return 0
    encode "$page"
    page="&pageToken=$encoded"
  done
}

# One connection for many objects; after a fault the same again.
download() { # OPTION…
  local try
  for try in 1 2 3 4; do
    authorize && {
      curl -sS --fail --fail-early --globoff --create-dirs --connect-timeout 20 --speed-limit 1 --speed-time 60 \
        --retry 3 --retry-connrefused -H "@$fast/authorization" "$@" 2>"$work/download-error" &
      await $!
    } && return 0
    ((try < 4)) && nap $((retry_seconds * try))
  done
  return 1
}

copy_mount() { # DIRECTORY-HERE BUCKET PREFIX
  local here=$1 bucket=$2 prefix=$3 name relative
  local -a batch=()
  mkdir -p "$here"
  list_objects "$bucket" "$prefix" "$work/names" ||
    fail inputs "cannot list gs://$bucket/$prefix: $(request_fault). The VM's service account needs the role \
storage.objectViewer on the bucket."
  [[ -s $work/names ]] || fail inputs "there is nothing in gs://$bucket/$prefix"
  while IFS= read -r name; do
    relative=${name#"$prefix"}
    [[ -n $relative ]] || continue
    case /$relative/ in
      */../* | */./* | *//*[!/]*) fail inputs "the object gs://$bucket/$name has no place in a directory" ;;
    esac
    if [[ $relative == */ ]]; then
      mkdir -p -- "$here/$relative" || fail inputs "the object gs://$bucket/$name has no place in a directory"
      continue
    fi
    encode "$name"
    batch+=(-o "$here/$relative" "${setting[storage-url]}b/$bucket/o/$encoded?alt=media")
    if ((${#batch[@]} >= 192)); then
      download "${batch[@]}" || fail inputs "cannot copy from gs://$bucket/$prefix: $(head -c 500 "$work/download-error")"
      batch=()
    fi
  done <"$work/names"
  ((${#batch[@]} == 0)) || download "${batch[@]}" ||
    fail inputs "cannot copy from gs://$bucket/$prefix: $(head -c 500 "$work/download-error")"
  # For any user that the container may have.
  chmod -R a+rwX -- "$here"
}

copy_mounts() {
  local -a mounts=()
  local index
  [[ ${setting[mount-method]} == copy ]] || return 0
  mapfile -d '' -t mounts <"$folder/mounts"
  for ((index = 0; index + 2 < ${#mounts[@]}; index += 3)); do
    copy_mount "$work/mounts/$index" "${mounts[index + 1]}" "${mounts[index + 2]}"
  done
}

# A session of Cloud Storage takes a large file in pieces, and says after a fault how much it has.
upload_in_pieces() { # FILE SIZE URL
  local file=$1 size=$2 offset=0 tries=0 session length range
  request_patiently 60 POST "$3&uploadType=resumable" -H "X-Upload-Content-Length: $size" -H 'Content-Length: 0' \
    -D "$work/headers" || return 1
  session=$(sed -n 's/^[Ll]ocation: *\([^[:cntrl:]]*\).*/\1/p' "$work/headers" | tail -n 1)
  [[ -n $session ]] || return 1
  while ((offset < size)); do
    length=$((size - offset < piece_bytes ? size - offset : piece_bytes))
    tail -c "+$((offset + 1))" -- "$file" 2>/dev/null | head -c "$length" >"$work/piece"
    if request 900 PUT "$session" -H "Content-Range: bytes $offset-$((offset + length - 1))/$size" \
      -H 'Content-Type: application/octet-stream' --data-binary "@$work/piece" -D "$work/headers"; then
      return 0
    fi
    if [[ $http_status != 308 ]]; then
      ((tries += 1, tries <= 8)) || return 1
      nap $((retry_seconds * tries))
      request 60 PUT "$session" -H "Content-Range: bytes */$size" -H 'Content-Length: 0' -D "$work/headers" && return 0
      [[ $http_status == 308 ]] || continue
    fi
    range=$(sed -n 's/^[Rr]ange: *bytes=0-\([0-9][0-9]*\).*/\1/p' "$work/headers" | tail -n 1)
    offset=$((${range:--1} + 1))
  done
  return 0
}
piece_bytes=${DAGRUN_PIECE_BYTES:-33554432}

upload_file() { # FILE BUCKET OBJECT TYPE
  local size url
  encode "$3"
  url="${setting[upload-url]}b/$2/o?name=$encoded"
  size=$(wc -c <"$1") || return 1
  if ((size > piece_bytes)); then
    upload_in_pieces "$1" "$size" "$url"
  else
    request_patiently 900 POST "$url&uploadType=media" -H "Content-Type: $4" --data-binary "@$1"
  fi
  local status=$?
  rm -f "$work/piece"
  return "$status"
}

upload_output() { # DIRECTORY HERE BUCKET PREFIX
  local directory=$1 here=$2 bucket=$3 prefix=$4 file count=0
  shopt -s globstar dotglob nullglob
  for file in "$here"/**; do
    # A link's target may be any file of the VM, so links stay behind.
    [[ -f $file && ! -L $file ]] || continue
    upload_file "$file" "$bucket" "$prefix${file#"$here"/}" application/octet-stream ||
      fail outputs "cannot copy ${file#"$here"/} of $directory to gs://$bucket/$prefix: $(request_fault). The VM's \
service account needs the role storage.objectUser on the bucket."
    ((count += 1))
  done
  shopt -u globstar dotglob nullglob
  ((count > 0)) || fail outputs "the output directory $directory is missing or empty"
  say "copied $count files to gs://$bucket/$prefix"
}

upload_outputs() {
  local -a outputs=()
  local index
  mapfile -d '' -t outputs <"$folder/outputs"
  for ((index = 0; index + 2 < ${#outputs[@]}; index += 3)); do
    upload_output "${outputs[index]}" "$work/outputs/$index" "${outputs[index + 1]}" "${outputs[index + 2]}"
  done
}
