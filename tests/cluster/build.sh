#!/usr/bin/env bash
# Compiles the API server that the integration tests run against, and prints the folder that
# holds it as the only line on stdout, so that
#
#     export KUBEBUILDER_ASSETS="$(tests/cluster/build.sh)"
#
# is all that a caller needs. The folder is laid out as envtest lays it out: etcd, kube-apiserver
# and kubectl side by side. Nothing is built when it is there already, and binaries of one's own
# named by KUBEBUILDER_ASSETS are taken as they are.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
tools=(etcd kube-apiserver kubectl)

say() { echo "tests/cluster/build.sh: $*" >&2; }

# Names the tools that the folder $1 lacks.
missing_in() {
    local tool
    for tool in "${tools[@]}"; do
        [[ -x "$1/$tool" ]] || echo "$tool"
    done
}

# The version at which go.mod requires module $1 (the go.mod is ours, one requirement a line).
required_version() {
    awk -v module="$1" '
        $1 == "require" { sub(/^require[ \t]+/, "") }
        $1 == module && $2 ~ /^v/ { print $2; exit }
    ' "$here/go.mod"
}

if [[ -n "${KUBEBUILDER_ASSETS:-}" ]]; then
    missing="$(missing_in "$KUBEBUILDER_ASSETS")"
    if [[ -n "$missing" ]]; then
        say "KUBEBUILDER_ASSETS is $KUBEBUILDER_ASSETS, which lacks:" $missing
        say "unset it to build the binaries from source"
        exit 1
    fi
    echo "$KUBEBUILDER_ASSETS"
    exit 0
fi

kubernetes="$(required_version k8s.io/kubernetes)"
etcd="$(required_version go.etcd.io/etcd/server/v3)"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/monitor-backend/cluster"
assets="$cache/kubernetes-$kubernetes-etcd-$etcd"

if [[ -n "$(missing_in "$assets")" ]]; then
    if ! command -v go >/dev/null; then
        say "building kube-apiserver needs Go, $(awk '$1 == "go" { print $2 }' "$here/go.mod")" \
            "or later; or set KUBEBUILDER_ASSETS to a folder with binaries of your own"
        exit 1
    fi

    mkdir -p "$assets"
    unfinished="$(mktemp -d "$cache/unfinished.XXXXXX")"
    trap 'rm -rf "$unfinished"' EXIT

    # Without a version the server calls itself v0.0.0 and refuses its own feature defaults.
    IFS=. read -r major minor _ <<<"${kubernetes#v}"
    ldflags="-s -w"
    for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
        ldflags+=" -X $package.gitVersion=$kubernetes -X $package.gitTreeState=clean"
        ldflags+=" -X $package.gitMajor=$major -X $package.gitMinor=$minor"
    done

    say "compiling Kubernetes $kubernetes and etcd $etcd, once, into $assets"
    (cd "$here" && CGO_ENABLED=0 GOWORK=off \
        go build -trimpath -buildvcs=false -ldflags "$ldflags" \
        -o "$unfinished/" tool ./etcd) >&2

    # One rename a file: whoever finds all three finds them whole, and two builds at once agree.
    mv -f "$unfinished"/* "$assets"/
fi

echo "$assets"
