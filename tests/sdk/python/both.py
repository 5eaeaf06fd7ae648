"""One interface over both clients of the SDK, which records every call, and the checks that the scenario uses."""

import inspect
import re
from contextlib import contextmanager

import oz_agent_sdk as sdk
from oz_agent_sdk import AsyncOzAPI, OzAPI
from oz_agent_sdk._resource import AsyncAPIResource, SyncAPIResource
from pydantic import TypeAdapter

RESOURCES = (SyncAPIResource, AsyncAPIResource)


async def settle(value):
    return await value if inspect.isawaitable(value) else value


class Call:
    """What a method of either client gave: to await, to iterate (pagers) or to enter (streamed responses)."""

    def __init__(self, value):
        self.value = value

    def __await__(self):
        return settle(self.value).__await__()

    async def __aiter__(self):
        if hasattr(self.value, "__aiter__"):
            async for item in self.value:
                yield item
        else:
            for item in self.value:
                yield item

    async def __aenter__(self):
        enter = getattr(self.value, "__aenter__", None)
        return await enter() if enter else self.value.__enter__()

    async def __aexit__(self, *error):
        leave = getattr(self.value, "__aexit__", None)
        return await leave(*error) if leave else self.value.__exit__(*error)


class Api:
    """A client or resource whose calls are recorded: method path -> names of the keyword arguments it ever got."""

    def __init__(self, target, calls, path=""):
        self._target, self._calls, self._path = target, calls, path

    def __getattr__(self, name):
        value = getattr(self._target, name)
        path = f"{self._path}.{name}".lstrip(".")
        if name.startswith("with_") and name != "with_options":
            return Api(value, {}, path)  # Raw responses don't count as having driven the method.
        if not callable(value) or isinstance(value, RESOURCES):
            return Api(value, self._calls, path)

        def call(*args, **kwargs):
            self._calls.setdefault(path, set()).update(kwargs)
            return Call(value(*args, **kwargs))

        return call

    def options(self, **options):
        return Api(self._target.with_options(**options), self._calls)


def surface(resource, path):
    """Every public method under `resource`, found in its classes."""
    for name in dir(type(resource)):
        if name.startswith(("_", "with_")):
            continue
        value = getattr(resource, name)
        if isinstance(value, RESOURCES):
            yield from surface(value, f"{path}.{name}")
        elif callable(value):
            yield f"{path}.{name}", value


def check_coverage(client, calls):
    names = [name for name in dir(type(client)) if not name.startswith(("_", "with_"))]
    resources = {name: r for name in names if isinstance(r := getattr(client, name), RESOURCES)}
    methods = dict(pair for name, r in resources.items() for pair in surface(r, name))
    assert len(methods) >= 23, f"the walk found too few methods: {sorted(methods)}"
    missing = sorted(set(methods) - set(calls))
    assert not missing, f"methods that this script doesn't drive: {missing}"
    options = {"extra_headers", "extra_query", "extra_body", "timeout"}
    for path, method in methods.items():
        wanted = {p.name for p in inspect.signature(method).parameters.values() if p.kind is p.KEYWORD_ONLY}
        missing = sorted(wanted - options - calls[path])
        assert not missing, f"parameters of {path} that this script never sends: {missing}"
    return len(methods)


class Strict:
    """The SDK takes what it can coerce ("yes" for true, 1 for a string); a server must send the documented types."""

    def _process_response_data(self, *, data, cast_to, response):
        if cast_to is not object:
            TypeAdapter(cast_to).validate_json(response.content, strict=True)
        return super()._process_response_data(data=data, cast_to=cast_to, response=response)


class StrictOzAPI(Strict, OzAPI):
    pass


class StrictAsyncOzAPI(Strict, AsyncOzAPI):
    pass


# --- Checks ----------------------------------------------------------------------------------------------------------


@contextmanager
def refused(*kinds, code=None):
    """The call must raise exactly one of `kinds`, with a problem document."""
    try:
        yield
    except sdk.APIStatusError as error:
        assert type(error) in kinds, f"expected {kinds}, got {error!r}"
        problem, kind = error.body, error.response.headers.get("content-type", "")
        assert kind.startswith("application/problem+json"), f"content-type of an error: {kind}"
        assert isinstance(problem, dict), f"not a problem document: {problem!r}"
        for field in ("type", "title", "error"):
            assert isinstance(problem.get(field), str) and problem[field], f"{field} is missing: {problem}"
        assert problem.get("status") == error.status_code, f"status differs: {problem}"
        assert code is None or code in problem["type"].replace("-", "_"), f"expected {code}: {problem}"
    else:
        raise AssertionError(f"accepted, but it must raise {[k.__name__ for k in kinds]}")


def same(got, sent, where):
    """`got` echoes `sent`. Servers may add fields and leave out empty ones."""
    if isinstance(sent, dict):
        for key, value in sent.items():
            if value not in ({}, []) or (got or {}).get(key):
                assert key in (got or {}), f"{where}.{key} is missing in {got}"
                same(got[key], value, f"{where}.{key}")
    else:
        assert got == sent, f"{where}: sent {sent!r}, got {got!r}"


def typed(item, **kinds):
    for name, kind in kinds.items():
        value = getattr(item, name)
        assert isinstance(value, kind), f"{type(item).__name__}.{name} must be {kind}, got {value!r}"


def seconds(duration):
    match = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", duration)
    assert match and duration not in ("P", "PT"), f"not an ISO 8601 duration: {duration!r}"
    return sum(float(part or 0) * unit for part, unit in zip(match.groups(), (86400, 3600, 60, 1)))


def between(early, late):
    assert early < late, f"{early} must be before {late}"
    return early + (late - early) / 2
