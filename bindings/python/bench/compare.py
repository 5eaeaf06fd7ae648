"""Measures this package beside the published one, `oz-agent-sdk`, in one run and against one server of its own. Wants OZ_BIN, and
both packages in this Python."""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KEY = "wk-1.0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
HERE = Path(__file__).parent
LIBRARIES = ("oz", "oz_agent_sdk")
IMPORTS, CALLS, RUNS, ROUNDS = 21, 960, 10_000, 9


def environment(url, home):
    return {**os.environ, "HOME": home, "OZ_SERVER_URL": url, "OZ_API_KEY": KEY, "OZ_API_BASE_URL": f"{url}/api/v1", "WARP_API_KEY": KEY}


def one(library, *args, env):
    told = subprocess.run([sys.executable, HERE / "one.py", library, *map(str, args)], env=env, capture_output=True, text=True, check=False)
    if told.returncode != 0:
        raise SystemExit(f"{library} {args}: {told.stderr}")
    return json.loads(told.stdout)


def imports(env):
    """Milliseconds of `import`, taken in turns; an empty process is taken off."""
    took = {name: [] for name in ("pass", *LIBRARIES)}
    for _ in range(IMPORTS):
        for name, times in took.items():
            begun = time.perf_counter()
            subprocess.run([sys.executable, "-c", "pass" if name == "pass" else f"import {name}"], env=env, check=True)
            times.append((time.perf_counter() - begun) * 1000)
    empty = statistics.median(took["pass"])
    return {name: statistics.median(took[name]) - empty for name in LIBRARIES}


def row(what, values, unit, more_is_better):
    ours, theirs = (values[name] for name in LIBRARIES)
    ratio = ours / theirs if more_is_better else theirs / ours
    print(f"| {what} | {ours:,.1f} {unit} | {theirs:,.1f} {unit} | {ratio:.2f}x |", flush=True)


def measure(env):
    import oz

    client = oz.Oz()
    first = client.runs.create(prompt="x", title="first", config={"worker_host": "nowhere"}).run_id
    print("| | oz-sdk | oz-agent-sdk | better by |\n|---|---|---|---|")
    row("import", imports(env), "ms", False)
    row("memory after one call", {name: one(name, "memory", env=env)["MiB"] for name in LIBRARIES}, "MiB", False)
    rounds = [{name: one(name, "calls", first, CALLS, env=env) for name in LIBRARIES} for _ in range(ROUNDS)]
    for what in rounds[0]["oz"]:
        best = {name: statistics.median(taken[name][what] for taken in rounds) for name in LIBRARIES}
        row({"threads": "64 threads", "async": "64 tasks"}.get(what, what), best, "calls/s", True)
    for _ in range(RUNS):
        client.runs.create(prompt="x", config={"worker_host": "nowhere"})
    listed = {name: one(name, "listing", RUNS, env=env) for name in LIBRARIES}
    row(f"list {RUNS:,} runs", {name: found["seconds"] for name, found in listed.items()}, "s", False)
    row("memory that it takes", {name: found["extra MiB"] for name, found in listed.items()}, "MiB", False)
    print(f"\nPython {platform.python_version()}, {os.cpu_count()} cores; medians, the packages in turns.")


with tempfile.TemporaryDirectory() as home:
    listens = "127.0.0.1:7797"
    command = [os.environ["OZ_BIN"], "serve", "--listen", listens, "--data-dir", f"{home}/data", "--no-worker", "--rate-limit", "0"]
    with open(f"{home}/log", "wb") as log:
        server = subprocess.Popen([*command, "--bootstrap-api-key", KEY], env={**os.environ, "HOME": home}, stdout=log, stderr=log)
    try:
        os.environ.update(environment(f"http://{listens}", home))
        for _ in range(300):
            if b"Listening" in Path(f"{home}/log").read_bytes():
                break
            time.sleep(0.1)
        measure(environment(f"http://{listens}", home))
    finally:
        server.terminate()
        server.wait()
