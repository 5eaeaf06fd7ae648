"""Why a call failed: a class by kind and by HTTP status."""

from __future__ import annotations

import json

from typing import Any, Optional


class OzError(Exception):
    """Anything that goes wrong here."""

    detail: str
    """What went wrong, for people."""

    def __init__(self, detail: str = "", **parts: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.__dict__.update(parts)

    def __reduce__(self) -> Any:
        parts = {name: value for name, value in self.__dict__.items() if name != "detail"}
        return _again, (type(self), self.detail, parts)


class PanicError(OzError):
    """The library itself broke. That is a mistake of the library; the process and its other calls are unharmed."""


class ConfigError(OzError):
    """The address, the key or an option can't be used."""


class APIError(OzError):
    """A call failed."""

    @property
    def message(self) -> str:
        """What went wrong, for people."""
        return self.detail


class APIConnectionError(APIError):
    """The server could not be reached, or the line broke."""


class APITimeoutError(APIConnectionError):
    """The server did not answer in time."""


class APIResponseValidationError(APIError):
    """The answer is none that this version understands."""


class APIStatusError(APIError):
    """The server refused, or a request was found wrong before it was sent."""

    status_code: int = 0
    """The HTTP status."""
    code: Optional[str] = None
    """The error code of the platform, such as `invalid_request`."""
    title: Optional[str] = None
    """The kind of error in a few words."""
    field: Optional[str] = None
    """The field of the request that is wrong, when it is one."""
    retry_after: Optional[float] = None
    """How many seconds to wait before the next try, when the server says so."""
    body: Any = None
    """The problem document."""


class BadRequestError(APIStatusError):
    """400: a field is missing or wrong."""


class AuthenticationError(APIStatusError):
    """401: the key is missing, wrong or expired."""


class PermissionDeniedError(APIStatusError):
    """403: the key may not do this."""


class NotFoundError(APIStatusError):
    """404: there is no such thing, or it is not the caller's."""


class ConflictError(APIStatusError):
    """409: its state does not allow it now."""


class UnprocessableEntityError(APIStatusError):
    """422: it is understood and can't be done."""


class RateLimitError(APIStatusError):
    """429: too many calls, or over a budget."""


class InternalServerError(APIStatusError):
    """5xx: the server broke."""


_BY_STATUS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}
_BY_KIND: dict[str, type[OzError]] = {
    "connect": APIConnectionError,
    "timeout": APITimeoutError,
    "decode": APIResponseValidationError,
    "redirect": APIConnectionError,
    "config": ConfigError,
    "panic": PanicError,
}


def raised(failure: bytes) -> OzError:
    """The error of a failure, which crosses as JSON."""
    told = json.loads(failure)
    detail = told.get("message") or "unknown"
    cls = _BY_KIND.get(told.get("kind", ""))
    if cls is not None:
        return cls(detail)
    status = told.get("status") or 0
    by_status = _BY_STATUS.get(status, InternalServerError if status >= 500 else APIStatusError)
    return by_status(
        detail,
        status_code=status,
        code=told.get("code"),
        title=told.get("title"),
        field=told.get("field"),
        retry_after=told.get("retry_after"),
        body=told.get("problem"),
    )


def _again(cls: type[OzError], detail: str, parts: dict[str, Any]) -> OzError:
    return cls(detail, **parts)
