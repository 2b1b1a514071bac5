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

data=$(mktemp -d)
# The servers of the plane run as another user when this one is root.
chmod 755 "$data"
"$signalbox" dev --data "$data/plane" --port 0 > "$data/log" 2>&1 &
plane=$!
finish() {
    kill "$plane" 2> /dev/null || true
    wait "$plane" 2> /dev/null || true
    rm -rf "$data"
}
trap finish EXIT
for _ in $(seq 600); do
    [[ -s $data/plane/dev.json ]] && break
    kill -0 "$plane" 2> /dev/null || { cat "$data/log"; exit 1; }
    sleep 0.5
done
member() { "$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$data/plane/dev.json" "$1"; }
api=$(member api)
# Targets are told of once a saga has called one.
curl --fail --silent --show-error --output "$data/made" --header "Authorization: Bearer $(member apiKey)" \
    --header "Content-Type: application/json" \
    --data '{"organization":{"name":"Watched","slug":"watched"},"priceId":"starter-monthly"}' "$api/v1/onboarding"
"$python" "$root/Tests/Observability/read.py" "$api" "$root"
