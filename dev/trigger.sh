#!/bin/sh
# Breaks or mends one of deploy/dev/triggers.yaml.
#
#   sh dev/trigger.sh break crash-loop k3d-kpulse-test        (crash-loop, missing-image, oom-kill, failing-job)
#   sh dev/trigger.sh heal crash-loop k3d-kpulse-test
set -eu
what=${1:?break or heal}
trigger=${2:?which: crash-loop, missing-image, oom-kill or failing-job}
context=${3:-k3d-kpulse-test}
cd "$(dirname "$0")/.."
kubectl() { command kubectl --context "$context" --namespace triggers "$@"; }
apply() { kubectl apply --filename deploy/dev/triggers.yaml --selector "trigger in (namespace, $trigger)"; }

case $what/$trigger in
break/crash-loop | break/oom-kill) change="set env deployment/$trigger BROKEN=yes" ;;
heal/crash-loop | heal/oom-kill) change="set env deployment/$trigger BROKEN=no" ;;
break/missing-image) change="set image deployment/missing-image *=kpulse/there-is-no-such-image:1.0" ;;
heal/missing-image) change="set image deployment/missing-image *=busybox:1.37" ;;
break/failing-job | heal/failing-job)
    # What failed stays failed, and ends when it is deleted; to fail again it must be made again.
    kubectl delete job failing-job --ignore-not-found
    if test "$what" = break; then apply; fi
    exit
    ;;
*)
    echo "there is no \"$what $trigger\": break or heal; crash-loop, missing-image, oom-kill or failing-job" >&2
    exit 2
    ;;
esac

found=$(kubectl get deployment "$trigger" --ignore-not-found --output name)
if test -n "$found"; then
    set -f
    # shellcheck disable=SC2086 # several words, and no pattern among them is to be looked up
    kubectl $change
elif test "$what" = break; then
    apply
else
    echo "$trigger is not there: nothing to heal"
fi
