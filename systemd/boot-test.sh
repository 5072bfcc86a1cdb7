#!/usr/bin/env bash
# Boots this machine's own system in a container, whose changes stay in memory, and installs into it. Needs root and
# systemd-nspawn (Debian: systemd-container); not a part of `make test`.
#   boot-test.sh [BUILD [OLD]]    an installation's life (boot-test/life.sh), of a build as `make build` leaves it
#                                 [target]; upgraded under load from OLD, another build or an unpacked older release,
#                                 else from BUILD under another name
#   boot-test.sh ARCHIVE          a newcomer's way from a release archive to a first green task, with its seconds
#   boot-test.sh PACKAGE          a Debian package: install, work, upgrade, remove, purge
set -euo pipefail
repo=$(cd "$(dirname "$0")/.." && pwd)
given=$(realpath -m "${1:-${CARGO_TARGET_DIR:-$repo/target}}")
old=$(realpath -m "${2:-$given}")

die() { echo "boot-test: error: $*" >&2; exit 1; }

case $given in
  *.deb) part=package ;;
  *.tar.gz) part=newcomer ;;
  *) part=life ;;
esac
[ "$(id -u)" = 0 ] || die "run it as root: sudo $0 $given"
nspawn=${NSPAWN:-$(command -v systemd-nspawn)} || die "no systemd-nspawn: apt-get install systemd-container"
if [ $part = life ]; then
  [ -x "$given/release/aiagent-host" ] || die "$given holds no build: run make build"
  [ -x "$old/release/aiagent-host" ] || [ -x "$old/install.sh" ] || die "$old is neither a build nor a release"
else
  [ -f "$given" ] || die "there is no $given"
fi
# Its mounts are its own, and end with it.
if [ -z "${BOOT_TEST_UNSHARED:-}" ]; then BOOT_TEST_UNSHARED=1 exec unshare --mount "$0" "$@"; fi

root=$(mktemp -d)
mount --bind / "$root"
# Not from the root's lower layer, where another may be writing, but from the paths themselves.
binds=("--bind-ro=$repo:/run/boot-test/repo")
if [ $part = life ]; then
  binds+=("--bind-ro=$given:/run/boot-test/build" "--bind-ro=$old:/run/boot-test/old")
else
  binds+=("--bind-ro=$(dirname "$given"):/run/boot-test/dist")
fi
"$nspawn" --quiet --register=no --keep-unit --volatile=overlay --boot --private-network \
  --machine="aiagent-boot-test-$$" --directory="$root" "${binds[@]}" \
  systemd.unit=multi-user.target >"$root.log" 2>&1 </dev/null &
container=$!
leader=''
trap 'kill -KILL "$leader" "$container" 2>/dev/null || true; wait; umount "$root"; rmdir "$root"' EXIT
for _ in $(seq 300); do
  leader=$(pgrep -P "$container" -x systemd || true)
  state=$([ -z "$leader" ] || nsenter -t "$leader" -a systemctl is-system-running 2>/dev/null || true)
  case $state in running | degraded) break ;; esac
  kill -0 "$container" 2>/dev/null || { cat "$root.log" >&2; die "the container did not boot"; }
  read -rt 0.2 <> <(:) || true
done
case $state in running | degraded) ;; *) die "not booted after a minute; see $root.log" ;; esac
echo "boot-test: booted ($SECONDS s)"
# Nothing of an installation on the machine that this was booted from.
nsenter -t "$leader" -a rm -f /var/log/aiagent_install.log
nsenter -t "$leader" -a "/run/boot-test/repo/systemd/boot-test/$part.sh" "$(basename "$given")"
rm -f "$root.log"
