#!/usr/bin/env bash
# The page's checks: types, lint, unit tests; with `browser`, the browser tests against the built host.
set -euo pipefail
cd "$(dirname "$0")"
./build.sh --deps
if [ "${1:-}" = browser ]; then
  npm run --silent browser
  exit
fi
npm run --silent check
npm run --silent lint
npm run --silent test
