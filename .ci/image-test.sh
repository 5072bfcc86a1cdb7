#!/usr/bin/env bash
# Builds the image that the Dockerfile describes, by buildah and so without a daemon, and runs it by podman and runc:
# with a read-only root, no capability and no network a recorded task gets green; then it serves. Where no registry is
# reached, an image of this machine's glibc and certificates stands in for the base. Needs root; not a part of `make test`.
#   .ci/image-test.sh ARCHIVE    a release archive, as `make dist` leaves it
# (Debian: apt-get install --no-install-recommends buildah podman runc)
set -euo pipefail
archive=$(realpath "${1:?image-test: which release archive?}")
work=$(mktemp -d)
chmod 755 "$work"
stores=(--root "$work/store" --runroot "$work/run" --storage-driver "${STORAGE_DRIVER:-overlay}")
engine() { podman "${stores[@]}" --runtime runc --cgroup-manager cgroupfs "$@"; }
finish() {
  engine rm --all --force >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT
release=$work/release base=$work/base state=$work/state
mkdir "$release" "$state"
chown 65532:65532 "$state"
tar --extract --gzip --no-same-owner --strip-components=1 --file="$archive" --directory="$release"

stand_in() {
  mkdir -p "$base"/{dev,proc,tmp,etc/ssl/certs,home/nonroot}
  printf 'root:x:0:0::/root:/sbin/nologin\nnonroot:x:65532:65532::/home/nonroot:/sbin/nologin\n' >"$base/etc/passwd"
  cp -L /etc/ssl/certs/ca-certificates.crt "$base/etc/ssl/certs/" 2>/dev/null || true
  ldd "$release/target/release/aiagent-host" | grep -o '/[^ ]*' | while read -r library; do
    install -D -m 755 "$library" "$base$library"
  done
  printf 'FROM scratch\nCOPY . /\nUSER 65532:65532\n' >"$work/Basefile"
  buildah "${stores[@]}" bud --quiet --file "$work/Basefile" --tag localhost/stand-in "$base" >/dev/null
}
export BUILDAH_ISOLATION=chroot
image=localhost/aiagent-host:test
if timeout 20 buildah "${stores[@]}" bud --quiet --tag $image "$release" >/dev/null 2>&1; then
  echo "image-test: built on its own base"
else
  stand_in
  buildah "${stores[@]}" bud --quiet --from localhost/stand-in --tag $image "$release" >/dev/null
  echo "image-test: built on a stand-in for its base, which no registry gave"
fi
engine images --format 'image-test: {{.Repository}} {{.Size}}' $image
[ "$(engine image inspect --format '{{.Config.User}}' $image)" = 65532:65532 ] || { echo "image-test: it runs as another" >&2; exit 1; }

# Machines that forbid raising limits get their own.
limits=(--ulimit "nofile=$(ulimit -n):$(ulimit -n)" --ulimit nproc=4096:4096)
printf '[containers]\ndefault_ulimits = []\n' >"$work/containers.conf"
export CONTAINERS_CONF=$work/containers.conf
container() { # OPTION… ARGUMENT…: as a cluster would run it
  engine run --rm --pull never --read-only --cap-drop all --security-opt no-new-privileges "${limits[@]}" \
    --volume "$state:/var/lib/ai-agent" --volume "$release/host/samples:/samples:ro" --env AIAGENT_CONFIG=/samples/aiagent.toml \
    --env AIAGENT_MODEL_NAME=qwen2.5-coder-1.5b-instruct --env AIAGENT_TOKEN=image-test "$@"
}
begin=$SECONDS
container --network none $image --replay /samples/recordings/fizz.jsonl run "$(cat "$release/host/samples/fizz/goal.txt")" \
  --dir /samples/fizz/files --tests test_fizz.py --json >"$work/said"
grep -q '"green"' "$work/said"
echo "image-test: a recorded task is green, read-only and without a network ($((SECONDS - begin)) s)"

port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
container --name served --network host --env "AIAGENT_LISTEN=0.0.0.0:$port" $image >"$work/log" 2>&1 &
for _ in $(seq 300); do
  if grep -q 'serving ' "$work/log"; then break; fi
  read -rt 0.2 <> <(:) || true
done
engine exec served /usr/bin/aiagent-host healthcheck --server "http://127.0.0.1:$port"
engine stop --time 20 served >/dev/null
echo "image-test: it served, and drained when it was stopped"
