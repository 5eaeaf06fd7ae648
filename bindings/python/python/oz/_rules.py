"""What the core knows without a server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar, Union, overload

from . import _native
from ._object import Object, decoder, plain

SomeObject = TypeVar("SomeObject", bound=Object)


@overload
def validate(value: SomeObject) -> SomeObject: ...
@overload
def validate(value: str, fields: Mapping[str, Any]) -> Any: ...
def validate(value: Union[Object, str], fields: Union[Mapping[str, Any], None] = None) -> Any:
    """Checks an object such as an `AgentConfig`, or fields by the name of their type, as the server would.

    Returns:
        The same as the core understands it, with its defaults.

    Raises:
        BadRequestError: It names the field, the value and what would be right.
    """
    name, given = (value, plain(dict(fields or {}))) if isinstance(value, str) else (type(value).__name__, value.to_dict())
    return decoder(name)(json.loads(_native.validate(name, json.dumps(given).encode())))
