"""What clients cost that follow the log and are told nothing: opens them against a running `signalbox dev --data DIR`.

    python3 Benchmarks/Feeds/idle_clients.py DIR PID [clients] [seconds]

PID is that of the process that serves. It needs no library; `psql` asks how many transactions the database had.
"""

import asyncio
import json
import os
import resource
import subprocess
import sys
from urllib.parse import urlsplit


def processor(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024


def transactions(url):
    query = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
    return int(subprocess.run(["psql", url, "-Atc", query], check=True, capture_output=True, text=True).stdout)


async def join(plane, key):
    reader, writer = await asyncio.open_connection(plane.hostname, plane.port)
    writer.write(f"GET /v1/events/stream HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n\r\n".encode())
    line = await reader.readline()
    if b" 200 " not in line:
        raise SystemExit(f"not let in: {line}")
    return reader, writer


async def follow(reader, writer, heard):
    while line := await reader.readline():
        heard[0] += line.startswith(b": hb")
        heard[1] += line.startswith(b"id: ")


async def measure(pid, database, seconds):
    before = processor(pid), transactions(database)
    await asyncio.sleep(seconds)
    return (processor(pid) - before[0]) / seconds, (transactions(database) - before[1]) / seconds, memory(pid)


async def main():
    folder, pid = sys.argv[1], int(sys.argv[2])
    clients = int(sys.argv[3]) if len(sys.argv) > 3 else 2000
    seconds = int(sys.argv[4]) if len(sys.argv) > 4 else 30
    resource.setrlimit(resource.RLIMIT_NOFILE, (clients + 100, max(clients + 100, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    with open(f"{folder}/dev.json") as file:
        dev = json.load(file)
    plane = urlsplit(dev["api"])
    heard, tasks = [0, 0], []
    for target in (0, clients // 20, clients):
        while len(tasks) < target:
            part = min(50, target - len(tasks))
            joined = await asyncio.gather(*(join(plane, dev["operatorKey"]) for _ in range(part)))
            tasks += [asyncio.create_task(follow(*streams, heard)) for streams in joined]
        await asyncio.sleep(5)
        heard[:] = 0, 0
        share, rate, size = await measure(pid, dev["databaseUrl"], seconds)
        gone = sum(task.done() for task in tasks)
        print(
            f"{target:>6} clients: {share * 100:5.1f} % of a processor, {rate:6.1f} transactions/s, {size:6.1f} MiB, "
            f"{heard[0]} heartbeats, {heard[1]} events, {gone} gone",
            flush=True,
        )


asyncio.run(main())
