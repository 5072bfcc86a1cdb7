#!/usr/bin/env bash
# An installation's life: install, smoke, kill -9 with tasks going on, upgrade under load, a failed upgrade, native
# commands, split roles, backup, uninstall, restore, uninstall.
# shellcheck source=words.sh
. "$(dirname "$0")/words.sh"
tasks=60 crowd=20

ours >/root/before
if [ -x "$old/install.sh" ]; then "$old/install.sh" local; else "$repo/install.sh" local --from "$old"; fi
answer_from_the_recording
systemctl --no-pager status aiagent | head -6
journalctl --no-pager -u aiagent -n 50 | grep 'serving http' >/dev/null || die "the journal does not say that it serves"
submit first --follow >/dev/null 2>&1 || die "no green task"
say "installed $(aiagent-host --version); a task is green"

for n in $(seq $crowd); do submit "crowd-$n" >/dev/null; done
before=$(main_process aiagent)
kill -KILL "$before"
while [ "$(main_process aiagent)" = "$before" ]; do moment; done
until_served
say "killed -9 with $crowd tasks, and restarted by systemd"
green=$(greens)
[ "$green" = $((crowd + 1)) ] || die "$green of $((crowd + 1)) tasks are green after kill -9"
say "all $crowd tasks green after kill -9"

# Without an older build: the same program with bytes behind its end, which the loader does not look at.
mkdir -p /root/newer/release
cp -r "$build/plugins" /root/newer/plugins
cp "$build/release/aiagent-host" /root/newer/release/aiagent-host
if cmp -s "$build/release/aiagent-host" /usr/bin/aiagent-host; then echo newer >>/root/newer/release/aiagent-host; fi
(for n in $(seq $tasks); do until submit "load-$n" >/dev/null 2>&1; do moment; done; done) &
load=$!
"$repo/install.sh" local --upgrade --from /root/newer | tail -3
cmp -s /usr/bin/aiagent-host /root/newer/release/aiagent-host || die "the upgrade did not replace the program"
wait $load
last=$(submit "load-$tasks" --follow 2>&1 || true)
case $last in *"■ green"*) ;; *) die "the last task of the load is not green: $last" ;; esac
green=$(greens)
all=$((crowd + tasks + 1))
[ "$green" = $all ] || die "$green of $all tasks are green"
aiagent-host migrate --check
aiagent-host smoke --sample fizz 2>/dev/null || die "the smoke test is not green"
aiagent-host doctor || die "the doctor finds something wrong"
journalctl -u aiagent -o json --no-pager | grep AIAGENT_TASK >/dev/null || die "the journal has no fields of ours"
say "upgraded under load to $(aiagent-host --version): $green of $all tasks green, none lost"

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

mkdir -p /etc/systemd/system/aiagent.service.d
cp /usr/share/ai-agent/exec.conf /etc/systemd/system/aiagent.service.d/
cat >>/etc/ai-agent/aiagent.toml <<'TOML'
[plugins.check-command]
exec = true
[pipelines.command]
checker = "check-command"
candidates = 1
checker_settings = { command = '["python3", "-c", "import fizz; assert callable(fizz.fizz)"]' }
TOML
systemctl daemon-reload && systemctl restart aiagent
until_served
submit command --pipeline command --follow >/dev/null 2>&1 || die "a native command does not run in the service"
rm /etc/systemd/system/aiagent.service.d/exec.conf
say "a task was checked by a native command"

cp /usr/share/ai-agent/interpreter.conf /etc/systemd/system/aiagent.service.d/
systemctl daemon-reload && systemctl restart aiagent
until_served
systemctl show -P MemoryDenyWriteExecute aiagent | grep yes >/dev/null || die "memory may be written and run"
submit interpreted --follow >/dev/null 2>&1 || die "no green task in the interpreter"
rm -r /etc/systemd/system/aiagent.service.d
systemctl daemon-reload && systemctl restart aiagent
until_served
say "a task is green under MemoryDenyWriteExecute, in the interpreter"

"$repo/install.sh" local --split --from /root/newer | tail -4
submit fourth --follow >/dev/null 2>&1 || die "no green task with split roles"
systemctl enable --now aiagent-worker@8082
aiagent-host healthcheck --server http://127.0.0.1:8082 || die "a second worker does not answer"
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
