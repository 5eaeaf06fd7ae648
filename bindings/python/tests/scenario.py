"""Does a scenario: `scenario.py FILE NAME sync|async`, where FILE is JSON as `tests/scenarios/frontends.yaml` says. Prints what
each step saw."""

import asyncio
import inspect
import itertools
import json
import sys

import oz
from oz._object import plain


def filled(value, variables):
    """The value with variables in place of their names."""
    if isinstance(value, str):
        if value.startswith("${") and value.endswith("}") and value.count("${") == 1:
            return variables[value[2:-1]]
        for name, known in variables.items():
            value = value.replace("${" + name + "}", str(known))
        return value
    if isinstance(value, list):
        return [filled(one, variables) for one in value]
    if isinstance(value, dict):
        return {name: filled(one, variables) for name, one in value.items()}
    return value


def at(value, path):
    """What stands at a path."""
    if path in ("", "."):
        return value
    head, _, rest = path.partition(".")
    if head.endswith("[]"):
        items = at(value, head[:-2]) or []
        found = [at(item, rest) for item in items]
        return [one for one in found if one is not None]
    if isinstance(value, list):
        place = int(head)
        return at(value[place], rest) if -len(value) <= place < len(value) else None
    return at(value.get(head), rest) if isinstance(value, dict) else None


def written(value, variables):
    """The value with names in place of variables, so that it is the same for all."""
    if isinstance(value, str):
        texts = sorted((item for item in variables.items() if isinstance(item[1], str)), key=lambda item: -len(item[1]))
        for name, known in texts:
            value = value.replace(known, "${" + name + "}")
        return value
    if isinstance(value, list):
        return [written(one, variables) for one in value]
    if isinstance(value, dict):
        return {name: written(one, variables) for name, one in value.items()}
    return value


def method(client, name):
    for part in name.split("."):
        client = getattr(client, part)
    return client


def answer(answered, take):
    """Items of streams, text of bytes, JSON of all else."""
    if isinstance(answered, oz.Bytes):
        return {"text": answered.read().decode()}
    if isinstance(answered, oz.Stream):
        return {"items": [plain(item) for item in itertools.islice(answered, take)]}
    return plain(answered)


async def later(answered, take):
    """The same with asyncio."""
    if isinstance(answered, oz.Bytes):
        return {"text": (await answered.aread()).decode()}
    if isinstance(answered, oz.Stream):
        items = []
        async with answered:
            while take is None or len(items) < take:
                try:
                    items.append(plain(await answered.__anext__()))
                except StopAsyncIteration:
                    break
        return {"items": items}
    return plain(await answered if inspect.isawaitable(answered) else answered)


async def run(path, me, way):
    variables, records = {"me": me}, []
    is_async = way == "async"
    client = oz.AsyncOz() if is_async else oz.Oz()
    for step in json.load(open(path, encoding="utf-8"))["steps"]:
        try:
            called = method(client, step["call"])(**filled(step.get("with") or {}, variables))
            seen = await later(called, step.get("take")) if is_async else answer(called, step.get("take"))
            if step.get("fails"):
                raise AssertionError(f"{step['name']}: it must fail")
        except oz.APIStatusError as error:
            if not step.get("fails"):
                raise
            seen = {"status": error.status_code, "code": error.code, "detail": error.detail, "field": error.field}
        for name, where in (step.get("save") or {}).items():
            variables[name] = at(seen, where)
        record = {name: written(at(seen, where), variables) for name, where in (step.get("record") or {}).items()}
        records.append({"step": step["name"], "record": record})
    return records


print(json.dumps(asyncio.run(run(*sys.argv[1:4]))))
