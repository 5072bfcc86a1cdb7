# shellcheck shell=bash disable=SC2154
# Files and folders of the installer: what belongs to the program, and how each is put there and undone.

folder() { # MODE OWNER PATH
  local made
  if [ -d "$3" ]; then return 0; fi
  changes=$((changes + 1))
  say "folder $3"
  if [ -n "$dry" ]; then return 0; fi
  # Of the folders above, those that are not there are made and undone too.
  made=$3
  while [ ! -d "$(dirname "$made")" ]; do made=$(dirname "$made"); done
  undo_with find "$made" -depth -type d -empty -delete
  mkdir -p "$3"
  chmod "$1" "$3"
  own "$2" "$3"
}

own() { # OWNER PATH
  local id
  as_root || return 0
  id=$(entry "$1")
  # A folder without /etc/passwd has no users; whoever boots it makes them.
  if [ -n "$id" ]; then chown "$id" "$2"; fi
}

entry() { # USER: its uid:gid in the target
  if [ "$1" = root ]; then echo 0:0; return; fi
  if [ ! -f "$root/etc/passwd" ]; then return 0; fi
  awk -F: -v name="$1" '$1 == name { print $3 ":" $4 }' "$root/etc/passwd"
}

put() { # MODE SOURCE TARGET
  if [ -f "$3" ] && cmp -s "$2" "$3" && [ "$(stat -c %a "$3")" = "$1" ]; then return 0; fi
  changes=$((changes + 1))
  say "file $3"
  if [ -n "$dry" ]; then return 0; fi
  folder 755 root "$(dirname "$3")"
  if [ -e "$3" ]; then
    cp -p "$3" "$work/$changes"
    undo_with mv -f "$work/$changes" "$3"
  else
    undo_with rm -f "$3"
  fi
  # Under a new name first: a running program's file can't be written to, and no reader sees half of it.
  install -m "$1" "$2" "$3.new"
  mv -f "$3.new" "$3"
}

drop() { # FILE
  if [ ! -e "$1" ]; then return 0; fi
  changes=$((changes + 1))
  say "remove $1"
  if [ -n "$dry" ]; then return 0; fi
  cp -p "$1" "$work/$changes"
  undo_with mv -f "$work/$changes" "$1"
  rm -f "$1"
}

# MODE SOURCE TARGET of all that belongs to the program.
contents() {
  local file
  echo "755 $from/release/aiagent-host $root/usr/bin/aiagent-host"
  for file in "$from"/plugins/*.wasm; do echo "644 $file $lib/plugins/$(basename "$file")"; done
  for file in "$here"/*.service; do echo "644 $file $units/$(basename "$file")"; done
  for file in "$source"/docs/*.md; do echo "644 $file $doc/$(basename "$file")"; done
  for file in goal.txt files/test_fizz.py; do echo "644 $source/host/samples/fizz/$file $share/smoke/$file"; done
  echo "644 $here/exec.conf $share/exec.conf"
  echo "644 $here/interpreter.conf $share/interpreter.conf"
  echo "644 $source/host/samples/recordings/fizz.jsonl $share/smoke/recording.jsonl"
  echo "644 $source/host/samples/aiagent.toml $share/smoke/aiagent.toml"
}
