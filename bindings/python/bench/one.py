"""Measures one client library, `oz` or `oz_agent_sdk`, and prints what it found as JSON. `compare.py` runs it for both."""

import asyncio
import json
import resource
import sys
import threading
import time

LIBRARY, WHAT = sys.argv[1], sys.argv[2]


def clients():
    """The client that waits and the one for asyncio, without retries that would blur the figures."""
    if LIBRARY == "oz":
        import oz

        return oz.Oz(max_retries=0), oz.AsyncOz(max_retries=0)
    import oz_agent_sdk

    return oz_agent_sdk.OzAPI(max_retries=0), oz_agent_sdk.AsyncOzAPI(max_retries=0)


def rate(count, work):
    """How often in a second `work` did something that it did `count` times."""
    begun = time.perf_counter()
    work()
    return count / (time.perf_counter() - begun)


def calls(run_id, count):
    """Calls in a second: one after another, by 64 threads, by 64 tasks."""
    client, aclient = clients()
    get = client.agent.runs.retrieve
    for _ in range(50):
        assert get(run_id).run_id == run_id

    def sequential():
        for _ in range(count):
            get(run_id).state

    def threads():
        def some():
            for _ in range(count // 64):
                get(run_id).state

        started = [threading.Thread(target=some) for _ in range(64)]
        for thread in started:
            thread.start()
        for thread in started:
            thread.join()

    async def tasks():
        async def some():
            for _ in range(count // 64):
                (await aclient.agent.runs.retrieve(run_id)).state

        await asyncio.gather(*(some() for _ in range(64)))
        begun = time.perf_counter()
        await asyncio.gather(*(some() for _ in range(64)))
        return count // 64 * 64 / (time.perf_counter() - begun)

    async def alone():
        for _ in range(50):
            await aclient.agent.runs.retrieve(run_id)
        begun = time.perf_counter()
        for _ in range(count):
            (await aclient.agent.runs.retrieve(run_id)).state
        return count / (time.perf_counter() - begun)

    async def both():
        # In one loop: connections of the published client do not outlive theirs.
        return {"async sequential": await alone(), "async": await tasks()}

    return {
        "sequential": rate(count, sequential),
        "threads": rate(count // 64 * 64, threads),
        **asyncio.run(both()),
    }


def listing(total):
    """Seconds to list all runs, each read once, and the most memory that it took."""
    client, _ = clients()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.perf_counter()
    ids = {(run.run_id, run.created_at, run.agent_config.worker_host)[0] for run in client.agent.runs.list(limit=500)}
    took = time.perf_counter() - begun
    assert len(ids) >= total, len(ids)
    return {"runs": len(ids), "seconds": took, "extra MiB": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024}


def memory():
    """The most memory of a process that imported the library and made one call, in MiB."""
    client, _ = clients()
    client.agent.runs.list(limit=1)
    return {"MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


found = {"calls": lambda: calls(sys.argv[3], int(sys.argv[4])), "listing": lambda: listing(int(sys.argv[3])), "memory": memory}
print(json.dumps(found[WHAT]()))
