#!/usr/bin/env bash
# Serves, and works on one sample task, shown as it happens. Called by `make run`.
#   run.sh [SAMPLE]      one of the folders beside this script; fizz by default
# Without AIAGENT_MODEL_URL or AIAGENT_MODEL_NAME it answers from recordings of a real model.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
host=$target/release/aiagent-host
sample=${1:-fizz}
if [ ! -f "$here/$sample/goal.txt" ]; then
  echo "run: no sample $sample; there are: $(cd "$here" && echo */goal.txt | sed 's|/goal.txt||g')" >&2
  exit 2
fi

export AIAGENT_CONFIG=${AIAGENT_CONFIG:-$here/aiagent.toml}
export AIAGENT_PLUGINS=${AIAGENT_PLUGINS:-$target/plugins}
export AIAGENT_STATE_DIR=${AIAGENT_STATE_DIR:-$target/run}
export AIAGENT_LISTEN=${AIAGENT_LISTEN:-127.0.0.1:8080}
if [ -z "${AIAGENT_MODEL_URL:-}${AIAGENT_MODEL_NAME:-}" ]; then
  if [ ! -f "$here/recordings/$sample.jsonl" ]; then
    echo "run: sample $sample has no recording yet; name a model by AIAGENT_MODEL_URL and AIAGENT_MODEL_NAME" >&2
    exit 2
  fi
  # The recorded requests name this model.
  export AIAGENT_MODEL_NAME=qwen2.5-coder-1.5b-instruct
  export AIAGENT_REPLAY=$here/recordings
  echo "run: no model is named, so the answers come from recordings of $AIAGENT_MODEL_NAME, and only the"
  echo "run: samples can be worked on. For a real model set AIAGENT_MODEL_URL, AIAGENT_MODEL_NAME and, if it"
  echo "run: needs one, AIAGENT_MODEL_KEY; for example a local server: AIAGENT_MODEL_URL=http://127.0.0.1:11434/v1"
fi

"$host" serve &
server=$!
trap 'kill -TERM $server 2>/dev/null || true' TERM
# Ctrl-C reaches the server too; it drains, and its end is ours.
trap : INT

url=http://$AIAGENT_LISTEN
for _ in $(seq 100); do
  if python3 -c "import urllib.request as r; r.urlopen('$url/healthz', timeout=1)" 2>/dev/null; then break; fi
  kill -0 $server 2>/dev/null || { wait $server; exit; }
  read -rt 0.1 <> <(:) || true
done

tests=()
for test in "$here/$sample/files"/test_*.py; do tests+=("$(basename "$test")"); done
echo "run: $(cat "$here/$sample/goal.txt")"
"$host" submit "$(cat "$here/$sample/goal.txt")" --dir "$here/$sample/files" --tests "${tests[@]}" --follow || true
echo
echo "run: serving $url (API: $url/api/openapi.json). Ctrl-C drains and stops."

# `wait` returns early for a signal: wait again until the server has drained.
code=0
while kill -0 $server 2>/dev/null; do
  wait $server && code=0 || code=$?
done
exit "$code"
