#!/bin/sh
# Builds python-builder.wasm. Needs Python 3.10 or newer with venv; the first run installs componentize-py from PyPI.
set -eu
cd "$(dirname "$0")"
if [ ! -x .venv/bin/componentize-py ]; then
  python3 -m venv .venv
  .venv/bin/pip install --quiet --disable-pip-version-check componentize-py==0.25.1
fi
# The contract's files come from this repository; a project made by `plugins new` has its own copy.
mkdir -p wit/deps
cp -R ../../../wit wit/deps/aiagent-step.new
rm -rf wit/deps/aiagent-step
mv wit/deps/aiagent-step.new wit/deps/aiagent-step
# All of src/ goes into the component; what a module does while it is imported is done here, once.
.venv/bin/componentize-py --quiet -d wit -w plugin componentize -p src plugin -o python-builder.wasm.new
# Whoever watches the folder must never see half a file.
mv python-builder.wasm.new python-builder.wasm
echo "python-builder.wasm: $(wc -c <python-builder.wasm) bytes"
