"""What the server answers with: plain objects over the JSON that came.

An object keeps that JSON as it is, fields of a newer server too. Texts and numbers are read from it directly; what needs more,
such as a moment or an object inside, is made on its first use, by the annotation of its field.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime, timezone
from importlib import import_module
from typing import TYPE_CHECKING, Any, Callable, Optional, TypeVar

Decoder = Callable[[Any], Any]
SomeObject = TypeVar("SomeObject", bound="Object")

# Fields that hold a key, a token or a code: they are there for programs and are never shown.
_HIDDEN = frozenset({"raw_api_key", "api_key", "token", "code", "value", "headers", "upload_url", "download_url", "env"})


class Object:
    """An object of the API: its fields are attributes. Unknown fields are attributes as well."""

    __slots__ = ("_made", "_client", "_request", "__dict__", "__weakref__")

    if TYPE_CHECKING:
        _made: dict[str, Any]
        _client: Any
        _request: Any

    _tag: Optional[str] = None
    _kinds: dict[str, str] = {}

    def __init__(self, **fields: Any) -> None:
        if self._tag is not None:
            own = (kind for kind, name in self._kinds.items() if name == type(self).__name__)
            self.__dict__.update({self._tag: kind for kind in own})
        for name, value in fields.items():
            if value is not None:
                setattr(self, name, value)

    @classmethod
    def _of(cls: type[SomeObject], data: Any, client: Any = None, request: Any = None) -> SomeObject:
        """The object of this JSON; of a type with several kinds, one of the kind that the JSON names."""
        if cls._tag is not None:
            name = cls._kinds.get(data.get(cls._tag))
            if name is not None:
                cls = _named(name)
        self = cls.__new__(cls)
        self.__dict__ = data
        if client is not None:
            self._client, self._request = client, request
        return self

    def to_dict(self) -> dict[str, Any]:
        """The object as JSON would have it: dicts, lists, texts and numbers."""
        made = getattr(self, "_made", None) or {}
        out = {}
        for name, value in self.__dict__.items():
            now = made.get(name)
            out[name] = plain(value if now is None or isinstance(now, datetime) else now)
        for name, value in made.items():
            if name not in out and value:
                out[name] = plain(value)
        return out

    def to_json(self, *, indent: Optional[int] = None) -> str:
        """The object as JSON text."""
        return json.dumps(self.to_dict(), indent=indent)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return isinstance(other, Object) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = (
            f"{name}={'***' if name in _HIDDEN else repr(getattr(self, name, value))}"
            for name, value in self.__dict__.items()
            if value is not None and value != [] and value != {}
        )
        return f"{type(self).__name__}({', '.join(shown)})"

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.__dict__})

    def __getstate__(self) -> dict[str, Any]:
        return self.to_dict()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ = state

    def __copy__(self: SomeObject) -> SomeObject:
        return type(self)._of(self.to_dict())

    def __deepcopy__(self: SomeObject, memo: object) -> SomeObject:
        return type(self)._of(json.loads(self.to_json()))


class _Lazy:
    """A field whose value is made of its JSON on first use, as the annotation says."""

    __slots__ = ("default", "name", "owner", "decode")

    def __init__(self, default: Any) -> None:
        self.default = default
        self.decode: Optional[Decoder] = None

    def __set_name__(self, owner: type[Object], name: str) -> None:
        self.owner, self.name = owner, name

    def _decoder(self) -> Decoder:
        self.decode = decode = decoder(self.owner.__annotations__[self.name])
        return decode

    def __get__(self, obj: Optional[Object], owner: type[Object]) -> Any:
        if obj is None:
            return self
        name = self.name
        try:
            made = obj._made
        except AttributeError:
            made = obj._made = {}
        if name in made:
            return made[name]
        raw = obj.__dict__.get(name)
        if raw is None:
            if self.default is None:
                return None
            raw = json.loads(json.dumps(self.default))
        value = made[name] = (self.decode or self._decoder())(raw)
        return value

    def __set__(self, obj: Object, value: Any) -> None:
        obj.__dict__[self.name] = plain(value)
        getattr(obj, "_made", {}).pop(self.name, None)


def lazy(default: Any = None) -> Any:
    """A field of which its annotation says how its value is made; `default` is JSON."""
    return _Lazy(default)


def moment(text: str) -> datetime:
    """A moment from RFC 3339."""
    if sys.version_info < (3, 11):
        text = text.replace("Z", "+00:00").replace("z", "+00:00")
        head, dot, rest = text.partition(".")
        if dot:
            digits = rest.rstrip("+-:0123456789") or rest
            count = next((i for i, c in enumerate(digits) if not c.isdigit()), len(digits))
            text = f"{head}.{digits[:count][:6].ljust(6, '0')}{digits[count:]}"
    return datetime.fromisoformat(text)


def plain(value: Any) -> Any:
    """The value as JSON would have it."""
    if isinstance(value, Object):
        return value.to_dict()
    if isinstance(value, datetime):
        if value.tzinfo is None:
            value = value.astimezone()
        return value.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(inner) for inner in value]
    return value


def encode(fields: dict[str, Any]) -> bytes:
    """A request as JSON; what is None is left out."""
    given = {name: value for name, value in fields.items() if value is not None}
    return json.dumps(given, default=_default, separators=(",", ":")).encode()


def _default(value: Any) -> Any:
    made = plain(value)
    if made is value:
        # Ids and paths are texts to the API.
        return str(value)
    return made


_decoders: dict[str, Decoder] = {"datetime": moment}


def decoder(annotation: str) -> Decoder:
    """What makes a value of JSON, by the annotation of a field: one of the few forms that generated types have."""
    found = _decoders.get(annotation)
    if found is None:
        found = _decoders[annotation] = _make(annotation)
    return found


def _make(annotation: str) -> Decoder:
    if annotation.startswith("Optional["):
        return decoder(annotation[len("Optional[") : -1])
    if annotation.startswith("list["):
        one = decoder(annotation[len("list[") : -1])
        return _same if one is _same else lambda raw: [None if x is None else one(x) for x in raw]
    if annotation.startswith("dict[str, "):
        each = decoder(annotation[len("dict[str, ") : -1])
        return _same if each is _same else lambda raw: {k: None if x is None else each(x) for k, x in raw.items()}
    named = _find(annotation)
    return _same if named is None else named._of


def _same(raw: Any) -> Any:
    return raw


def _find(name: str) -> Optional[type[Object]]:
    found = getattr(import_module("oz._generated.types"), name, None)
    return found if isinstance(found, type) and issubclass(found, Object) else None


def _named(name: str) -> Any:
    return getattr(import_module("oz._generated.types"), name)
