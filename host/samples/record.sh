#!/usr/bin/env bash
# Records the samples anew with the model that AIAGENT_MODEL_URL and AIAGENT_MODEL_NAME name, through
# the product itself. A recording holds requests and raw answers, never a key.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
: "${AIAGENT_MODEL_URL:?name a model to record}" "${AIAGENT_MODEL_NAME:?name a model to record}"
export AIAGENT_CONFIG=$here/aiagent.toml
samples=("$@")
[ $# -gt 0 ] || mapfile -t samples < <(cd "$here" && for goal in */goal.txt; do dirname "$goal"; done)
for sample in "${samples[@]}"; do
  tests=()
  for test in "$here/$sample/files"/test_*.py; do tests+=("$(basename "$test")"); done
  rm -f "$here/recordings/$sample.jsonl"
  echo "record: $sample"
  "$target/release/aiagent-host" --plugins "$target/plugins" --record "$here/recordings/$sample.jsonl" \
    run "$(cat "$here/$sample/goal.txt")" --dir "$here/$sample/files" --tests "${tests[@]}" || true
done
