#!/bin/sh
# Lays down what a release attaches: the manifest and the chart with the image they are released with, and what goes beside them.
#
#   sh deploy/release.sh registry.example/kpulse 0.1.0 dist
set -eu
image=${1:?which image, without its tag}
version=${2:?which version: 0.1.0}
to=${3:?into which directory}
mkdir -p "$to"
to=$(cd "$to" && pwd)
cd "$(dirname "$0")"
chart=$(mktemp -d)
trap 'rm -rf "$chart"' EXIT

# The image as a checkout names it.
checked_out=$(sed -n 's/^ *image: \([^ ]*\):\([^ ]*\)$/\1/p' kpulse.yaml)
of=$(sed -n 's/^ *image: \([^ ]*\):\([^ ]*\)$/\2/p' kpulse.yaml)
test "$of" = "$version" || {
    echo "kpulse.yaml is of $of, and this is to be $version: raise the version in Cargo.toml first" >&2
    exit 1
}

sed "s|image: $checked_out:$of|image: $image:$version|" kpulse.yaml >"$to/kpulse.yaml"
cp install.sh config.example.yaml "$to/"
cp -R helm/kpulse "$chart/kpulse"
sed "s|repository: $checked_out\$|repository: $image|" helm/kpulse/values.yaml >"$chart/kpulse/values.yaml"
helm package "$chart/kpulse" --version "$version" --app-version "$version" --destination "$to"

for file in "$to/kpulse.yaml" "$chart/kpulse/values.yaml"; do
    grep -q ": $image\(:$version\)\{0,1\}\$" "$file" || {
        echo "$(basename "$file") does not name $image" >&2
        exit 1
    }
done
cd "$to"
sha256sum -- * >SHA256SUMS
