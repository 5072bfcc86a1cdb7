#!/usr/bin/env bash
# Installs aiagent-host under systemd, on Debian and Ubuntu. Run twice, it changes nothing; what it did
# is undone when it fails.
#   install.sh local [OPTION…]
#     --dry-run     say what would be done, and do nothing
#     --split       API and worker as services of their own, instead of one
#     --upgrade     replace another build that is installed; running steps are drained
#     --uninstall   remove all but configuration, tasks, own plugins and the user
#     --purge       with --uninstall: remove these too
#     --root DIR    install into a folder (an image, a test): no service is started
#     --from DIR    the build to install, as `make build` leaves it [target]
#     --archive F   the release archive to install, as `make dist` leaves it; its checksums are verified
# AIAGENT_MODEL_URL, AIAGENT_MODEL_NAME, AIAGENT_MODEL_KEY and AIAGENT_TOKEN go into a new /etc/ai-agent/env.
set -euo pipefail
umask 022
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/.." && pwd)
given=("$@")
action=install dry='' split='' purge='' root='' from=${CARGO_TARGET_DIR:-$source/target} archive=''
# In an unpacked release the build is its own.
if [ -f "$source/SHA256SUMS" ]; then from=$source/target; fi
log='' work='' changes=0

say() {
  echo "install: $*"
  if [ -n "$log" ]; then echo "$(date -u +%FT%TZ) $*" >>"$log"; fi
}

die() { # WHAT HOW-TO-GO-ON
  say "error: $1" >&2
  say "  $2" >&2
  exit 1
}

value() { # OPTION VALUE
  [ -n "${2:-}" ] || { echo "install: $1 needs a value" >&2; exit 2; }
}

while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) dry=1 ;;
    --split) split=1 ;;
    --upgrade) action=upgrade ;;
    --uninstall) action=uninstall ;;
    --purge) purge=1 ;;
    --root) value "$1" "${2:-}"; root=$(realpath -m "$2"); shift ;;
    --from) value "$1" "${2:-}"; from=$(realpath -m "$2"); shift ;;
    --archive) value "$1" "${2:-}"; archive=$(realpath -m "$2"); shift ;;
    --help) sed -n '2,14s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *)
      echo "install: unknown option $1; install.sh local --help lists them" >&2
      exit 2
      ;;
  esac
  shift
done
if [ -n "$purge" ] && [ "$action" != uninstall ]; then
  echo "install: --purge goes with --uninstall" >&2
  exit 2
fi

lib=$root/usr/lib/ai-agent
manifest=$lib/manifest
etc=$root/etc/ai-agent
state=$root/var/lib/ai-agent
units=$root/usr/lib/systemd/system
share=$root/usr/share/ai-agent
doc=$root/usr/share/doc/ai-agent
worker=aiagent-worker@8081.service
if [ -n "$split" ]; then wanted=(aiagent-dashboard.service "$worker"); else wanted=(aiagent.service); fi

as_root() { [ "$(id -u)" = 0 ]; }
live() { [ -z "$root" ]; }

# Runs a command with its output in the log only; a dry run does nothing.
quietly() {
  if [ -n "$dry" ]; then return 0; fi
  "$@" >>"$log" 2>&1
}

undo_with() { printf '%q ' "$@" >>"$work/undo"; echo >>"$work/undo"; }

finish() {
  local code=$?
  trap - EXIT
  if [ $code -ne 0 ] && [ -s "$work/undo" ]; then
    say "undoing what was done"
    tac "$work/undo" | while IFS= read -r step; do
      eval "$step" >>"$log" 2>&1 || say "  could not: $step"
    done
  fi
  if [ $code -ne 0 ] && [ -n "$log" ]; then say "failed; the details are in $log" >&2; fi
  if [ -n "$work" ]; then rm -rf "$work"; fi
  exit $code
}

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
  echo "644 $source/host/samples/recordings/fizz.jsonl $share/smoke/recording.jsonl"
  echo "644 $source/host/samples/aiagent.toml $share/smoke/aiagent.toml"
}

