"""Commands and reads over HTTP beside the library's own server that says hello, in one run, taking turns.

    python3 Benchmarks/HTTP/measure.py SIGNALBOX BARE [rounds] [seconds]

SIGNALBOX and BARE are release builds; `wrk` must be installed. It needs no library of Python.
"""

import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
CONNECTIONS = 64


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(ready, what, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if ready():
            return
        time.sleep(0.2)
    raise SystemExit(f"{what} did not start")


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ask(method, url, key, body=None, command=None):
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    if command:
        headers["Idempotency-Key"] = command
    data = json.dumps(body).encode() if body is not None else None
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=30) as answer:
        return json.load(answer)


def milliseconds(text):
    value, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(value) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]


def wrk(url, seconds, script=None, **environment):
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "--timeout", "10s"]
    command += ["-s", os.path.join(HERE, script)] if script else []
    text = subprocess.run(
        command + [url], check=True, capture_output=True, text=True, env=os.environ | environment
    ).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    errors = re.search(r"Socket errors: (.*)", text)
    if failed or errors:
        raise SystemExit(f"{url}: {(failed or errors).group(0)}")
    return {
        "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1)),
        "p50": milliseconds(re.search(r"50%\s+(\S+)", text).group(1)),
        "p99": milliseconds(re.search(r"99%\s+(\S+)", text).group(1)),
    }


def main():
    signalbox, bare = sys.argv[1:3]
    rounds, seconds = (int(word) for word in (sys.argv[3:5] + ["5", "10"][len(sys.argv) - 3 :]))
    folder = tempfile.mkdtemp()
    # The servers of the plane run as another user when this one is root.
    os.chmod(folder, 0o755)
    port = free_port()
    processes = []
    try:
        with open(os.path.join(folder, "log"), "w") as log:
            processes.append(subprocess.Popen([bare, str(port)], stdout=log, stderr=log))
            processes.append(
                subprocess.Popen(
                    [signalbox, "dev", "--data", os.path.join(folder, "plane"), "--port", "0"],
                    stdout=log,
                    stderr=log,
                    env=os.environ | {"SIGNALBOX_RATE_LIMIT": "off"},
                )
            )
        announced = os.path.join(folder, "plane", "dev.json")
        until(lambda: os.path.exists(announced) and listens(port), "the plane")
        with open(announced) as file:
            plane = json.load(file)
        made = ask("POST", plane["api"] + "/v1/organizations", plane["apiKey"], {"name": "Acme", "slug": "acme"}, "first")
        contenders = {
            "bare Hummingbird: GET hello": lambda turn: wrk(f"http://127.0.0.1:{port}/hello", seconds),
            "Signalbox: GET an organization": lambda turn: wrk(
                f"{plane['api']}/v1/organizations/{made['id']}", seconds, "read.lua", KEY=plane["apiKey"]
            ),
            "Signalbox: POST an organization": lambda turn: wrk(
                f"{plane['api']}/v1/organizations", seconds, "create.lua", KEY=plane["apiKey"], RUN=str(turn)
            ),
        }
        found = {name: [] for name in contenders}
        for turn in range(rounds):
            for name, measure in contenders.items():
                print(f"round {turn + 1} of {rounds}: {name}", file=sys.stderr)
                found[name].append(measure(turn))
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)
    hello = statistics.median(sample["rate"] for sample in next(iter(found.values())))
    print(f"{CONNECTIONS} connections, {rounds} turns of {seconds} s, in turn; the median counts\n")
    print("| | requests/s | min | max | p50 ms | p99 ms | of hello |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, samples in found.items():
        rates = [sample["rate"] for sample in samples]
        row = [f"{statistics.median(rates):,.0f}", f"{min(rates):,.0f}", f"{max(rates):,.0f}"]
        row += [f"{statistics.median(sample[share] for sample in samples):.2f}" for share in ("p50", "p99")]
        print(f"| {name} | {' | '.join(row)} | {statistics.median(rates) / hello:.2f}× |")


if __name__ == "__main__":
    main()
