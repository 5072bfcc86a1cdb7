#!/usr/bin/env bash
# Asks a running host for everything that its OpenAPI description promises, then makes a Python client of the
# description and works with it. Needs a built host; its tools come from PyPI, into the target folder.
#   run.sh [SEED]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
seed=${1:-1}

tools=$target/description-tools
if ! cmp -s "$here/requirements.txt" "$tools/ready"; then
  echo "description: pip install $(paste -sd' ' "$here/requirements.txt")"
  rm -rf "$tools"
  python3 -m venv "$tools"
  "$tools/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$tools/ready"
fi

scratch=$(mktemp -d)
trap 'kill "$host" 2>/dev/null || true; wait "$host" 2>/dev/null || true; rm -rf "$scratch"' EXIT
# What is asked of it may remove some.
cp -r "$target/plugins" "$scratch/plugins"
export TOKEN=of-the-description-test
env -i PATH="$PATH" HOME="$scratch" AIAGENT_CONFIG="$root/host/samples/aiagent.toml" AIAGENT_STATE_DIR="$scratch/state" \
  AIAGENT_CACHE_DIR="$target/tmp/compiled" AIAGENT_PLUGINS_DIR="$scratch/plugins" AIAGENT_LISTEN=127.0.0.1:0 \
  AIAGENT_TOKEN="$TOKEN" AIAGENT_API_CHANGE_PLUGINS=true \
  AIAGENT_MODEL_NAME=qwen2.5-coder-1.5b-instruct AIAGENT_REPLAY="$root/host/samples/recordings" \
  "$target/release/aiagent-host" serve >"$scratch/log" 2>&1 &
host=$!
until url=$(grep -o 'http://127.0.0.1:[0-9]*' "$scratch/log" | head -n 1) && [ -n "$url" ]; do
  kill -0 "$host" 2>/dev/null || { cat "$scratch/log" >&2; exit 1; }
  read -rt 0.1 <> <(:) || true
done

echo "description: a Python client works on a sample"
"$tools/bin/openapi-python-client" generate --path "$root/docs/openapi.json" --meta none \
  --output-path "$scratch/aiagent_client" >"$scratch/made" 2>&1 || { cat "$scratch/made" >&2; exit 1; }
PYTHONPATH=$scratch "$tools/bin/python" "$here/client.py" "$url" "$root/host/samples/fizz"

# What it sends is limited, and it ends. The two streams do not end, and a component is not what it can make up.
echo "description: what the host answers, against what it describes (seed $seed)"
cd "$scratch"
"$tools/bin/st" run "$url/api/openapi.json" --header "Authorization: Bearer $TOKEN" --seed "$seed" \
  --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
  --phases coverage,fuzzing,stateful --max-examples 30 --request-timeout 30 --continue-on-failure \
  --exclude-path-regex '/(events|changes)$' --exclude-operation-id upload --warnings off
kill -0 "$host"
