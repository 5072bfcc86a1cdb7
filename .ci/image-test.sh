#!/usr/bin/env bash
# Runs what the Dockerfile describes, without a daemon or a registry: its COPY, ENV, USER and CMD lines, on a root
# that holds this machine's glibc in place of the base image, read-only, under bubblewrap. It serves, and one
# recorded task gets green in it.
#   .ci/image-test.sh ARCHIVE    a release archive, as `make dist` leaves it
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
archive=${1:?image-test: which release archive?}
work=$(mktemp -d)
chmod 755 "$work"
trap '[ -z "${server:-}" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
release=$work/release root=$work/root state=$work/state
mkdir "$release" "$root" "$state"
tar --extract --gzip --no-same-owner --strip-components=1 --file="$archive" --directory="$release"

# In place of the base image.
mkdir -p "$root"/{dev,proc,tmp,etc/ssl/certs,var/lib/ai-agent}
echo 'nonroot:x:65532:65532::/home/nonroot:/sbin/nologin' >"$root/etc/passwd"
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/" 2>/dev/null || true
ldd "$release/target/release/aiagent-host" | grep -o '/[^ ]*' | while read -r library; do
  install -D -m 755 "$library" "$root$library"
done

variables=() user=''
while read -r word rest; do
  case $word in
    COPY)
      read -ra paths <<<"$rest"
      target=$root${paths[-1]}
      case ${paths[-1]} in */) mkdir -p "$target" ;; *) mkdir -p "$(dirname "$target")" ;; esac
      for path in "${paths[@]:0:${#paths[@]}-1}"; do
        case $path in */) cp -r "$release/$path." "$target" ;; *) cp "$release/$path" "$target" ;; esac
      done
      ;;
    ENV) for each in $rest; do variables+=(--setenv "${each%%=*}" "${each#*=}"); done ;;
    USER) user=$rest ;;
  esac
done < <(sed -e ':a' -e '/\\$/{N;s/\\\n//;ba' -e '}' "$here/Dockerfile")
[ "$user" = 65532:65532 ] || { echo "image-test: the image runs as '$user'" >&2; exit 1; }

container() { # NETWORK ARGUMENT…: as a container with a read-only root and one volume would run it
  bwrap --unshare-all "$1" --uid "${user%:*}" --gid "${user#*:}" --clearenv "${variables[@]}" \
    --setenv AIAGENT_TOKEN image-test --setenv AIAGENT_MODEL_NAME qwen2.5-coder-1.5b-instruct \
    --setenv AIAGENT_CONFIG /tmp/samples/aiagent.toml --ro-bind "$root" / --proc /proc --dev /dev --tmpfs /tmp \
    --bind "$state" /var/lib/ai-agent --ro-bind "$release/host/samples" /tmp/samples --die-with-parent \
    /usr/bin/aiagent-host "${@:2}"
}
begin=$SECONDS
container --unshare-net --replay /tmp/samples/recordings/fizz.jsonl run "$(cat "$release/host/samples/fizz/goal.txt")" \
  --dir /tmp/samples/fizz/files --tests test_fizz.py --json >"$work/said"
grep -q '"green"' "$work/said"
echo "image-test: a recorded task is green, read-only and without a network ($((SECONDS - begin)) s)"

port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
variables+=(--setenv AIAGENT_LISTEN "0.0.0.0:$port")
container --share-net serve >"$work/log" 2>&1 &
server=$!
for _ in $(seq 300); do
  if grep -q '^.*serving ' "$work/log"; then break; fi
  kill -0 "$server" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
  read -rt 0.2 <> <(:) || true
done
python3 - "$port" <<'END'
import sys, urllib.request
print("image-test: /readyz", urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/readyz", timeout=30).status)
END
du -sh "$root" | awk '{ print "image-test: root of " $1 }'
