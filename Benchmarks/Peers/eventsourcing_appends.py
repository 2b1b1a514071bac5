"""Durable appends through the Python library eventsourcing, as its documentation has it: an application saves aggregates.

Usage: eventsourcing_appends.py HOST PORT DATABASE THREADS EVENTS SECONDS < payload
Prints one JSON line: events, seconds, and the latency of each save in microseconds.
"""

import json
import os
import sys
import threading
import time

host, port, database = sys.argv[1:4]
threads, size, seconds = map(int, sys.argv[4:7])
payload = sys.stdin.read()
os.environ.update(
    PERSISTENCE_MODULE="eventsourcing.postgres",
    POSTGRES_DBNAME=database,
    POSTGRES_HOST=host,
    POSTGRES_PORT=port,
    POSTGRES_USER="postgres",
    POSTGRES_PASSWORD="none",
    POSTGRES_POOL_SIZE=str(threads),
    POSTGRES_MAX_OVERFLOW="0",
    POSTGRES_PREPARED_STATEMENTS="y",
)

from eventsourcing.application import Application  # noqa: E402
from eventsourcing.domain import Aggregate, event  # noqa: E402


class Instance(Aggregate):
    """As many events as one save is to write: the first is its creation."""

    @event("Requested")
    def __init__(self, observation: str) -> None:
        self.observation = observation

    @event("Observed")
    def observe(self, observation: str) -> None:
        self.observation = observation


application = Application()
latencies: list[list[int]] = [[] for _ in range(threads)]
start = time.monotonic() + 0.1 * seconds
end = start + seconds


def call(mine: list[int]) -> None:
    while True:
        begun = time.monotonic()
        if begun >= end:
            return
        instance = Instance(observation=payload)
        for _ in range(size - 1):
            instance.observe(observation=payload)
        application.save(instance)
        if begun >= start:
            mine.append(int((time.monotonic() - begun) * 1e6))


callers = [threading.Thread(target=call, args=(mine,)) for mine in latencies]
for caller in callers:
    caller.start()
for caller in callers:
    caller.join()
elapsed = time.monotonic() - start
every = sorted(latency for mine in latencies for latency in mine)
print(json.dumps({"events": len(every) * size, "seconds": elapsed, "latencies": every}))
