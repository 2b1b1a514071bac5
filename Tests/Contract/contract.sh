#!/usr/bin/env bash
# Starts a plane of its own and asks its API everything, first as its user and then as its operator.
#
# Usage: contract.sh SIGNALBOX SCHEMATHESIS [ARGUMENTS OF SCHEMATHESIS…]
set -euo pipefail

signalbox=$1 schemathesis=$2
shift 2
root=$(cd "$(dirname "$0")/../.." && pwd)
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

member() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$data/plane/dev.json" "$1"; }

cd "$data"
failed=0
for who in apiKey operatorKey; do
    echo "as the holder of $who"
    SIGNALBOX_TOKEN=$(member "$who") "$schemathesis" --config-file "$root/schemathesis.toml" run "$@" \
        "$(member api)/openapi.json" || failed=1
done
exit "$failed"
