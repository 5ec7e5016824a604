#!/bin/sh
# Makes Secret kpulse-secrets of .env.kpulse, if there is none yet. What is there is never touched: it may have been patched.
#
#   sh dev/secret.sh k3d-kpulse-test
#
# .env.kpulse is not in git, so your credentials outlive the cluster. It has lines KEY=VALUE without quotes, with the keys
# that deploy/dev/kpulse.dev.yaml names: SLACK_WEBHOOK_URL=https://hooks.slack.com/…
set -eu
context=${1:?which context: k3d-kpulse-test}
cd "$(dirname "$0")/.."
kubectl() { command kubectl --context "$context" --namespace kpulse "$@"; }
again="kubectl --context $context -n kpulse delete secret kpulse-secrets && sh dev/secret.sh $context"

# By itself, so that an API server that does not answer ends it here, and does not look like a Secret that is missing.
found=$(kubectl get secret kpulse-secrets --ignore-not-found --output name)
if test -n "$found"; then
    echo "Secret kpulse-secrets is there, and stays as it is. To make it of .env.kpulse again: $again"
elif test -f .env.kpulse; then
    kubectl create secret generic kpulse-secrets --from-env-file=.env.kpulse
else
    kubectl create secret generic kpulse-secrets
    echo "It is empty: every channel leads to the echo sink. To reach a real one, write SLACK_WEBHOOK_URL=… into .env.kpulse,"
    echo "then: $again"
fi
