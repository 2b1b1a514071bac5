#!/usr/bin/env bash
# Has strangers judge what the plane tells about itself: promtool the alert rules, a strict parser the metrics of a live plane.
#
# Usage: observability.sh SIGNALBOX PYTHON CACHE
set -euo pipefail

signalbox=$1 python=$2 cache=$3
root=$(cd "$(dirname "$0")/../.." && pwd)

# Only promtool is wanted of Debian's package, which would start a server when it is installed.
if [[ ! -x $cache/usr/bin/promtool ]]; then
    mkdir -p "$cache"
    (cd "$cache" && apt-get download -qq prometheus && dpkg-deb --extract prometheus_*.deb . && rm prometheus_*.deb)
fi
"$cache/usr/bin/promtool" check rules "$root/deploy/alerts.yaml"
"$cache/usr/bin/promtool" test rules "$root/deploy/alerts.test.yaml"

. "$root/Tests/plane.sh"
plane "$signalbox"
api=$(member api)
# Targets are told of once a saga has called one.
curl --fail --silent --show-error --output "$data/made" --header "Authorization: Bearer $(member apiKey)" \
    --header "Content-Type: application/json" \
    --data '{"organization":{"name":"Watched","slug":"watched"},"priceId":"starter-monthly"}' "$api/v1/onboarding"
"$python" "$root/Tests/Observability/read.py" "$api" "$root"
