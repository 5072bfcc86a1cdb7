#!/usr/bin/env bash
# Builds the page into frontend/dist/page, which the host embeds. What has not changed is not built again.
#   build.sh            builds, where there is a Node to build with; says so where there is none
#   build.sh --deps     only brings the packages, and fails without Node
set -euo pipefail
cd "$(dirname "$0")"

say() { printf 'page: %s\n' "$*" >&2; }

if ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null; then
  say "no Node 20.19 or newer: the host is built without its web page. Install Node (https://nodejs.org), then make build"
  [ "${1:-}" != --deps ] || exit 2
  exit 0
fi

digest() { sha256sum "$@" | sha256sum | cut -d' ' -f1; }

lock=$(digest package-lock.json)
if [ "$(cat node_modules/.of-lock 2>/dev/null)" != "$lock" ]; then
  say "npm ci"
  npm ci --prefer-offline --ignore-scripts --no-progress >&2
  echo "$lock" >node_modules/.of-lock
fi
[ "${1:-}" != --deps ] || exit 0

mapfile -t files < <(find src public index.html vite.config.ts package-lock.json -type f ! -name '*.test.*' | LC_ALL=C sort)
sources=$(digest "${files[@]}")
if [ "$(cat dist/.of-sources 2>/dev/null)" != "$sources" ]; then
  npx vite build --logLevel warn >&2
  echo "$sources" >dist/.of-sources
fi