# Unpacks the archive beside everything else, and installs from there.
unpack() {
  local again="get it again with its .sha256, and run this again"
  [ -f "$archive" ] || die "there is no $archive" "name the aiagent-host-….tar.gz that \`make dist\` left or a release has"
  if [ -f "$archive.sha256" ]; then
    (cd "$(dirname "$archive")" && sha256sum --status --check "$archive.sha256") 2>/dev/null ||
      die "$archive is not what $archive.sha256 says: damaged, or another's" "$again"
  fi
  mkdir "$work/release"
  tar --extract --gzip --no-same-owner --strip-components=1 --file="$archive" --directory="$work/release" 2>>"${log:-/dev/null}" ||
    die "$archive can't be unpacked: damaged, or no release archive" "$again"
  source=$work/release here=$source/systemd from=$source/target
  [ -f "$source/SHA256SUMS" ] || die "$archive holds no SHA256SUMS: it is no release archive" "$again"
}

# Of a release each file is what its SHA256SUMS says, and there are no others that would be installed.
verify() {
  local wrong
  if [ ! -f "$source/SHA256SUMS" ] || [ "$from" != "$source/target" ]; then return 0; fi
  wrong=$(cd "$source" && LC_ALL=C sha256sum --quiet --check SHA256SUMS 2>&1 | head -3) || true
  if [ -z "$wrong" ]; then
    wrong=$(cd "$source" && comm -13 <(sed 's/^[0-9a-f]*  //' SHA256SUMS | sort) \
      <(find ./target ./docs ./systemd -type f | sort) | sed 's/$/: not in SHA256SUMS/' | head -3)
  fi
  [ -z "$wrong" ] || die "the release is damaged: $wrong" "get the archive again, and run this again"
  say "checksums of the release: right"
}

check_source() {
  case "$root$from$source" in
    *[[:space:]]*) die "a path with blanks can't be installed from or to" "use a folder whose path has none" ;;
  esac
  if [ ! -x "$from/release/aiagent-host" ] || ! compgen -G "$from/plugins/*.wasm" >/dev/null; then
    die "$from holds no build" "run \`make build\` in $source as yourself, or name a build with --from DIR"
  fi
  "$from/release/aiagent-host" --version >/dev/null 2>&1 ||
    die "$from/release/aiagent-host does not run on this machine" "run \`make build\` in $source on this machine"
}

check_installed() {
  if [ "$action" = upgrade ]; then
    [ -f "$manifest" ] || die "nothing is installed that could be upgraded" "run again without --upgrade"
  elif [ -f "$manifest" ] && ! cmp -s "$from/release/aiagent-host" "$root/usr/bin/aiagent-host"; then
    die "another build is installed ($("$root/usr/bin/aiagent-host" --version 2>/dev/null || echo broken))" \
      "run again with --upgrade"
  elif [ ! -f "$manifest" ] && [ -e "$root/usr/bin/aiagent-host" ]; then
    die "$root/usr/bin/aiagent-host is there, and not from this installer" "remove it the way it came, then run again"
  fi
}

make_user() {
  if [ -n "$(entry aiagent)" ]; then return 0; fi
  if ! live && { ! as_root || [ ! -f "$root/etc/passwd" ]; }; then return 0; fi
  changes=$((changes + 1))
  say "user aiagent"
  if [ -n "$dry" ]; then return 0; fi
  undo_with userdel ${root:+--prefix "$root"} aiagent
  quietly useradd ${root:+--prefix "$root"} --system --user-group --home-dir /var/lib/ai-agent --no-create-home \
    --shell /usr/sbin/nologin aiagent
}

