"""Harnesses that are written in Python, and runs that they do in this process."""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Callable, Optional, Union

from . import _native
from ._object import Object, decoder, encode, lazy, plain

if TYPE_CHECKING:
    from ._client import AsyncBase, SyncBase
    from ._generated.params import AgentConfigParam
    from ._generated.types import AgentConfig, HarnessEvent, StatusMessage, Usage

    Events = Union[Iterator[Union[HarnessEvent, Mapping[str, Any]]], AsyncIterator[Union[HarnessEvent, Mapping[str, Any]]]]


class HarnessTask(Object):
    """What a harness is asked to do; it has further fields as the core's has them."""

    run_id: Optional[str] = None
    """The run, where there is one."""
    prompt: str
    """What to do."""
    workspace: str
    """The directory to work in; it exists."""
    home: str
    """A private directory for the harness's own files, which is gone when the run ends."""
    model_id: Optional[str] = None
    """The model to use; the harness's default when absent."""
    env: dict[str, str] = lazy({})
    """The whole environment of the processes that the agent starts."""


class LocalResult(Object):
    """How a run in this process ended."""

    state: str
    """The state in which it ended."""
    status: StatusMessage = lazy()
    """Why."""
    usage: Usage = lazy()
    """What it used."""
    run_id: Optional[str] = None
    """Its id, where it has a record."""


class Harness(ABC):
    """An agent of one's own: `start` does the task and yields what happens. One object does one task."""

    name: str = "python"
    """What it is called."""

    @abstractmethod
    def start(self, task: HarnessTask) -> Events:
        """Does the task, as a generator or an asynchronous one. It yields events, such as `oz.HarnessEventText(text="hello")`;
        the last is an `oz.HarnessEventState` with a state such as `succeeded` or `failed`."""

    def send(self, message: str) -> Any:
        """Takes another message while it works; an event of type `prompt` with its text says that it was read."""
        raise NotImplementedError(f"the harness '{self.name}' can't take messages while it works")

    def interrupt(self) -> Any:
        """Ends the step that it is at."""
        raise NotImplementedError(f"the harness '{self.name}' can't be interrupted")

    def cancel(self) -> Any:
        """Asks it to stop soon. What still works after a moment is closed."""


class Driven:
    """A harness as the native module drives it: by calls that wait. What is asynchronous runs in a loop of its own."""

    def __init__(self, harness: Harness) -> None:
        self._harness = harness
        self._loop: Optional[asyncio.AbstractEventLoop] = None

    def name(self) -> str:
        return self._harness.name

    def start(self, task: str) -> _Events:
        made: HarnessTask = HarnessTask._of(json.loads(task))
        return _Events(self, self._harness.start(made))

    def send(self, message: str) -> None:
        self._done(self._harness.send(message))

    def interrupt(self) -> None:
        self._done(self._harness.interrupt())

    def cancel(self) -> None:
        self._done(self._harness.cancel())

    def _done(self, answer: Any) -> Any:
        if not inspect.isawaitable(answer):
            return answer
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, name="oz-harness", daemon=True).start()

        async def awaited() -> Any:
            return await answer

        return asyncio.run_coroutine_threadsafe(awaited(), self._loop).result()

    def end(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)


class _Events:
    """What a harness yields, one by one as JSON."""

    def __init__(self, driven: Driven, events: Any) -> None:
        self._driven, self._events = driven, events

    def next(self) -> Optional[bytes]:
        try:
            if hasattr(self._events, "__anext__"):
                event = self._driven._done(self._events.__anext__())
            else:
                event = next(self._events)
        except (StopIteration, StopAsyncIteration):
            return None
        return json.dumps(plain(event)).encode()

    def close(self) -> None:
        try:
            if hasattr(self._events, "aclose"):
                self._driven._done(self._events.aclose())
            elif hasattr(self._events, "close"):
                self._events.close()
        except (RuntimeError, ValueError):
            pass  # It is at work in another thread, and ends with that step.
        finally:
            self._driven.end()


Observe = Callable[[dict[str, Any]], object]


def observing(observe: Optional[Observe]) -> Optional[Callable[[str], object]]:
    """The observer as the native module calls it."""
    return None if observe is None else lambda told: observe(json.loads(told))


def _options(prompt: str, config: Any, cwd: Optional[str], model: Optional[str]) -> bytes:
    return encode({"prompt": prompt, "config": config, "cwd": cwd, "model": model})


def run_local(
    prompt: str,
    harness: Harness,
    *,
    config: Optional[Union[AgentConfig, AgentConfigParam]] = None,
    cwd: Optional[str] = None,
    model: Optional[str] = None,
    client: Optional[SyncBase] = None,
    observe: Optional[Observe] = None,
) -> LocalResult:
    """Does a run in this process with a harness of one's own, and waits for its end.

    Args:
        prompt: What to do.
        harness: What does it.
        config: How.
        cwd: The directory to work in; a temporary one when absent.
        model: The model, before the one that the configuration names.
        client: The control plane that keeps its record; none does when absent.
        observe: Is told of each event, as a dict.
    """
    native = None if client is None else client._native
    told = _native.run_local(
        _options(prompt, config, cwd, model), native, Driven(harness), observing(observe), _native.Stop()
    )
    made: LocalResult = LocalResult._of(json.loads(told))
    return made


async def arun_local(
    prompt: str,
    harness: Harness,
    *,
    config: Optional[Union[AgentConfig, AgentConfigParam]] = None,
    cwd: Optional[str] = None,
    model: Optional[str] = None,
    client: Optional[AsyncBase] = None,
    observe: Optional[Observe] = None,
) -> LocalResult:
    """The same for asyncio; cancelling it ends the run."""
    from ._port import here

    waiting = here()
    native = None if client is None else client._native
    options = _options(prompt, config, cwd, model)
    ticket = _native.begin_run_local(
        waiting.port, options, native, Driven(harness), observing(observe), _native.Stop()
    )
    made: LocalResult = LocalResult._of(json.loads(await waiting.wait(ticket) or b"{}"))
    return made
