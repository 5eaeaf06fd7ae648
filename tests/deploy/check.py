"""Checks everything in deploy/ and says `done` at the end."""

import sys
import time

import machine
import monitoring
import server_chart
import worker_chart

for part in [worker_chart, server_chart, monitoring, machine]:
    started = time.monotonic()
    part.check()
    print(f"{part.__name__}: good, {time.monotonic() - started:.1f} s", flush=True)
print("done")