install_files() {
  local mode file target name
  while read -r mode file target; do put "$mode" "$file" "$target"; done < <(contents)
  # What an older build brought and this one does not.
  contents | awk '{ print $3 }' | sort >"$work/now"
  if [ -f "$manifest" ]; then
    while read -r file; do drop "$root$file"; done < <(sed "s|^|$root|" "$manifest" | sort |
      comm -23 - "$work/now" | sed "s|^$root||")
  fi
  sed "s|^$root||" "$work/now" >"$work/manifest"
  put 644 "$work/manifest" "$manifest"

  folder 755 root "$etc"
  [ -e "$etc/aiagent.toml" ] || put 644 "$here/aiagent.toml" "$etc/aiagent.toml"
  if [ ! -e "$etc/env" ]; then
    cp "$here/env" "$work/env"
    for name in AIAGENT_MODEL_URL AIAGENT_MODEL_NAME AIAGENT_MODEL_KEY AIAGENT_TOKEN; do
      if [ -n "${!name:-}" ]; then printf '%s="%s"\n' "$name" "${!name//\"/\\\"}" >>"$work/env"; fi
    done
    put 600 "$work/env" "$etc/env"
  fi
  folder 700 aiagent "$state"
  folder 700 aiagent "$state/state"
  folder 755 root "$state/plugins"
}

# A real task through the installed program and plugins to green, answered from a recording.
smoke() {
  local begin=$SECONDS cache=$state/state/compiled command
  if [ -n "$dry" ]; then say "smoke test: a recorded task to green"; return 0; fi
  if [ ! -d "$cache" ]; then undo_with rm -rf "$cache"; fi
  mkdir -m 711 "$work/smoke"
  cp -r "$share/smoke/." "$work/smoke"
  mkdir "$work/smoke/state"
  command=(env -i PATH=/usr/bin:/bin "HOME=$work/smoke" "AIAGENT_CONFIG=$work/smoke/aiagent.toml"
    AIAGENT_MODEL_NAME=qwen2.5-coder-1.5b-instruct "AIAGENT_CACHE_DIR=$cache"
    "$root/usr/bin/aiagent-host" --plugins "$lib/plugins" --state-dir "$work/smoke/state"
    --replay "$work/smoke/recording.jsonl" run "$(cat "$share/smoke/goal.txt")" --dir "$work/smoke/files"
    --tests test_fizz.py)
  if as_root && [ -n "$(entry aiagent)" ]; then
    local id
    id=$(entry aiagent)
    chown -R "$id" "$work/smoke"
    chmod 711 "$work"
    command=(setpriv --reuid "${id%:*}" --regid "${id#*:}" --clear-groups "${command[@]}")
  fi
  if ! (cd "$work/smoke" && "${command[@]}") >>"$log" 2>&1; then
    die "the smoke test did not end green" "its output is at the end of $log"
  fi
  say "smoke test: green in $((SECONDS - begin)) s"
}

# First of all, so that it is undone last: what runs now runs again, on the files that are then back.
remember_services() {
  local unit
  if ! live || [ -n "$dry" ]; then return 0; fi
  for unit in aiagent.service aiagent-dashboard.service "$worker"; do
    if systemctl -q is-active "$unit"; then undo_with systemctl restart "$unit"; fi
  done
  undo_with systemctl daemon-reload
}

start_services() {
  local unit verb=start
  if ! live; then
    say "not started: this is not the running system; systemctl enable --root=$root ${wanted[*]}"
    return 0
  fi
  for unit in aiagent.service aiagent-dashboard.service "$worker"; do
    case " ${wanted[*]} " in
      *" $unit "*) continue ;;
    esac
    if systemctl -q is-active "$unit" || systemctl -q is-enabled "$unit" 2>/dev/null; then
      changes=$((changes + 1))
      say "stop $unit, which the others replace"
      undo_with systemctl enable --now "$unit"
      quietly systemctl disable --now "$unit"
    fi
  done
  if [ $changes -gt 0 ]; then verb=restart; fi
  quietly systemctl daemon-reload
  for unit in "${wanted[@]}"; do
    if ! systemctl -q is-enabled "$unit" 2>/dev/null; then
      undo_with systemctl disable --now "$unit"
      quietly systemctl enable "$unit"
    fi
    if [ $verb = start ] && systemctl -q is-active "$unit"; then continue; fi
    changes=$((changes + 1))
    say "$verb $unit"
    if ! quietly systemctl $verb "$unit" || ! becomes_ready "$unit"; then
      quietly journalctl -u "$unit" -n 50 --no-pager -o cat || true
      die "$unit does not start" "journalctl -u $unit -n 50 says why; then run this again"
    fi
  done
}

