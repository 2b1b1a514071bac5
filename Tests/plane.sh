# Sourced by scripts that ask a live plane: starts one of its own, in a folder of its own, that ends with the script.
#
# `plane SIGNALBOX` starts it and sets `data`, the folder; `member NAME` says what its dev.json has.

plane() {
    data=$(mktemp -d)
    # The servers of the plane run as another user when this one is root.
    chmod 755 "$data"
    "$1" dev --data "$data/plane" --port 0 > "$data/log" 2>&1 &
    plane=$!
    trap finish EXIT
    for _ in $(seq 600); do
        [[ -s $data/plane/dev.json ]] && return
        kill -0 "$plane" 2> /dev/null || break
        sleep 0.5
    done
    cat "$data/log"
    exit 1
}

finish() {
    kill "$plane" 2> /dev/null || true
    wait "$plane" 2> /dev/null || true
    rm -rf "$data"
}

member() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$data/plane/dev.json" "$1"; }
