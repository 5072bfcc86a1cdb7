#!/usr/bin/env bash
# Installs aiagent-host into Kubernetes, by its chart, and sends it a request through its Service. What it did
# is undone when it fails.
#   install.sh kube [OPTION…]
#     --image REF         REPOSITORY:TAG or REPOSITORY@sha256:… of the host's image in your registry
#     --values FILE       values of the chart; may be given several times
#     --set KEY=VALUE     a value of the chart; likewise
#     --namespace NAME    made if it is not there [aiagent]
#     --release NAME      of Helm [aiagent]
#     --timeout TIME      for pods to become ready [10m]
#     --dry-run           render and lint, say what would be done, and ask no cluster
#     --upgrade           replace the release that is installed
#     --uninstall         remove the release; volumes, and Secrets that you made, stay
# AIAGENT_MODEL_URL and AIAGENT_MODEL_NAME name the model; AIAGENT_MODEL_KEY goes into a Secret.
set -euo pipefail
chart=$(cd "$(dirname "$0")" && pwd)
action=install dry='' image='' namespace=aiagent release=aiagent timeout=10m
options=()
log=/var/log/aiagent_install.log
[ -w "${log%/*}" ] || log=${TMPDIR:-/tmp}/aiagent_install.log
undo=()

say() {
  echo "install: $*"
  if [ -z "$dry" ]; then echo "$(date -u +%FT%TZ) $*" >>"$log"; fi
}

die() { # WHAT HOW-TO-GO-ON
  say "error: $1" >&2
  say "  $2" >&2
  exit 1
}

usage() {
  echo "install: $1; install.sh kube --help lists the options" >&2
  exit 2
}

while [ $# -gt 0 ]; do
  case $1 in
    --image | --values | --set | --namespace | --release | --timeout)
      [ -n "${2:-}" ] || usage "$1 needs a value"
      case $1 in
        --image) image=$2 ;;
        --values | --set) options+=("$1" "$2") ;;
        --namespace) namespace=$2 ;;
        --release) release=$2 ;;
        --timeout) timeout=$2 ;;
      esac
      shift
      ;;
    --dry-run) dry=1 ;;
    --upgrade) action=upgrade ;;
    --uninstall) action=uninstall ;;
    --help) sed -n '2,15s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) usage "unknown option $1" ;;
  esac
  shift
done

case $image in
  '') ;;
  *@sha256:*) options+=(--set "image.repository=${image%@*}" --set "image.digest=${image#*@}") ;;
  *:*) options+=(--set "image.repository=${image%:*}" --set-string "image.tag=${image##*:}") ;;
  *) usage "--image $image names neither a tag nor a digest" ;;
esac
if [ -n "${AIAGENT_MODEL_URL:-}" ]; then options+=(--set-string "model.url=$AIAGENT_MODEL_URL"); fi
if [ -n "${AIAGENT_MODEL_NAME:-}" ]; then options+=(--set-string "model.name=$AIAGENT_MODEL_NAME"); fi
secret=$release-model
if [ -n "${AIAGENT_MODEL_KEY:-}" ]; then options+=(--set "model.existingSecret=$secret"); fi

quietly() { "$@" >>"$log" 2>&1; }
in_namespace() { "$1" --namespace "$namespace" "${@:2}"; }