# Waits until the service can take and work on tasks; not for one that has ended and is tried again.
becomes_ready() { # UNIT
  local address host
  if [ -n "$dry" ]; then return 0; fi
  if [ "$1" = "$worker" ]; then
    address=127.0.0.1:8081
  else
    address=$(sed -n 's/^AIAGENT_LISTEN="\{0,1\}\([^"]*\).*/\1/p' "$etc/env")
    if [ -z "$address" ]; then
      address=$(AIAGENT_CONFIG=$etc/aiagent.toml /usr/bin/aiagent-host --print-config |
        sed -n 's/^listen = "\([^"]*\).*/\1/p')
    fi
  fi
  host=${address%:*}
  case $host in 0.0.0.0 | '[::]') host=127.0.0.1 ;; esac
  for _ in $(seq 600); do
    if ready "${host//[][]/}" "${address##*:}" 2>/dev/null; then return 0; fi
    if [ "$(systemctl show -P NRestarts "$1")" != 0 ] || systemctl -q is-failed "$1"; then return 1; fi
    read -rt 0.2 <> <(:) || true
  done
  return 1
}

ready() { # HOST PORT
  local line
  exec 3<>"/dev/tcp/$1/$2" || return 1
  printf 'GET /readyz HTTP/1.0\r\n\r\n' >&3
  read -r line <&3 || true
  exec 3>&-
  case $line in *' 200 '*) return 0 ;; esac
  return 1
}

uninstall() {
  local unit file folder
  if [ ! -f "$manifest" ] && [ -z "$purge" ]; then
    say "nothing is installed"
    return 0
  fi
  if live; then
    for unit in aiagent.service aiagent-dashboard.service 'aiagent-worker@*.service'; do
      quietly systemctl stop "$unit" || true
    done
    quietly systemctl disable aiagent.service aiagent-dashboard.service "$worker" || true
  fi
  if [ -f "$manifest" ]; then
    while read -r file; do drop "$root$file"; done <"$manifest"
    drop "$manifest"
  fi
  if [ -n "$purge" ]; then
    say "remove $etc $state and the user aiagent"
    quietly rm -rf "$etc" "$state"
    if [ -n "$(entry aiagent)" ] && as_root; then quietly userdel ${root:+--prefix "$root"} aiagent; fi
  else
    say "kept: $etc, $state, the user aiagent; --uninstall --purge removes them too"
  fi
  if [ -z "$dry" ]; then
    for folder in "$lib" "$share" "$doc"; do
      if [ -d "$folder" ]; then find "$folder" -depth -type d -empty -delete; fi
    done
    if live; then quietly systemctl daemon-reload || true; fi
  fi
}

if ! as_root && live && [ -z "$dry" ]; then
  echo "install: this needs an administrator; run:" >&2
  echo "  sudo $(printf '%q ' "$source/install.sh" local ${given[@]+"${given[@]}"})" >&2
  exit 1
fi
if live && [ -z "$dry" ] && [ ! -d /run/systemd/system ]; then
  echo "install: systemd does not run here; --root DIR installs without starting anything, and" >&2
  echo "  \`aiagent-host serve\` runs in the foreground" >&2
  exit 1
fi
if [ -z "$dry" ]; then
  mkdir -p "$root/var/log"
  log=$root/var/log/aiagent_install.log
fi
work=$(mktemp -d)
trap finish EXIT
trap 'exit 130' INT TERM
say "$action${split:+ --split}${root:+ into $root}${dry:+ (dry run: nothing is done)}"

if [ "$action" = uninstall ]; then
  uninstall
  say "uninstalled"
  exit 0
fi
if [ -n "$archive" ]; then unpack; fi
verify
check_source
check_installed
remember_services
make_user
install_files
if [ $changes -gt 0 ]; then smoke; fi
start_services
if [ $changes -eq 0 ]; then say "nothing to change"; else say "done"; fi
if live && [ -z "$dry" ]; then
  say "next: aiagent-host tasks   (the model is named in /etc/ai-agent/env or aiagent.toml: docs/INSTALLATION.md)"
fi
