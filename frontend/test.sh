#!/usr/bin/env bash
# The page's checks: types, lint, unit tests; with `browser`, the browser tests against the built host;
# with `bench`, speed figures of the two together, and with `shots`, pictures of every page, which the gate
# does not ask for.
set -euo pipefail
cd "$(dirname "$0")"
./build.sh --deps
case "${1:-}" in
  browser | bench | shots)
    npm run --silent "$1" -- "${@:2}"
    exit
    ;;
esac
npm run --silent check
npm run --silent lint
npm run --silent test
