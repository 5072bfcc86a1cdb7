#!/bin/sh
# Builds %name%.wasm. Needs Node 20 or newer; the first run installs componentize-js from npm.
set -eu
cd "$(dirname "$0")"
[ -d node_modules/@bytecodealliance/componentize-js ] || npm install --no-fund --no-audit
node build.mjs %name%.wasm
