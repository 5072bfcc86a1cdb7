#!/usr/bin/env bash
# Has checkov look at what each values file renders. Not in the gate: it brings 300 MB of packages from PyPI.
# Each check that is left out is so for a reason, here or in an annotation of the object.
set -euo pipefail
cd "$(dirname "$0")"
tools=$(./tools.sh)
skip=(
  CKV_K8S_11 # a limit of processor time slows the host when the machine has time to spare; requests are set
  CKV_K8S_15 # tags are versions, which are not pushed twice; image.pullPolicy is a value
  CKV_K8S_21 # objects go where `helm --namespace` says, which a rendered file does not
  CKV_K8S_35 # token, model's key and Redis' password: the host strikes them from all it says, and leaves no core file
  CKV_K8S_43 # image.digest is a value; a default would name an image that nobody has
)
if ! "$tools/checkov/bin/checkov" --version >/dev/null 2>&1; then
  python3 -m venv "$tools/checkov"
  "$tools/checkov/bin/pip" install --quiet --disable-pip-version-check checkov==3.3.30
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for values in ../ci/*-values.yaml; do
  "$tools/helm-4.1" template demo .. --namespace tools --kube-version 1.37.0 --set token.value=t --set redis.password=p \
    --values "$values" >"$work/$(basename "$values")"
done
"$tools/checkov/bin/checkov" --directory "$work" --framework kubernetes --skip-download --compact --quiet \
  --skip-check "$(IFS=,; echo "${skip[*]}")"
