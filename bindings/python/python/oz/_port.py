"""Where calls of an asyncio loop come back."""

from __future__ import annotations

import asyncio
from typing import Any, Optional
from weakref import WeakKeyDictionary

from ._errors import raised
from ._native import Port, Ticket

_here: WeakKeyDictionary[asyncio.AbstractEventLoop, Waiting] = WeakKeyDictionary()


class Waiting:
    """The calls that one loop waits for. Whatever is done wakes the loop once, not call by call."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.port = Port()
        self._create = loop.create_future
        self._futures: dict[int, asyncio.Future[Any]] = {}
        loop.add_reader(self.port.fileno(), self._drain)

    def _drain(self) -> None:
        for ticket, fine, told in self.port.drain():
            future = self._futures.pop(ticket, None)
            if future is None or future.done():
                continue
            if fine:
                future.set_result(told)
            else:
                future.set_exception(raised(told or b"{}"))

    async def wait(self, ticket: Ticket) -> Optional[bytes]:
        """The outcome of a call. Who cancels this cancels the request."""
        future = self._futures[ticket.id] = self._create()
        try:
            done: Optional[bytes] = await future
            return done
        finally:
            if self._futures.pop(ticket.id, None) is not None:
                ticket.cancel()


def here() -> Waiting:
    """That of the running loop."""
    loop = asyncio.get_running_loop()
    waiting = _here.get(loop)
    if waiting is None:
        waiting = _here[loop] = Waiting(loop)
    return waiting
