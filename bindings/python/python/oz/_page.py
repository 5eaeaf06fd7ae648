"""Pages, after which more may come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, AsyncIterator, Awaitable, Generator, Generic, Iterator, Optional, TypeVar

from ._object import Object

if TYPE_CHECKING:
    from ._generated.types import PageInfo, Run, RunPage

P = TypeVar("P", bound="Page")


class Page(Object):
    """A page of runs. To iterate over it is to iterate over all runs that follow as well."""

    if TYPE_CHECKING:
        runs: list[Run]
        page_info: PageInfo

    def has_next_page(self) -> bool:
        """Whether more follow."""
        return bool(self.page_info.has_next_page and self.page_info.next_cursor)

    def next_page_info(self) -> Optional[dict[str, Any]]:
        """What to ask for the page that follows with."""
        return {"cursor": self.page_info.next_cursor} if self.has_next_page() else None

    def get_next_page(self) -> Any:
        """The page that follows; with an asyncio client it is to be awaited."""
        following = self.next_page_info()
        if following is None:
            raise RuntimeError("there is no page after this one; ask has_next_page() first")
        return self._client.runs.list(**{**self._request[1], **following})

    def _rest(self) -> Any:
        return self._client.runs.list_all(**{**self._request[1], **(self.next_page_info() or {})})

    def __iter__(self) -> Iterator[Run]:
        yield from self._bound()
        if self.has_next_page():
            yield from self._rest()

    async def __aiter__(self) -> AsyncIterator[Run]:
        for run in self._bound():
            yield run
        if self.has_next_page():
            async for run in self._rest():
                yield run

    def _bound(self) -> list[Run]:
        for run in self.runs:
            run._client = getattr(self, "_client", None)
        return self.runs

    def _repr_html_(self) -> str:
        from ._notebook import table

        return table(self.runs, more=self.has_next_page())


class PageCall(Generic[P]):
    """A page to come: `await` it, or iterate over all that it begins with `async for`."""

    def __init__(self, page: Awaitable[P]) -> None:
        self._page = page

    def __await__(self) -> Generator[Any, Any, P]:
        return self._page.__await__()

    async def __aiter__(self) -> AsyncIterator[Run]:
        async for run in await self._page:
            yield run
