#!/bin/sh
# Builds javascript-fixer.wasm. Needs Node 20 or newer; the first run installs componentize-js from npm.
set -eu
cd "$(dirname "$0")"
[ -d node_modules/@bytecodealliance/componentize-js ] || npm install --no-fund --no-audit
# The contract's files come from this repository; a project made by `plugins new` has its own copy.
mkdir -p wit/deps
cp -R ../../../wit wit/deps/aiagent-step.new
rm -rf wit/deps/aiagent-step
mv wit/deps/aiagent-step.new wit/deps/aiagent-step
node build.mjs javascript-fixer.wasm
