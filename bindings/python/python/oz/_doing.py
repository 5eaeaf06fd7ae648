"""What objects can do beside holding their fields."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Optional

from . import _native
from ._object import Object
from ._page import Page

if TYPE_CHECKING:
    from ._generated.types import DriverResult, LogItem
    from ._harness import Harness, Observe
    from ._stream import Watch

__all__ = ["Handed", "Page", "RunShown", "Watched"]


class Watched(Object):
    """A run, or what names one."""

    if TYPE_CHECKING:
        run_id: str

    def watch(self, since: int = 0) -> Watch[LogItem]:
        """What happens in the run, live until it has ended, after the cursor `since`: to be read by `for` or `async for`. As
        the last value of a notebook's cell it shows the run."""
        client: Any = getattr(self, "_client", None)
        if client is None:
            raise RuntimeError("this run came from no client; use client.watch(run_id)")
        made: Watch[LogItem] = client.watch(self.run_id, since=since)
        return made


class RunShown(Watched):
    """A run that a notebook can show."""

    def _repr_html_(self) -> str:
        from ._notebook import run

        return run(self)


class Handed(Object):
    """A run that a worker was given."""

    @property
    def stop(self) -> _native.Stop:
        """Says when the agent is to end."""
        made: _native.Stop = self._client
        return made

    def run(self, harness: Harness, *, cwd: Optional[str] = None, observe: Optional[Observe] = None) -> DriverResult:
        """Does the run in this process with a harness. It reports to the control plane as every agent does."""
        from ._harness import Driven, observing, result

        task = json.dumps(self.to_dict()).encode()
        return result(_native.run_task(task, cwd, Driven(harness), observing(observe), self.stop))
