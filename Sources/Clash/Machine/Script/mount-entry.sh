#!/bin/sh
# The first program of a container whose buckets are mounted by gcsfuse: it mounts them, then becomes the job's command.
# dagrun adds a call of mount_bucket for each of the job's mounts, and the command's turn.
# shellcheck disable=SC2016 # A dollar in a name is meant as it is.

fail() { # MESSAGE
  printf '%s\n' "$1" >/dagrun/mount-failure
  exit 1
}

mount_bucket() { # DIRECTORY BUCKET PREFIX
  mkdir -p -- "$1" || fail "cannot make the directory $1"
  gcsfuse --implicit-dirs ${3:+"--only-dir=${3%/}"} "$2" "$1" || fail "gcsfuse could not mount gs://$2/$3 on $1"
}

command -v gcsfuse >/dev/null 2>&1 ||
  fail 'the image has no gcsfuse: install it there, or let the job copy its mounts'

