#!/usr/bin/env bash
# From a release archive to a first green task.
# shellcheck source=words.sh
. "$(dirname "$0")/words.sh"

cp $dist/aiagent-host-*-linux.tar.gz* /root/
cd /root
SECONDS=0
sha256sum --check aiagent-host-*-linux.tar.gz.sha256 && tar -xzf aiagent-host-*-linux.tar.gz
cd aiagent-host-*-linux && ./install.sh local
say "4 commands: unpacked, installed"
# A newcomer names a model here; the recorded one keeps its speed out of the clock.
cp host/samples/aiagent.toml /etc/ai-agent/aiagent.toml
printf 'AIAGENT_REPLAY=%s\nAIAGENT_MODEL_NAME=qwen2.5-coder-1.5b-instruct\n' $smoke/recording.jsonl >>/etc/ai-agent/env
systemctl restart aiagent
aiagent-host submit "$(cat host/samples/fizz/goal.txt)" --dir host/samples/fizz/files --tests test_fizz.py --follow
say "7 commands in all: the first task is green"
