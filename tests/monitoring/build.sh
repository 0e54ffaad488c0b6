#!/usr/bin/env bash
# Brings the Prometheus and the Alertmanager that the tests show on the second port, and prints the
# folder that holds them as the only line on stdout: `prometheus`, `promtool` and `alertmanager` side by
# side, and `web`, Prometheus's own pages, where it does not bring them inside. Nothing is done when they are
# there already, and a folder of one's own named by MONITORING_ASSETS is taken as it is.
#
# Alertmanager is compiled from its Go module, whose pages are part of it. Those of Prometheus are not
# part of its module: its binary is that of Debian, unpacked beside its pages. Nothing is installed,
# so nothing is started either.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
tools=(prometheus promtool alertmanager)

# Prometheus of Debian, and what its pages load.
packages=(prometheus fonts-glyphicons-halflings libjs-bootstrap4 libjs-d3
    libjs-eonasdan-bootstrap-datetimepicker libjs-jquery libjs-jquery-hotkeys libjs-moment
    libjs-moment-timezone libjs-mustache libjs-popper.js libjs-rickshaw)

say() { echo "tests/monitoring/build.sh: $*" >&2; }

# Names the tools that the folder $1 lacks.
missing_in() {
    local tool
    for tool in "${tools[@]}"; do
        [[ -x "$1/$tool" ]] || echo "$tool"
    done
}

if [[ -n "${MONITORING_ASSETS:-}" ]]; then
    missing="$(missing_in "$MONITORING_ASSETS")"
    if [[ -n "$missing" ]]; then
        say "MONITORING_ASSETS is $MONITORING_ASSETS, which lacks:" $missing
        say "unset it to bring the tools from elsewhere"
        exit 1
    fi
    echo "$MONITORING_ASSETS"
    exit 0
fi

alertmanager="$(awk '$1 == "github.com/prometheus/alertmanager" { print $2 }' "$here/go.mod")"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/monitor-backend/monitoring"
assets="$cache/alertmanager-$alertmanager"
mkdir -p "$assets"

unfinished="$(mktemp -d "$cache/unfinished.XXXXXX")"
trap 'rm -rf "$unfinished"' EXIT

if [[ ! -x "$assets/alertmanager" ]]; then
    if ! command -v go >/dev/null; then
        say "building Alertmanager needs Go, $(awk '$1 == "go" { print $2 }' "$here/go.mod") or" \
            "later; or set MONITORING_ASSETS to a folder with binaries of your own"
        exit 1
    fi
    say "compiling Alertmanager $alertmanager, once, into $assets"
    (cd "$here" && CGO_ENABLED=0 GOWORK=off \
        go build -trimpath -buildvcs=false -ldflags "-s -w" -o "$unfinished/" tool) >&2
    mv -f "$unfinished/alertmanager" "$assets/alertmanager"
fi

if [[ ! -x "$assets/prometheus" || ! -x "$assets/promtool" ]]; then
    say "unpacking Debian's Prometheus, once, into $assets"
    # A folder that apt's own user can write to, where it has one.
    chmod 755 "$unfinished"
    mkdir -m 777 "$unfinished/packages"
    if ! (cd "$unfinished/packages" && apt-get download "${packages[@]}") >&2; then
        say "Debian's packages cannot be fetched (is the list of packages there? apt-get update);" \
            "or set MONITORING_ASSETS to a folder with binaries of your own"
        exit 1
    fi
    for package in "$unfinished"/packages/*.deb; do
        dpkg-deb --extract "$package" "$unfinished/debian"
    done
    rm -rf "$assets/debian"
    mv "$unfinished/debian" "$assets/debian"
    ln -sfn debian/usr/share/prometheus/web "$assets/web"
    ln -sfn debian/usr/bin/promtool "$assets/promtool"
    # Last: whoever finds it finds all of it.
    ln -sfn debian/usr/bin/prometheus "$assets/prometheus"
fi

echo "$assets"
