#!/usr/bin/env bash
# Packs a build into a Debian package, by cargo-deb.
#   .ci/deb.sh [BUILD [OUT]]    a build as `make build` leaves it [target], the folder to write to [BUILD/dist]
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath -m "${1:-${CARGO_TARGET_DIR:-target}}")
out=$(realpath -m "${2:-$build/dist}")
[ -x "$build/release/aiagent-host" ] || { echo "deb: $build holds no build: run make build" >&2; exit 2; }

# Beside the program, since that is where cargo-deb looks for what was built.
stage=$build/release/deb
rm -rf "$stage"
mkdir -p "$stage/plugins" "$out"
cp "$build"/plugins/*.wasm "$stage/plugins/"
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
when=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH=$when
gzip -9n >"$stage/changelog.Debian.gz" <<TEXT
aiagent-host ($version-1) unstable; urgency=medium

  * Release $version, of commit $(git rev-parse --short=12 HEAD).

 -- aiagent-host maintainers <maintainers@aiagent-host.invalid>  $(date -u -R -d "@$when")
TEXT
help2man --no-info --section=8 --name='runs AI coding steps as sandboxed WebAssembly components' \
  "$build/release/aiagent-host" | gzip -9n >"$stage/aiagent-host.8.gz"
.ci/sbom.py >"$stage/sbom.cdx.json"
CARGO_TARGET_DIR=$build cargo deb --quiet --package aiagent-host --no-build --strip --locked --output "$out/"
rm -rf "$stage"
