"""Workflows of three steps that do nothing, through the Python library dbos, as its documentation has them.

Usage: dbos_sagas.py URL AT_ONCE SECONDS
Prints one JSON line: workflows, seconds, and the latency of each in microseconds.
"""

import json
import logging
import sys
import threading
import time

from dbos import DBOS, DBOSConfig

url, at_once, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

config: DBOSConfig = {
    "name": "sagas",
    "system_database_url": url,
    "run_admin_server": False,
    "log_level": "ERROR",
}
DBOS(config=config)


@DBOS.step()
def one() -> int:
    return 1


@DBOS.step()
def two() -> int:
    return 2


@DBOS.step()
def three() -> int:
    return 3


@DBOS.workflow()
def saga() -> int:
    return one() + two() + three()


logging.disable(logging.WARNING)
DBOS.launch()
saga()
latencies: list[list[int]] = [[] for _ in range(at_once)]
start = time.monotonic() + 0.1 * seconds
end = start + seconds


def call(mine: list[int]) -> None:
    while True:
        begun = time.monotonic()
        if begun >= end:
            return
        saga()
        if begun >= start:
            mine.append(int((time.monotonic() - begun) * 1e6))


callers = [threading.Thread(target=call, args=(mine,)) for mine in latencies]
for caller in callers:
    caller.start()
for caller in callers:
    caller.join()
elapsed = time.monotonic() - start
found = sorted(latency for mine in latencies for latency in mine)
print(json.dumps({"workflows": len(found), "seconds": elapsed, "latencies": found}))
DBOS.destroy()
