"""Takes the metrics of a live server apart with strict readers, and compares them with docs/metrics.md.

Usage: read.py ADDRESS ROOT
"""
import sys
import time
import urllib.request

from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client import parser as prometheus


def fetch(address, accept):
    request = urllib.request.Request(address + "/metrics", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def families(text, parser):
    return {family.name: family for family in parser.text_string_to_metric_families(text)}


def main(address, root):
    with open(root + "/docs/metrics.md") as document:
        rows = [line.split("`")[1] for line in document if line.startswith(("| `signalbox_", "| `http_"))]
    wanted = {name.removesuffix("_total") for name in rows}
    # Some are told for the first time after a few seconds.
    for _ in range(60):
        kind, text = fetch(address, "application/openmetrics-text")
        strict = families(text, openmetrics)
        if not wanted - strict.keys():
            break
        time.sleep(0.5)
    assert kind.startswith("application/openmetrics-text; version=1.0.0"), kind
    missing, unknown = wanted - strict.keys(), strict.keys() - wanted
    assert not missing and not unknown, f"missing {sorted(missing)}, not in docs/metrics.md {sorted(unknown)}"
    kind, text = fetch(address, "text/plain")
    assert kind.startswith("text/plain; version=0.0.4"), kind
    plain = families(text, prometheus)
    assert {name.removesuffix("_total") for name in plain} >= wanted
    silent = sorted(name for name, family in strict.items() if not family.documentation)
    assert not silent, f"without a word of help: {silent}"
    for name, family in strict.items():
        types = {plain[known].type for known in (name, name + "_total") if known in plain}
        assert types == {family.type}, f"{name} is {family.type} and {types}"
    samples = sum(len(family.samples) for family in strict.values())
    print(f"{len(strict)} metrics, {samples} samples: OpenMetrics and Prometheus agree with docs/metrics.md")


main(*sys.argv[1:])
