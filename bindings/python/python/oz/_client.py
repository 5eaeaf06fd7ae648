"""What the clients have in common: options, and how a call is made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Optional, TypedDict

from ._native import Client
from ._object import Object, decoder, encode
from ._stream import Bytes, Stream, Watch

if TYPE_CHECKING:
    from typing import TypeVar

    Self = TypeVar("Self", bound="Base")


class CallOptions(TypedDict, total=False):
    """How a call is made; every method takes them by name."""

    timeout: Optional[float]
    """Seconds that one try may take."""
    max_retries: Optional[int]
    """How often it is tried again."""
    headers: Optional[Mapping[str, str]]
    """Headers to send with it."""
    extra_headers: Optional[Mapping[str, str]]
    """The same."""
    idempotency_key: Optional[str]
    """Names the call: however often it is made with this key, it is done once."""


class Resource:
    """Methods that belong together."""

    __slots__ = ("_client",)

    def __init__(self, client: Any) -> None:
        self._client = client

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._client!r}>"


class Base:
    """A client of either kind."""

    _native: Client
    _given: dict[str, Any]
    _defaults: dict[str, Any]

    def __init__(
        self,
        api_key: Optional[str] = None,
        base_url: Optional[str] = None,
        *,
        timeout: Optional[float] = None,
        max_retries: Optional[int] = None,
        headers: Optional[Mapping[str, str]] = None,
        default_headers: Optional[Mapping[str, str]] = None,
        source: Optional[str] = None,
    ) -> None:
        self._given = {
            "api_key": api_key,
            "base_url": base_url,
            "timeout": timeout,
            "max_retries": max_retries,
            "headers": {**(default_headers or {}), **(headers or {})} or None,
            "source": source,
        }
        self._defaults = {}
        self._native = Client(encode(self._given))

    @property
    def base_url(self) -> str:
        """The address of the server."""
        return self._native.base_url

    def with_options(
        self: Self,
        *,
        timeout: Optional[float] = None,
        max_retries: Optional[int] = None,
        headers: Optional[Mapping[str, str]] = None,
        default_headers: Optional[Mapping[str, str]] = None,
        api_key: Optional[str] = None,
        base_url: Optional[str] = None,
    ) -> Self:
        """The same client with other options; what is absent stays. It shares the connections, unless the key or the
        address is another."""
        other = type(self).__new__(type(self))
        other._defaults = _merged(
            self._defaults,
            {"timeout": timeout, "max_retries": max_retries, "headers": {**(default_headers or {}), **(headers or {})}},
        )
        other._given = self._given
        other._native = self._native
        if api_key is not None or base_url is not None:
            given = {"api_key": api_key, "base_url": base_url}
            other._given = {**self._given, **{name: value for name, value in given.items() if value is not None}}
            other._native = Client(encode(other._given))
        return other

    copy = with_options

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self.base_url!r})"

    def _options(self, options: CallOptions) -> Optional[bytes]:
        if not options and not self._defaults:
            return None
        for name in options:
            if name not in CallOptions.__annotations__:
                raise TypeError(f"got an unexpected keyword argument '{name}'")
        return encode(_merged(self._defaults, dict(options)))

    def _made(self, told: Optional[bytes], answer: Optional[str], method: str, fields: dict[str, Any]) -> Any:
        """The answer of a call, of the type that the method says."""
        if answer is None or told is None:
            return None
        made = decoder(answer)(json.loads(told))
        if isinstance(made, Object):
            made._client, made._request = self, (method, fields)
        return made

    def _stream(self, method: str, item: str, fields: dict[str, Any], options: CallOptions) -> Any:
        request, chosen = encode(fields), self._options(options)
        kind = Watch if method == "watch" else Stream
        bound = self if item == "Run" or kind is Watch else None
        return kind(lambda: self._native.open(method, request, True, chosen), item, bound)

    def _bytes(self, method: str, fields: dict[str, Any], options: CallOptions) -> Bytes:
        request, chosen = encode(fields), self._options(options)
        return Bytes(lambda: self._native.open(method, request, False, chosen))


class SyncBase(Base):
    """A client whose methods wait. Other threads go on meanwhile, and Ctrl-C ends the call."""

    def _call(self, method: str, answer: Optional[str], fields: dict[str, Any], options: CallOptions) -> Any:
        told = self._native.call(method, encode(fields), self._options(options))
        return self._made(told, answer, method, fields)

    def _upload(self, method: str, fields: dict[str, Any], content: bytes, options: CallOptions) -> None:
        self._native.upload(method, encode(fields), content, self._options(options))

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing has to be closed; connections end by themselves."""


class AsyncBase(Base):
    """A client for asyncio. Cancelling a task that awaits a call cancels its request."""

    async def _call(self, method: str, answer: Optional[str], fields: dict[str, Any], options: CallOptions) -> Any:
        from ._port import here

        waiting = here()
        ticket = self._native.begin(waiting.port, method, encode(fields), self._options(options))
        return self._made(await waiting.wait(ticket), answer, method, fields)

    async def _upload(self, method: str, fields: dict[str, Any], content: bytes, options: CallOptions) -> None:
        from ._port import here

        waiting = here()
        ticket = self._native.begin_upload(waiting.port, method, encode(fields), content, self._options(options))
        await waiting.wait(ticket)

    async def __aenter__(self: Self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Nothing has to be closed; connections end by themselves."""


def _merged(ours: Mapping[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """Options with others over them; headers are joined."""
    headers = {**(ours.get("headers") or {}), **(theirs.pop("extra_headers", None) or {}), **(theirs.get("headers") or {})}
    given = {name: value for name, value in theirs.items() if value is not None}
    return {**ours, **given, **({"headers": headers} if headers else {})}
