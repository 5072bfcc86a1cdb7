#!/usr/bin/env bash
# Installs aiagent-host under systemd, on Debian and Ubuntu. Run twice, it changes nothing; what it did
# is undone when it fails.
#   install.sh local [OPTION…]
#     --dry-run     say what would be done, and do nothing
#     --split       API and worker as services of their own, instead of one
#     --upgrade     replace another build that is installed; running steps are drained
#     --uninstall   remove all but configuration, tasks, own plugins and the user
#     --purge       with --uninstall: remove these too
#     --store S     where tasks are kept, in a new configuration: sqlite, redis (this machine's), redis://HOST:PORT [sqlite]
#     --root DIR    install into a folder (an image, a test): no service is started
#     --from DIR    the build to install, as `make build` leaves it [target]
#     --archive F   the release archive to install, as `make dist` leaves it; its checksums are verified
# AIAGENT_MODEL_URL, AIAGENT_MODEL_NAME, AIAGENT_MODEL_KEY and AIAGENT_TOKEN go into a new /etc/ai-agent/env.
set -euo pipefail
umask 022
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/.." && pwd)
given=("$@")
action=install dry='' split='' purge='' store='' root='' from=${CARGO_TARGET_DIR:-$source/target} archive=''
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
    --store) value "$1" "${2:-}"; store=$2; shift ;;
    --root) value "$1" "${2:-}"; root=$(realpath -m "$2"); shift ;;
    --from) value "$1" "${2:-}"; from=$(realpath -m "$2"); shift ;;
    --archive) value "$1" "${2:-}"; archive=$(realpath -m "$2"); shift ;;
    --help) sed -n '2,15s/^# \{0,1\}//p' "$0"; exit 0 ;;
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

# shellcheck source=install/files.sh
. "$here/install/files.sh"
# shellcheck source=install/release.sh
. "$here/install/release.sh"
# shellcheck source=install/services.sh
. "$here/install/services.sh"

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

# What the configuration says where there is one already is the operator's.
check_store() {
  case $store in
    '' | sqlite) store='' ;;
    redis) store=redis://127.0.0.1:6379 ;;
    *@*) die "a password in --store would stand in a file that all can read" \
      "name the server without it, and put AIAGENT_REDIS_PASSWORD into /etc/ai-agent/env" ;;
    redis://* | rediss://* | redis+*://* | rediss+*://*) ;;
    *) die "--store $store is no store" "say sqlite, redis (the one on this machine), or redis://HOST:PORT" ;;
  esac
  if [ -z "$store" ]; then return 0; fi
  if [ -e "$etc/aiagent.toml" ] && ! grep -qxF "store = \"$store\"" "$etc/aiagent.toml"; then
    die "$etc/aiagent.toml is there, and says another store" "set store = \"$store\" in it, then run this without --store"
  fi
  if live && [ "$store" = redis://127.0.0.1:6379 ] && ! redis_answers 2>/dev/null; then
    die "no Redis answers at 127.0.0.1:6379" "apt-get install redis-server, or name another with --store redis://HOST:PORT"
  fi
}

redis_answers() {
  local line
  exec 3<>/dev/tcp/127.0.0.1/6379 || return 1
  printf 'PING\r\n' >&3
  read -rt 10 line <&3 || true
  exec 3>&-
  case $line in +PONG* | -NOAUTH*) return 0 ;; esac
  return 1
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
  if [ ! -e "$etc/aiagent.toml" ]; then
    cp "$here/aiagent.toml" "$work/aiagent.toml"
    if [ -n "$store" ]; then printf '\nstore = "%s"\n' "$store" >>"$work/aiagent.toml"; fi
    put 644 "$work/aiagent.toml" "$etc/aiagent.toml"
  fi
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
    # Further workers were enabled by hand.
    for unit in /etc/systemd/system/*.wants/aiagent-worker@*.service; do
      if [ -L "$unit" ]; then quietly systemctl disable "$(basename "$unit")" || true; fi
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
check_store
remember_services
make_user
install_files
if [ $changes -gt 0 ]; then smoke; fi
start_services
if [ $changes -eq 0 ]; then say "nothing to change"; else say "done"; fi
if live && [ -z "$dry" ]; then
  say "next: aiagent-host tasks   (the model is named in /etc/ai-agent/env or aiagent.toml: docs/INSTALLATION.md)"
fi
