#!/bin/sh
# Builds %name%.wasm. Needs Python 3.10 or newer with venv; the first run installs componentize-py from PyPI.
set -eu
cd "$(dirname "$0")"
if [ ! -x .venv/bin/componentize-py ]; then
  python3 -m venv .venv
  .venv/bin/pip install --quiet --disable-pip-version-check componentize-py==0.25.1
fi
# All of src/ goes into the component; what a module does while it is imported is done here, once.
.venv/bin/componentize-py --quiet -d wit -w plugin componentize -p src plugin -o %name%.wasm.new
# Whoever watches the folder must never see half a file.
mv %name%.wasm.new %name%.wasm
echo "%name%.wasm: $(wc -c <%name%.wasm) bytes"