finish() {
  local code=$? index
  trap - EXIT
  if [ $code -ne 0 ] && [ ${#undo[@]} -gt 0 ]; then
    say "undoing what was done"
    for ((index = ${#undo[@]} - 1; index >= 0; index--)); do
      eval "${undo[index]}" >>"$log" 2>&1 || say "  could not: ${undo[index]}"
    done
  fi
  if [ $code -ne 0 ] && [ -z "$dry" ]; then say "failed; the details are in $log" >&2; fi
  exit $code
}
undo_with() { undo+=("$(printf '%q ' "$@")"); }
trap finish EXIT
trap 'exit 130' INT TERM

tool() { # COMMAND WHERE
  command -v "$1" >/dev/null || die "there is no $1" "install it ($2), then run this again"
}

# What the chart itself refuses is refused here, before anything is made. (helm lint alone passes over `fail`.)
render() { # [OPTION…]
  local said
  said=$(helm lint --strict "$chart" "$@" ${options[@]+"${options[@]}"} 2>&1 &&
    helm template "$release" "$chart" "$@" ${options[@]+"${options[@]}"} 2>&1 >/dev/null) || {
    echo "$said" >&2
    die "the chart refuses these values" "correct what the lines above name; chart/README.md lists every value"
  }
}

tool helm https://helm.sh/docs/intro/install
if [ -n "$dry" ]; then
  if [ "$action" = uninstall ]; then
    say "uninstall release $release of namespace $namespace (dry run: nothing is done)"
    exit 0
  fi
  render
  say "$action release $release into namespace $namespace (dry run: no cluster is asked)"
  helm template "$release" "$chart" --namespace "$namespace" ${options[@]+"${options[@]}"} |
    awk '/^kind:/ { kind = $2 } /^  name:/ && kind { gsub(/[\047"]/, "", $2); print "install: " kind " " $2; kind = "" }'
  exit 0
fi
tool kubectl https://kubernetes.io/docs/tasks/tools
quietly kubectl version --request-timeout=20s ||
  die "no cluster answers" "kubectl cluster-info must work; KUBECONFIG or kubectl config use-context says which cluster"
version=$(kubectl version --output json 2>/dev/null | sed -n 's/^ *"gitVersion": "\(v[0-9.]*\).*/\1/p' | tail -n 1)
there() { quietly in_namespace helm status "$release"; }

if [ "$action" = uninstall ]; then
  if ! there; then say "nothing is installed"; exit 0; fi
  quietly in_namespace helm uninstall "$release" --wait --timeout "$timeout"
  say "uninstalled; kept: namespace $namespace, its volumes and Secrets (kubectl -n $namespace get pvc,secret)"
  exit 0
fi
if [ -n "$version" ]; then render --kube-version "$version"; else render; fi
if [ "$action" = install ] && there; then
  say "release $release is installed; --upgrade replaces it. Nothing to change"
  exit 0
fi
if [ "$action" = upgrade ] && ! there; then die "nothing is installed that could be upgraded" "run again without --upgrade"; fi

if ! quietly kubectl get namespace "$namespace"; then
  say "namespace $namespace"
  undo_with kubectl delete namespace "$namespace" --wait=false
  quietly kubectl create namespace "$namespace"
fi
if [ -n "${AIAGENT_MODEL_KEY:-}" ]; then
  if ! quietly in_namespace kubectl get secret "$secret"; then
    say "Secret $secret"
    undo_with in_namespace kubectl delete secret "$secret"
  fi
  # By standard input: other users see what is on a command line.
  printf '{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "%s"}, "data": {"key": "%s"}}' \
    "$secret" "$(printf %s "$AIAGENT_MODEL_KEY" | base64 -w0)" |
    quietly in_namespace kubectl apply --server-side --filename -
fi
say "$action release $release into namespace $namespace, at most $timeout"
if [ "$action" = install ]; then
  undo_with in_namespace helm uninstall "$release" --wait
else
  # Without a number: the revision before.
  undo_with in_namespace helm rollback "$release" --wait
fi
# An upgrade keeps what was set before, as in the chart's README.
[ "$action" = install ] || options+=(--reset-then-reuse-values)
if ! quietly in_namespace helm "$action" "$release" "$chart" --wait --timeout "$timeout" ${options[@]+"${options[@]}"}; then
  quietly in_namespace kubectl get pods,events || true
  die "the pods do not become ready" "the end of $log shows pods and events; then run this again"
fi
quietly in_namespace helm test "$release" --timeout "$timeout" ||
  die "the API does not answer through its Service" "kubectl -n $namespace logs -l app.kubernetes.io/instance=$release says more"
say "done"
say "next: helm -n $namespace status $release   (how to send it a first task)"
