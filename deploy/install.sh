#!/bin/sh
# Installs kpulse into the cluster that kubectl speaks to, or brings it up to date. Running it again is safe: it applies
# kpulse.yaml, makes Secret kpulse-secrets only if there is none, and leaves alone the configuration that is there.
#
#   ./install.sh
#
#   KPULSE_VERSION=0.1.0   the version to run, if not that of kpulse.yaml
#   KPULSE_IMAGE=NAME      the image without its tag, if not that of kpulse.yaml
#   KPULSE_MANIFEST=PLACE  a file or an address, if not kpulse.yaml beside this script
#   KPULSE_CONTEXT=NAME    the context of kubectl, if not the current one
set -eu

namespace=kpulse
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { printf '%s\n' "$@"; }
fail() {
  printf 'install.sh: %s\n' "$1" >&2
  shift
  say "$@" | sed 's/^/  /' >&2
  exit 1
}

kube() { kubectl --context "$context" --request-timeout=30s "$@" 2>"$work/error"; }
there() {
  found=$(kube get "$@" --namespace "$namespace" --ignore-not-found -o name) || refused "cannot look for the $1 $2"
  [ -n "$found" ]
}

# Ends with what kubectl said last, and what to do about it.
refused() {
  said=$(grep . "$work/error" | tail -n 1)
  case $said in
    *[Ff]orbidden* | *'attempting to grant RBAC permissions'*) may_not "$1 ($said)" ;;
    *) fail "$1: $said" "Mend that and run this again: what is done already is not done twice." ;;
  esac
}

may_not() {
  fail "you may not do this in context $context: $1" \
    "Ask who administers the cluster to run this script, or to make you an administrator of it;" \
    "or install kpulse with rights in namespaces of your own only: overlays/namespaced beside kpulse.yaml."
}

contexts() { kubectl config get-contexts -o name 2>/dev/null; }
choose_context() {
  if [ -n "$(contexts)" ]; then
    fail "$1" "Choose one of these with KPULSE_CONTEXT=NAME, or name another file with KUBECONFIG:" "$(contexts | sed 's/^/  /')"
  fi
  fail "$1" "It knows no cluster at all: name the file that does with KUBECONFIG=FILE."
}

find_context() {
  command -v kubectl >/dev/null ||
    fail "kubectl is missing" "Install it (https://kubernetes.io/docs/tasks/tools) and run this again."
  context=${KPULSE_CONTEXT:-$(kubectl config current-context 2>/dev/null)} || context=
  [ -n "$context" ] || choose_context "kubectl has no current context"
  contexts | grep -qxF -e "$context" || choose_context "kubectl has no context $context"
}

find_manifest() {
  place=${KPULSE_MANIFEST:-$(dirname "$0")/kpulse.yaml}
  case $place in
    http://* | https://*)
      { curl -fsSL "$place" || wget -qO- "$place"; } >"$work/original.yaml" 2>/dev/null ||
        fail "cannot download $place" "Without a network, bring the file here and set KPULSE_MANIFEST to its path." ;;
    *)
      cat "$place" >"$work/original.yaml" 2>/dev/null ||
        fail "cannot read $place" "Keep kpulse.yaml of the release beside this script, or set KPULSE_MANIFEST to its path or address." ;;
  esac
  image=$(sed -n 's/^ *image: *\([^ ]*\)$/\1/p' "$work/original.yaml")
  [ -n "$image" ] || fail "$place is no manifest of kpulse" "Take kpulse.yaml of the release."
  image=${KPULSE_IMAGE:-${image%:*}}:${KPULSE_VERSION:-${image##*:}}
}

reach_cluster() {
  kube get --raw /version >/dev/null && return
  said=$(grep . "$work/error" | tail -n 1)
  case $said in
    *[Uu]nauthorized* | *'must be logged in'* | *'getting credentials'*)
      fail "the cluster of context $context does not know you: $said" "Log in again as you did for kubectl, and run this again." ;;
    *)
      fail "cannot reach the cluster of context $context: $said" \
        "Is it running, and are you on its network (VPN)? \`kubectl --context $context cluster-info\` must work first." \
        "If it is not the cluster you meant, choose another with KPULSE_CONTEXT=NAME:" "$(contexts | sed 's/^/  /')" ;;
  esac
}

# Asked before anything is done, so that nothing is left half done.
ask_rights() {
  missing=
  for right in namespaces clusterroles.rbac.authorization.k8s.io clusterrolebindings.rbac.authorization.k8s.io; do
    kube auth can-i create "$right" >/dev/null || missing="$missing, ${right%%.*}"
  done
  for right in deployments.apps roles.rbac.authorization.k8s.io secrets; do
    kube auth can-i create "$right" --namespace "$namespace" >/dev/null || missing="$missing, ${right%%.*} in $namespace"
  done
  [ -z "$missing" ] || may_not "create ${missing#, }"
}

apply() {
  leave_out=
  if there configmap kpulse-config; then
    leave_out=ConfigMap
    say "Your configuration is kept: ConfigMap $namespace/kpulse-config."
  fi
  # A document at a time: without the configuration that is there already, and with the image that was asked for.
  awk -v leave_out="$leave_out" -v image="$image" '
    function flush() { if (kind != leave_out) printf "%s", document; document = ""; kind = "none" }
    BEGIN { kind = "none" }
    /^---$/ { flush() }
    /^kind: / { kind = $2 }
    /^ *image: / { sub(/image: .*/, "image: " image) }
    { document = document $0 "\n" }
    END { flush() }
  ' "$work/original.yaml" >"$work/manifest.yaml"
  kube apply -f "$work/manifest.yaml" || refused "not everything could be applied"
}

make_secret() {
  there secret kpulse-secrets && return
  kube create secret generic kpulse-secrets --namespace "$namespace" || refused "cannot make Secret kpulse-secrets"
}

await_pod() {
  kube rollout status deployment/kpulse --namespace "$namespace" --timeout=120s --request-timeout=0 && return
  fail "everything is applied, but kpulse does not run yet: $(grep . "$work/error" | tail -n 1)" \
    "This says why: kubectl --context $context -n $namespace describe pods" \
    "If the image cannot be pulled, name one that can: KPULSE_IMAGE=registry.example/kpulse ./install.sh"
}

next_steps() {
  on="kubectl --context $context -n $namespace"
  say "" "kpulse runs $image."
  config=$(kube get configmap kpulse-config --namespace "$namespace" -o 'jsonpath={.data.config\.yaml}') || config=
  # shellcheck disable=SC2016 # a template of kubectl: its variables are not the shell's
  keys=$(kube get secret kpulse-secrets --namespace "$namespace" -o 'go-template={{range $key, $value := .data}}{{$key}} {{end}}') || keys=
  say "" "Next:"
  case $config in
    *'name: REPLACE_ME'*) say "- Name the cluster, and say who is told: $on edit configmap kpulse-config" \
      "  then have it read: $on rollout restart deployment/kpulse" ;;
  esac
  [ -n "$keys" ] || say "- Give it the address of your channel; it is used within seconds, without a restart:" \
    "  $on patch secret kpulse-secrets -p '{\"stringData\":{\"SLACK_WEBHOOK_URL\":\"https://hooks.slack.com/services/…\"}}'"
  say "- See what it cannot see or tell: $on port-forward service/kpulse 8080" \
    "  and, meanwhile: curl 'localhost:8080/readyz?verbose'"
}

find_context
find_manifest
reach_cluster
ask_rights
say "kpulse ${image##*:} goes to context $context, namespace $namespace."
apply
make_secret
await_pod
next_steps
