"""Checks everything in deploy/, its parts side by side, and says `done` at the end."""

import concurrent.futures
import importlib
import time

PARTS = ["worker_chart", "server_chart", "monitoring", "machine", "documented"]


def check(part):
    started = time.monotonic()
    importlib.import_module(part).check()
    return f"{part}: good, {time.monotonic() - started:.1f} s"


if __name__ == "__main__":
    with concurrent.futures.ProcessPoolExecutor() as pool:
        for said in pool.map(check, PARTS):
            print(said, flush=True)
    print("done")
