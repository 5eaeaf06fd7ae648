"""How notebooks show runs."""

from __future__ import annotations

import json
from html import escape
from importlib import import_module
from typing import TYPE_CHECKING, Any, Iterable

if TYPE_CHECKING:
    from ._generated.types import LogItem, Run
    from ._stream import Watch

_STATE = "font-weight:bold;color:{}"
_COLOURS = {"SUCCEEDED": "#1a7f37", "FAILED": "#cf222e", "ERROR": "#cf222e", "CANCELLED": "#6e7781", "BLOCKED": "#9a6700"}
_SHOWN_LINES = 200


def _state(state: str) -> str:
    return f'<span style="{_STATE.format(_COLOURS.get(state, "#0969da"))}">{escape(state)}</span>'


def run(shown: Any) -> str:
    """A run in HTML."""
    rows = [("run", f"<code>{escape(shown.run_id)}</code>"), ("state", _state(shown.state))]
    rows += [("title", escape(shown.title)), ("created", escape(f"{shown.created_at:%Y-%m-%d %H:%M:%S %Z}"))]
    if shown.status_message is not None:
        rows.append(("message", escape(shown.status_message.message)))
    for artifact in shown.artifacts:
        rows.append((escape(artifact.artifact_type.lower().replace("_", " ")), f"<code>{escape(repr(artifact))}</code>"))
    cells = "".join(f"<tr><th style='text-align:left'>{name}</th><td style='text-align:left'>{value}</td></tr>" for name, value in rows)
    return f"<table>{cells}</table>"


def table(runs: Iterable[Run], more: bool) -> str:
    """Runs in HTML."""
    rows = "".join(
        f"<tr><td><code>{escape(one.run_id)}</code></td><td>{_state(one.state)}</td><td>{escape(one.title)}</td></tr>"
        for one in runs
    )
    foot = "<tr><td colspan=3>and more</td></tr>" if more else ""
    return f"<table><tr><th>run</th><th>state</th><th>title</th></tr>{rows}{foot}</table>"


def line(item: LogItem) -> str:
    """One thing that happened, as text."""
    told = item.to_dict()
    if told.get("kind") == "event":
        return str(told["event"].get("event_type", "event")).replace("_", " ")
    event = told.get("entry", {}).get("event", told.get("entry", {}))
    kind = event.get("type", "entry")
    for field in ("text", "name", "message", "summary", "state"):
        if event.get(field):
            return f"{kind}: {event[field]}"
    return f"{kind}: {json.dumps(event)[:200]}"


def show(watch: Watch[Any]) -> None:
    """Shows a run in a notebook until it has ended."""
    shows: Any = import_module("IPython.display")
    lines: list[str] = []
    handle = shows.display(shows.HTML("<pre></pre>"), display_id=True)
    for item in watch:
        lines.append(escape(line(item)))
        shown = lines[-_SHOWN_LINES:]
        if handle is not None:
            handle.update(shows.HTML("<pre style='white-space:pre-wrap'>" + "\n".join(shown) + "</pre>"))
