#!/usr/bin/env bash
# Tests the chart. Needs a built host.
set -euo pipefail
cd "$(dirname "$0")"
CHART_TOOLS=$(./tools.sh)
export CHART_TOOLS
"$CHART_TOOLS/python/bin/python" readme.py --check
"$CHART_TOOLS/python/bin/python" -m unittest --quiet
