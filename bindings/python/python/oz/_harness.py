"""Harnesses that are written in Python, and runs that they do in this process."""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Callable, Optional, Union

from . import _native
from ._object import encode, plain

if TYPE_CHECKING:
    from ._client import AsyncBase, SyncBase
    from ._generated.params import AgentConfigParam
    from ._generated.types import AgentConfig, Answer, DriverResult, HarnessEvent, HarnessTask

    Events = Union[Iterator[Union[HarnessEvent, Mapping[str, Any]]], AsyncIterator[Union[HarnessEvent, Mapping[str, Any]]]]


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
        raise NotImplementedError

    def answer(self, request_id: str, answer: Answer) -> Any:
        """Takes the answer to a `request` that it told of; an event of type `answered` with its id says that it has it."""
        raise NotImplementedError

    def interrupt(self) -> Any:
        """Ends the step that it is at, and reads what was sent to it."""
        raise NotImplementedError

    def pause(self) -> Any:
        """Ends the step that it is at, and does nothing else until it is sent something. Else `interrupt` is called."""
        raise NotImplementedError

    def dismiss(self) -> Any:
        """Hears that nothing more will be sent: one that rests, having told the state `resting`, ends."""

    def save(self) -> Any:
        """The conversation so far as an `oz.SavedSession` with a `session_id`, which may be empty, and its text as `content`; a
        later task of the same conversation has it in `saved`. Without it, the prompt of that task tells all that was said."""
        return None

    def cancel(self) -> Any:
        """Asks it to stop soon. What still works after a moment is closed."""


class Driven:
    """A harness as the native module drives it: by calls that wait. What is asynchronous runs in a loop of its own."""

    def __init__(self, harness: Harness) -> None:
        self._harness = harness
        self._loop = _Loop()

    def name(self) -> str:
        return self._harness.name

    def start(self, task: str) -> _Events:
        from ._generated.types import HarnessTask

        made: HarnessTask = HarnessTask._of(json.loads(task))
        return _Events(self, self._harness.start(made))

    def call(self, asked: str) -> bytes:
        from ._generated.types import Answer

        given = json.loads(asked)
        method = getattr(self._harness, given.pop("call"))
        if "answer" in given:
            given["answer"] = Answer._of(given["answer"])
        return json.dumps(plain(self._done(method(**given)))).encode()

    def _done(self, answer: Any) -> Any:
        return self._loop.done(answer) if inspect.isawaitable(answer) else answer

    def end(self) -> None:
        self._loop.end()


class _Loop:
    """A loop of asyncio in a thread of its own: from the first time that it is needed until the end, and after that for as long
    as something is still asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._going, self._ended = 0, False

    def done(self, awaitable: Awaitable[Any]) -> Any:
        async def awaited() -> Any:
            return await awaitable

        with self._lock:
            self._going += 1
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_run, args=(self._loop,), name="oz-harness", daemon=True).start()
            loop = self._loop
        try:
            return asyncio.run_coroutine_threadsafe(awaited(), loop).result()
        finally:
            with self._lock:
                self._going -= 1
                self._rest()

    def end(self) -> None:
        with self._lock:
            self._ended = True
            self._rest()

    def _rest(self) -> None:
        if self._ended and self._going == 0 and self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop = None


def _run(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()


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


def result(told: bytes) -> DriverResult:
    """How a run ended."""
    from ._generated.types import DriverResult

    made: DriverResult = DriverResult._of(json.loads(told))
    return made


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
) -> DriverResult:
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
    return result(told)


async def arun_local(
    prompt: str,
    harness: Harness,
    *,
    config: Optional[Union[AgentConfig, AgentConfigParam]] = None,
    cwd: Optional[str] = None,
    model: Optional[str] = None,
    client: Optional[AsyncBase] = None,
    observe: Optional[Observe] = None,
) -> DriverResult:
    """The same for asyncio; cancelling it ends the run."""
    from ._port import here

    waiting = here()
    native = None if client is None else client._native
    options = _options(prompt, config, cwd, model)
    ticket = _native.begin_run_local(
        waiting.port, options, native, Driven(harness), observing(observe), _native.Stop()
    )
    return result(await waiting.wait(ticket) or b"{}")
