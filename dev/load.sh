#!/bin/sh
# Carries a program that was built into the cluster: makes the image, imports it, rolls the Deployment.
#
#   sh dev/load.sh kpulse k3d-kpulse-test        (or echo-sink)
#
# Tilt runs it as custom_build. The image keeps its tag, so nothing in the manifest changes and Tilt would not roll it:
# that is done here, where it can be timed as well.
set -eu
program=${1:?which program: kpulse or echo-sink}
context=${2:?which context: k3d-kpulse-test}
cd "$(dirname "$0")/.."
. dev/clock.sh
case $program in
kpulse) image=kpulse:dev ;;
*) image=kpulse-sink:dev ;;
esac
image=${EXPECTED_REF:-$image}
kubectl() { command kubectl --context "$context" --namespace kpulse "$@"; }

test -f "target/image/$program" || {
    echo "target/image/$program is missing: sh dev/build.sh $program" >&2
    exit 1
}

begin=$(now)
docker build --quiet --file Dockerfile.dev --build-arg "PROGRAM=$program" --tag "$image" target/image >/dev/null
made=$(now)
k3d image import --mode auto --cluster "${context#k3d-}" "$image" >target/image/.import 2>&1 || {
    cat target/image/.import >&2
    echo "the image cannot be imported: sh dev/doctor.sh says what is missing" >&2
    exit 1
}
imported=$(now)
took=$(cat "target/image/.$program.took" 2>/dev/null || echo 0)
line="build $(seconds "$took") · image $(seconds $((made - begin))) · import $(seconds $((imported - made)))"

if kubectl get deployment "$program" >/dev/null 2>&1; then
    kubectl rollout restart deployment "$program" >/dev/null
    kubectl rollout status deployment "$program" --timeout 60s >/dev/null || {
        echo "the new $program does not get ready: kubectl --context $context -n kpulse logs deployment/$program" >&2
        exit 1
    }
    rolled=$(now)
    echo "$line · roll $(seconds $((rolled - imported))) = $(seconds $((took + rolled - begin)))s"
else
    # The first time there is nothing to roll yet.
    echo "$line = $(seconds $((took + imported - begin)))s"
fi
# The image before this one has no name any more.
docker image prune --force --filter label=kpulse.io/image=dev >/dev/null || echo "images without a name were left: docker image prune" >&2
