#!/usr/bin/env bash
# Boots this machine's own system in a container, whose changes stay in memory, and goes through an
# installation's life in it: install, smoke, kill -9 with tasks going on, upgrade under load, a failed
# upgrade, split roles, backup, uninstall, restore, uninstall. Needs root and systemd-nspawn (Debian: systemd-container); not a part of `make test`.
#   boot-test.sh [BUILD]     a build as `make build` leaves it [target]
#   boot-test.sh ARCHIVE     a release archive: only a newcomer's way to a first green task, with its seconds
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/.." && pwd)
build=$(realpath -m "${1:-${CARGO_TARGET_DIR:-$repo/target}}")
tasks=60 crowd=20

since=0
# What is done, with the seconds since the step before.
say() {
  echo "boot-test: $* ($((SECONDS - since)) s)"
  since=$SECONDS
}
die() { echo "boot-test: error: $*" >&2; exit 1; }

if [ "${2:-}" != inside ]; then
  [ "$(id -u)" = 0 ] || die "run it as root: sudo $0 $build"
  nspawn=${NSPAWN:-$(command -v systemd-nspawn)} || die "no systemd-nspawn: apt-get install systemd-container"
  [ -f "$build" ] || [ -x "$build/release/aiagent-host" ] || die "$build holds no build: run make build"
  # Its mounts are its own, and end with it.
  if [ -z "${BOOT_TEST_UNSHARED:-}" ]; then BOOT_TEST_UNSHARED=1 exec unshare --mount "$0" "$build"; fi
  root=$(mktemp -d)
  mount --bind / "$root"
  # Not from the root's lower layer, where another may be writing, but from the paths themselves.
  "$nspawn" --quiet --register=no --keep-unit --volatile=overlay --boot --private-network \
    --machine="aiagent-boot-test-$$" --directory="$root" --bind-ro="$repo:/run/boot-test/repo" \
    --bind-ro="$build:/run/boot-test/build" systemd.unit=multi-user.target >"$root.log" 2>&1 </dev/null &
  container=$!
  trap 'kill -KILL "$leader" "$container" 2>/dev/null || true; wait; umount "$root"; rmdir "$root"' EXIT
  leader=''
  for _ in $(seq 300); do
    leader=$(pgrep -P "$container" -x systemd || true)
    state=$([ -z "$leader" ] || nsenter -t "$leader" -a systemctl is-system-running 2>/dev/null || true)
    case $state in running | degraded) break ;; esac
    kill -0 "$container" 2>/dev/null || { cat "$root.log" >&2; die "the container did not boot"; }
    read -rt 0.2 <> <(:) || true
  done
  case $state in running | degraded) say "booted" ;; *) die "not booted after a minute; see $root.log" ;; esac
  nsenter -t "$leader" -a /run/boot-test/repo/systemd/boot-test.sh /run/boot-test/build inside
  rm -f "$root.log"
  exit 0
fi

if [ -f "$build" ]; then
  SECONDS=0
  cd /root
  tar -xzf "$build"
  cd aiagent-host-*-linux
  ./install.sh local
  say "3 commands: unpacked, installed"
  # A newcomer names a model here; the recorded one keeps its speed out of the clock.
  cp host/samples/aiagent.toml /etc/ai-agent/aiagent.toml
  printf 'AIAGENT_REPLAY=%s\nAIAGENT_MODEL_NAME=qwen2.5-coder-1.5b-instruct\n' \
    /usr/share/ai-agent/smoke/recording.jsonl >>/etc/ai-agent/env
  systemctl restart aiagent
  aiagent-host submit "$(cat host/samples/fizz/goal.txt)" --dir host/samples/fizz/files --tests test_fizz.py --follow
  say "6 commands: the first task is green"
  exit 0
fi

smoke=/usr/share/ai-agent/smoke
moment() { read -rt 0.2 <> <(:) || true; }
until_served() { until aiagent-host tasks >/dev/null 2>&1; do moment; done; }
main_process() { systemctl show -P MainPID "$1"; }
submit() { # KEY [OPTION…]
  local key=$1
  shift
  aiagent-host submit "$(cat $smoke/goal.txt)" --dir $smoke/files --tests test_fizz.py --idempotency-key "$key" "$@"
}

ours() { find /etc /usr /var -iname '*ai-agent*' -o -iname '*aiagent*' | sort; }
# The log of an installation on the machine that this was booted from.
rm -f /var/log/aiagent_install.log
ours >/root/before
"$repo/install.sh" local --from "$build"
# Tasks are answered from the recording that the smoke test uses.
cp $smoke/aiagent.toml /etc/ai-agent/aiagent.toml
printf 'AIAGENT_REPLAY=%s\nAIAGENT_MODEL_NAME=qwen2.5-coder-1.5b-instruct\n' $smoke/recording.jsonl >>/etc/ai-agent/env
systemctl restart aiagent
until_served
systemctl --no-pager status aiagent | head -6
aiagent-host smoke --sample fizz 2>/dev/null || die "the smoke test is not green"
say "installed; the smoke test is green"
aiagent-host doctor || die "the doctor finds something wrong"
say "examined"

