#!/usr/bin/env bash
# A Debian package's life: install, work, upgrade, remove, install again, purge.
# shellcheck source=words.sh
. "$(dirname "$0")/words.sh"
cp $dist/*.deb /root/
cd /root

# Images of containers forbid what packages do at their installation.
rm -f /usr/sbin/policy-rc.d
ours >/root/before
dpkg --install aiagent-host_*.deb
until_served
say "installed, started by the package, and served"
[ "$(stat -c '%a %U' /etc/ai-agent/env /var/lib/ai-agent | tr '\n' ' ')" = "600 root 700 aiagent " ] ||
  die "modes: $(stat -c '%a %U %n' /etc/ai-agent/env /var/lib/ai-agent)"
answer_from_the_recording
aiagent-host smoke --sample fizz 2>/dev/null || die "the smoke test is not green"
aiagent-host doctor || die "the doctor finds something wrong"
say "the smoke test is green"
if "$repo/install.sh" local --from /nowhere 2>&1; then die "install.sh went over a package"; fi
rm /var/log/aiagent_install.log

for n in $(seq 10); do submit "task-$n" >/dev/null; done
before=$(main_process aiagent)
dpkg --install aiagent-host_*.deb
until_served
[ "$(main_process aiagent)" != "$before" ] || die "the upgrade did not restart the service"
green=$(greens)
[ "$green" = 11 ] || die "$green of 11 tasks are green after the upgrade"
say "upgraded with 10 tasks under way: all green"

dpkg --remove aiagent-host
test -s /var/lib/ai-agent/state/tasks.db -a -e /etc/ai-agent/env || die "removing it took tasks or keys along"
if systemctl -q is-active aiagent; then die "removed, and the service runs on"; fi
dpkg --install aiagent-host_*.deb
until_served
[ "$(greens)" = 11 ] || die "tasks are lost after removing and installing again"
say "removed, and installed again: the tasks are still there"

dpkg --purge aiagent-host
left=$(comm -13 /root/before <(ours))
[ -z "$left" ] || die "purging left: $left"
if getent passwd aiagent; then die "purging left the user"; fi
say "purged; nothing is left"
