"""Reads every event through the Python library eventsourcing, as its projections do: page after page of notifications.

Usage: eventsourcing_reads.py HOST PORT DATABASE EVENTS < payload
The table is filled first when it is shorter. Prints one JSON line: events, seconds.
"""

import json
import os
import sys
import time

host, port, database = sys.argv[1:4]
wanted = int(sys.argv[4])
payload = sys.stdin.read()
os.environ.update(
    PERSISTENCE_MODULE="eventsourcing.postgres",
    POSTGRES_DBNAME=database,
    POSTGRES_HOST=host,
    POSTGRES_PORT=port,
    POSTGRES_USER="postgres",
    POSTGRES_PASSWORD="none",
    POSTGRES_PREPARED_STATEMENTS="y",
)

import psycopg  # noqa: E402
from eventsourcing.application import Application  # noqa: E402


class Reading(Application):
    """Has a table of its own."""

    name = "reading"


# Kept, because whoever lets go of it closes its connections.
reading = Reading()
recorder = reading.recorder
with psycopg.connect(host=host, port=port, dbname=database, user="postgres") as connection:
    there = recorder.max_notification_id() or 0
    connection.execute(
        f"""
        INSERT INTO {recorder.events_table_name} (originator_id, originator_version, topic, state)
        SELECT md5((n / 10)::text)::uuid, n %% 10 + 1, 'benchmark:Observed', convert_to(%s, 'UTF8')
          FROM generate_series(%s::bigint, %s::bigint) AS n
        """,
        (payload, there, wanted - 1),
    )
    connection.commit()

begun = time.monotonic()
read = 0
start = 1
while read < wanted:
    page = recorder.select_notifications(start=start, limit=5000)
    if not page:
        break
    read += len(page)
    start = page[-1].id + 1
print(json.dumps({"events": read, "seconds": time.monotonic() - begun}))
