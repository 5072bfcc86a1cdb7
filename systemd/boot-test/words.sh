# shellcheck shell=bash disable=SC2034
# What the parts of the boot test have in common; read by them.
set -euo pipefail
repo=/run/boot-test/repo build=/run/boot-test/build old=/run/boot-test/old dist=/run/boot-test/dist
smoke=/usr/share/ai-agent/smoke
since=0

# What is done, with the seconds since the step before.
say() {
  echo "boot-test: $* ($((SECONDS - since)) s)"
  since=$SECONDS
}
die() { echo "boot-test: error: $*" >&2; exit 1; }

moment() { read -rt 0.2 <> <(:) || true; }
until_served() { until aiagent-host tasks >/dev/null 2>&1; do moment; done; }
main_process() { systemctl show -P MainPID "$1"; }
ours() { find /etc /usr /var -iname '*ai-agent*' -o -iname '*aiagent*' | sort; }

# Tasks are answered from the recording that the smoke test uses.
answer_from_the_recording() {
  cp $smoke/aiagent.toml /etc/ai-agent/aiagent.toml
  printf 'AIAGENT_REPLAY=%s\nAIAGENT_MODEL_NAME=qwen2.5-coder-1.5b-instruct\n' $smoke/recording.jsonl >>/etc/ai-agent/env
  systemctl restart aiagent
  until_served
}

submit() { # KEY [OPTION…]
  local key=$1
  shift
  aiagent-host submit "$(cat $smoke/goal.txt)" --dir $smoke/files --tests test_fizz.py --idempotency-key "$key" "$@"
}
waiting() { aiagent-host tasks --state queued && aiagent-host tasks --state running; }
# Waits for the end of all tasks; says how many are green.
greens() {
  until [ -z "$(waiting 2>/dev/null)" ]; do moment; done
  aiagent-host tasks --limit 200 | awk '$2 == "green"' | wc -l
}
