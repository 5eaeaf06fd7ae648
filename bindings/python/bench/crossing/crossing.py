"""Two ways from Rust to Python: JSON text that Python reads, and objects that Rust builds. Wants `oz_crossing`."""

import json
import platform
import timeit

import oz_crossing

RUN = {
    "run_id": "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e",
    "title": "Fix the failing test of the date parser",
    "state": "SUCCEEDED",
    "prompt": "The test `parses_leap_days` fails since yesterday. Find out why, mend it and open a pull request.",
    "created_at": "2026-01-02T03:04:05.678901Z",
    "updated_at": "2026-01-02T03:14:15.926535Z",
    "started_at": "2026-01-02T03:04:07.000001Z",
    "agent_config": {"model_id": "anthropic/claude", "environment_id": "env-1", "worker_host": "mine", "harness": {"type": "oz"}},
    "status_message": {"message": "The pull request is open.", "error_code": None, "retryable": False},
    "artifacts": [{"artifact_type": "PULL_REQUEST", "data": {"url": "https://example.com/pull/1", "branch": "fix"}}],
    "creator": {"type": "user", "uid": "u-1", "display_name": "Somebody", "email": "somebody@example.com"},
    "usage": {"input_tokens": 123456, "output_tokens": 7890, "cost_usd": 0.4321},
    "request_usage": {"inference_cost": 0.4, "compute_cost": 0.03},
    "labels": {"team": "dates", "urgent": "no"},
}
REQUEST = {"prompt": RUN["prompt"], "title": RUN["title"], "config": RUN["agent_config"], "labels": RUN["labels"]}


def microseconds(work):
    """The best of nine rounds: what is longer was disturbed."""
    count, _ = timeit.Timer(work).autorange()
    return min(timeit.repeat(work, number=count, repeat=9)) / count * 1e6


def row(what, text, objects):
    text, objects = microseconds(text), microseconds(objects)
    print(f"| {what} | {text:,.1f} us | {objects:,.1f} us | {objects / text:.2f}x |")


print("| | text | objects | text is faster by |\n|---|---|---|---|")
for what, value in (("a run", RUN), ("a page of 100 runs", {"runs": [RUN] * 100})):
    wire = json.dumps(value, separators=(",", ":")).encode()
    assert json.loads(oz_crossing.text(wire)) == oz_crossing.objects(wire) == value
    row(f"{what}, {len(wire):,} bytes", lambda wire=wire: json.loads(oz_crossing.text(wire)), lambda wire=wire: oz_crossing.objects(wire))
row("a request", lambda: oz_crossing.take_text(json.dumps(REQUEST, separators=(",", ":")).encode()), lambda: oz_crossing.take_objects(REQUEST))
print(f"\nPython {platform.python_version()}; the best of nine rounds.")