waiting() { aiagent-host tasks --state queued && aiagent-host tasks --state running; }
# Waits for the end of all tasks; says how many are green.
greens() {
  until [ -z "$(waiting 2>/dev/null)" ]; do moment; done
  aiagent-host tasks --limit 200 | awk '$2 == "green"' | wc -l
}

for n in $(seq $crowd); do submit "crowd-$n" >/dev/null; done
before=$(main_process aiagent)
kill -KILL "$before"
while [ "$(main_process aiagent)" = "$before" ]; do moment; done
until_served
say "killed -9 with $crowd tasks, and restarted by systemd"
green=$(greens)
[ "$green" = $((crowd + 1)) ] || die "$green of $((crowd + 1)) tasks are green after kill -9"
say "all $crowd tasks green after kill -9"

# Another build: the same program with bytes behind its end, which the loader does not look at.
other() { # NAME
  mkdir -p "/root/$1/release"
  cp -r "$build/plugins" "/root/$1/plugins"
  cp "$build/release/aiagent-host" "/root/$1/release/aiagent-host"
  echo "$1" >>"/root/$1/release/aiagent-host"
}
other newer
(for n in $(seq $tasks); do until submit "load-$n" >/dev/null 2>&1; do moment; done; done) &
load=$!
"$repo/install.sh" local --upgrade --from /root/newer | tail -3
wait $load
last=$(submit "load-$tasks" --follow 2>&1 || true)
case $last in *"■ green"*) ;; *) die "the last task of the load is not green: $last" ;; esac
green=$(greens)
all=$((crowd + tasks + 1))
[ "$green" = $all ] || die "$green of $all tasks are green"
say "upgraded under load: $green of $all tasks green, none lost"

mkdir -p /root/broken/release
cp -r "$build/plugins" /root/broken/plugins
# Passes the smoke test and does not serve.
cat >/root/broken/release/aiagent-host <<'SCRIPT'
#!/bin/sh
case "$*" in *run* | --version) exit 0 ;; esac
exit 1
SCRIPT
chmod 755 /root/broken/release/aiagent-host
if "$repo/install.sh" local --upgrade --from /root/broken; then die "a build that does not serve was installed"; fi
cmp -s /usr/bin/aiagent-host /root/newer/release/aiagent-host || die "the failed upgrade was not undone"
until_served
submit third --follow >/dev/null 2>&1 || die "no green task after a failed upgrade"
say "a failed upgrade was undone"

"$repo/install.sh" local --split --from /root/newer | tail -4
submit fourth --follow >/dev/null 2>&1 || die "no green task with split roles"
say "split into API and worker"

uninstalled() {
  "$repo/install.sh" local --uninstall --purge | tail -2
  left=$(comm -13 /root/before <(ours))
  [ "$left" = /var/log/aiagent_install.log ] || die "uninstalling left: $left"
  if getent passwd aiagent; then die "uninstalling left the user"; fi
  say "uninstalled; left: $left"
}

# What the API tells of every task, and what the store holds of them.
known() {
  aiagent-host tasks --limit 200 --json
  aiagent-host tasks --limit 200 | while read -r id _; do
    aiagent-host show "$id" --json
    aiagent-host events "$id" --json
  done
}
held() { # BACKUP
  aiagent-host restore --check --json "$1" | python3 -c '
import json, sys
store = json.load(sys.stdin)["store"]
for table in ("tasks", "specs", "progress", "events", "journal", "blobs"): print(table, *store[table].values())'
}
known >/root/known
aiagent-host backup /root/backup.tar.gz --with-keys
held /root/backup.tar.gz >/root/held
cat /etc/ai-agent/aiagent.toml /etc/ai-agent/env >/root/settings
say "backed up while it serves"
uninstalled

"$repo/install.sh" local --from "$build" | tail -1
systemctl stop aiagent
head -c 100000 /root/backup.tar.gz >/root/half.tar.gz
if aiagent-host restore /root/half.tar.gz --replace; then die "half a backup was restored"; fi
aiagent-host restore /root/backup.tar.gz --replace
systemctl start aiagent
until_served
known | cmp /root/known - || die "the API tells other things than before"
aiagent-host backup /root/again.tar.gz >/dev/null
held /root/again.tar.gz | cmp /root/held - || die "the store holds other things than before"
cat /etc/ai-agent/aiagent.toml /etc/ai-agent/env | cmp /root/settings - || die "the configuration is another"
say "installed anew and restored: $(sha256sum </root/known | head -c 12) as before, configuration alike"
aiagent-host smoke --sample fizz 2>/dev/null || die "the smoke test is not green after a restore"
say "the smoke test is green"
uninstalled
