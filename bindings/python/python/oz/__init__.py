"""Oz runs coding agents in the background; this is its client.

    import oz

    client = oz.Oz()  # OZ_API_KEY, OZ_API_BASE_URL
    created = client.runs.create(prompt="fix the failing test")
    run = client.runs.wait(created.run_id)
    print(run.state)

`AsyncOz` is the same for asyncio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConfigError,
    ConflictError,
    InternalServerError,
    NotFoundError,
    OzError,
    PanicError,
    PermissionDeniedError,
    RateLimitError,
    UnprocessableEntityError,
)
from ._generated.client import AsyncOz, Oz
from ._native import __version__, can_transition, next_state

if TYPE_CHECKING:
    from ._generated.enums import *
    from ._generated.params import *
    from ._generated.types import *
    from ._embedded import Plane as Plane
    from ._embedded import serve as serve
    from ._embedded import work as work
    from ._harness import Harness as Harness
    from ._harness import arun_local as arun_local
    from ._harness import run_local as run_local
    from ._native import Stop as Stop
    from ._object import Object as Object
    from ._rules import validate as validate
    from ._stream import Bytes as Bytes
    from ._stream import Stream as Stream
    from ._stream import Watch as Watch

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncOz",
    "AuthenticationError",
    "BadRequestError",
    "ConfigError",
    "ConflictError",
    "InternalServerError",
    "NotFoundError",
    "Oz",
    "OzError",
    "PanicError",
    "PermissionDeniedError",
    "RateLimitError",
    "UnprocessableEntityError",
    "__version__",
    "can_transition",
    "next_state",
]

# Where the other names are; they are loaded when they are used.
_LATER = {"Object": "_object", "Stream": "_stream", "Watch": "_stream", "Bytes": "_stream", "validate": "_rules"}
_LATER.update(dict.fromkeys(["Harness", "arun_local", "run_local"], "_harness"))
_LATER.update({"Plane": "_embedded", "serve": "_embedded", "work": "_embedded", "Stop": "_native"})


def __getattr__(name: str) -> Any:
    from importlib import import_module

    module = _LATER.get(name)
    if module is None:
        from ._generated.names import MODULES

        module = MODULES.get(name)
        if module is None:
            raise AttributeError(f"module 'oz' has no attribute {name!r}")
        module = f"_generated.{module}"
    found = globals()[name] = getattr(import_module(f"oz.{module}"), name)
    return found


def __dir__() -> list[str]:
    from ._generated.names import MODULES

    return sorted({*__all__, *_LATER, *MODULES})
