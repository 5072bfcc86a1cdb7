#!/usr/bin/env bash
# Packs a build into a release archive, from which `install.sh` installs on a machine without any toolchain.
# The same build and commit give the same bytes.
#   .ci/dist.sh [BUILD [OUT]]    a build as `make build` leaves it [target], the folder to write to [BUILD/dist]
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-${CARGO_TARGET_DIR:-target}}
out=${2:-$build/dist}

[ -x "$build/release/aiagent-host" ] || { echo "dist: $build holds no build: run make build" >&2; exit 2; }
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
name=aiagent-host-$version-$(uname -m)-linux
when=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/$name
mkdir -p "$root/target/release" "$root/target/plugins" "$out"

# Laid out as a clone, so that the installer is the same in both.
git ls-files -z -- README.md LICENSE Dockerfile install.sh systemd chart docs wit host/samples ':!:chart/tests' ':!:systemd/test_install.py' |
  while IFS= read -r -d '' file; do install -D -m "$(stat -c %a "$file")" "$file" "$root/$file"; done
# The page is in the binary.
install -m 755 "$build/release/aiagent-host" "$root/target/release/aiagent-host"
install -m 644 "$build"/plugins/*.wasm "$root/target/plugins/"
SOURCE_DATE_EPOCH=$when .ci/sbom.py >"$root/sbom.cdx.json"

find "$root" -type d -exec chmod 755 {} +
find "$root" -type f -perm -u+x -exec chmod 755 {} +
find "$root" -type f ! -perm -u+x -exec chmod 644 {} +
(cd "$root" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) >"$work/SHA256SUMS"
install -m 644 "$work/SHA256SUMS" "$root/SHA256SUMS"
tar --create --format=gnu --sort=name --mtime="@$when" --owner=0 --group=0 --numeric-owner \
  --directory="$work" "$name" | gzip --no-name >"$out/$name.tar.gz.new"
mv "$out/$name.tar.gz.new" "$out/$name.tar.gz"
(cd "$out" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
echo "$out/$name.tar.gz"
