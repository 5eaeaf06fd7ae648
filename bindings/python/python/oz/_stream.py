"""What comes piece by piece: items, live events, bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Callable, Generic, Optional, TypeVar

from ._object import decoder

if TYPE_CHECKING:
    from types import TracebackType

    from ._native import Items

T = TypeVar("T")


class _Pieces(Generic[T]):
    """A stream of either kind. It can be read by `for` and by `async for`, once."""

    def __init__(self, open_items: Callable[[], Items]) -> None:
        self._open = open_items
        self._items: Optional[Items] = None
        self._ready: list[T] = []

    def _take(self, told: bytes) -> list[T]:
        raise NotImplementedError

    def _begun(self) -> Items:
        if self._items is None:
            self._items = self._open()
        return self._items

    def _next(self, told: Optional[bytes]) -> bool:
        if told is None:
            return False
        self._ready = self._take(told)
        self._ready.reverse()
        return True

    def __iter__(self) -> _Pieces[T]:
        return self

    def __next__(self) -> T:
        while not self._ready:
            if not self._next(self._begun().next()):
                raise StopIteration
        return self._ready.pop()

    def __aiter__(self) -> _Pieces[T]:
        return self

    async def __anext__(self) -> T:
        while not self._ready:
            from ._port import here

            waiting = here()
            if not self._next(await waiting.wait(self._begun().begin_next(waiting.port))):
                raise StopAsyncIteration
        return self._ready.pop()

    def close(self) -> None:
        """Ends the stream and its connection."""
        if self._items is not None:
            self._items.close()

    async def aclose(self) -> None:
        """The same, for `contextlib.aclosing`."""
        self.close()

    def __enter__(self) -> _Pieces[T]:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    async def __aenter__(self) -> _Pieces[T]:
        return self

    async def __aexit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_items", None) is not None:
            self.close()


class Stream(_Pieces[T]):
    """Items, one after another: `for item in stream` or `async for item in stream`. Live ones come as they happen."""

    def __init__(self, open_items: Callable[[], Items], kind: str, client: Any = None) -> None:
        super().__init__(open_items)
        self._decode = decoder(kind)
        self._client = client

    def _take(self, told: bytes) -> list[T]:
        made = [self._decode(item) for item in json.loads(told)]
        if self._client is not None:
            for item in made:
                item._client = self._client
        return made


class Watch(Stream[T]):
    """A run, live. As the last value of a notebook's cell it shows the run until that has ended."""

    def _ipython_display_(self) -> None:
        from ._notebook import show

        show(self)


class Bytes(_Pieces[bytes]):
    """Bytes, as they come."""

    def _take(self, told: bytes) -> list[bytes]:
        return [told]

    def read(self) -> bytes:
        """All that is left."""
        return b"".join(self)

    async def aread(self) -> bytes:
        """All that is left."""
        return b"".join([piece async for piece in self])
