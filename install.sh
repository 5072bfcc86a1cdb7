#!/usr/bin/env bash
# Installs aiagent-host: on this machine under systemd, or into Kubernetes.
#   install.sh local [OPTION…]     see install.sh local --help
#   install.sh kube  [OPTION…]     see install.sh kube --help
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
face=${1:-}
[ $# -eq 0 ] || shift
case $face in
  local) script=$here/systemd/install.sh ;;
  kube) script=$here/chart/install.sh ;;
  *)
    sed -n '2,4s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
if [ ! -x "$script" ]; then
  echo "install: this copy has no $script: take a whole clone or release archive that has it" >&2
  exit 2
fi
exec "$script" "$@"
