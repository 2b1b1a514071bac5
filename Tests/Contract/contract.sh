#!/usr/bin/env bash
# Starts a plane of its own and asks its API everything: as its user, as its operator, and as an auditor of the platform.
#
# Usage: contract.sh SIGNALBOX SCHEMATHESIS [ARGUMENTS OF SCHEMATHESIS…]
set -euo pipefail

signalbox=$1 schemathesis=$2
shift 2
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/Tests/plane.sh"
plane "$signalbox"

# The auditor's key is asked for before anybody can make the operator's useless.
auditor=$(python3 - "$(member api)" "$(member operatorKey)" << 'PYTHON'
import json, sys, urllib.request
api, key = sys.argv[1:]
headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
request = urllib.request.Request(f"{api}/v1/admin/api-keys", b'{"role":"auditor"}', headers)
print(json.load(urllib.request.urlopen(request, timeout=30))["key"])
PYTHON
)

cd "$data"
failed=0
ask() {
    echo "as $1"
    SIGNALBOX_TOKEN=$2 "$schemathesis" --config-file "$root/schemathesis.toml" run "${@:3}" \
        "$(member api)/openapi.json" || failed=1
}
ask "a user" "$(member apiKey)" "$@"
ask "an operator" "$(member operatorKey)" "$@"
ask "an auditor" "$auditor" "$@"
exit "$failed"
