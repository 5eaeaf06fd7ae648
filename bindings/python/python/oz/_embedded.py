"""A control plane and workers in this process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Callable, Optional

from . import _native
from ._object import encode

if TYPE_CHECKING:
    from ._client import SyncBase
    from ._generated.client import AsyncOz, Oz
    from ._generated.types import WorkTask


class Plane:
    """A control plane that is served in this process: by `with`, or until `stop`."""

    def __init__(self, native: _native.Served) -> None:
        self._native = native

    @property
    def url(self) -> str:
        """Its address."""
        return self._native.url

    @property
    def api_key(self) -> Optional[str]:
        """The key of its admin, unless the data directory has one from earlier."""
        return self._native.api_key

    def client(self) -> Oz:
        """A client of it."""
        from ._generated.client import Oz

        return Oz(api_key=self.api_key, base_url=self.url)

    def async_client(self) -> AsyncOz:
        """A client of it for asyncio."""
        from ._generated.client import AsyncOz

        return AsyncOz(api_key=self.api_key, base_url=self.url)

    def stop(self) -> None:
        """Ends it, and waits until nothing of it is left."""
        self._native.stop()

    def __enter__(self) -> Plane:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"Plane(url={self.url!r})"


def serve(
    *,
    data_dir: Optional[str] = None,
    listen: Optional[str] = None,
    api_key: Optional[str] = None,
    worker: bool = False,
    max_concurrent_tasks: Optional[int] = None,
    oz: Optional[str] = None,
    rate_limit: Optional[int] = None,
) -> Plane:
    """Serves a control plane in this process.

    Args:
        data_dir: Where everything durable lies; a directory that is deleted at the end when absent.
        listen: Address to listen on; a free port of this machine when absent.
        api_key: The key that the first start makes; a random one when absent.
        worker: Whether there is a worker, too, whose agents are processes of this machine.
        max_concurrent_tasks: How many runs that worker takes at once; 4 when absent.
        oz: The `oz` program that the worker's agents are; that in OZ_BIN or on the PATH when absent.
        rate_limit: How many calls a second each key may make; no limit when absent.
    """
    given: dict[str, Any] = {"data_dir": data_dir, "listen": listen, "api_key": api_key, "worker": worker}
    given.update(max_concurrent_tasks=max_concurrent_tasks, oz=oz, rate_limit=rate_limit)
    return Plane(_native.serve(encode(given)))


def work(
    execute: Callable[[WorkTask], object],
    *,
    client: SyncBase,
    worker_id: str,
    max_concurrent_tasks: Optional[int] = None,
    labels: Optional[Mapping[str, str]] = None,
    env: Optional[Mapping[str, str]] = None,
    drain: Optional[float] = None,
    lease: Optional[float] = None,
    stop: Optional[_native.Stop] = None,
) -> None:
    """Works for a control plane until `stop` is set, or for ever: `execute` runs the agent of each task, in a thread of its own,
    and returns when that has ended. An exception ends the run with its message.

    Args:
        execute: A function of a task.
        client: The control plane, and the key.
        worker_id: Its name; runs whose `worker_host` equals it come here.
        max_concurrent_tasks: How many runs it takes at once; 4 when absent.
        labels: What it offers to runs that ask for it.
        env: Further environment of the agents.
        drain: How many seconds runs may go on after the worker was asked to end.
        lease: The lease of the control plane in seconds; 30 when absent.
        stop: Ends it when set.
    """

    from ._generated.types import WorkTask

    def backend(told: bytes, stopping: _native.Stop) -> bytes:
        task: WorkTask = WorkTask._of(json.loads(told))
        task._client = stopping
        execute(task)
        return json.dumps({"type": "stopped" if stopping.is_set() else "finished"}).encode()

    options: dict[str, Any] = {"worker_id": worker_id, "max_concurrent_tasks": max_concurrent_tasks, "labels": labels}
    options.update(env=env, drain=drain, lease=lease)
    _native.work(client._native, encode(options), backend, _native.Stop() if stop is None else stop)
