"""Dispatches several runs at once, waits for all of them, and cancels what is left after a while."""

import asyncio
import sys

import oz


async def done(client: oz.AsyncOz, prompt: str) -> oz.Run:
    """The record of a run that has ended."""
    created = await client.runs.create(prompt=prompt, config={"limits": {"max_turns": 20}})
    try:
        return await client.runs.wait(created.run_id)
    except asyncio.CancelledError:
        await client.runs.cancel(created.run_id)
        raise


async def main(prompts: list[str]) -> None:
    """Has all of them done, within ten minutes."""
    async with oz.AsyncOz(max_retries=4) as client:
        tasks = [asyncio.ensure_future(done(client, prompt)) for prompt in prompts]
        try:
            for run in await asyncio.wait_for(asyncio.gather(*tasks), timeout=600):
                print(run.run_id, run.state, run.title)
        except oz.APIStatusError as error:
            print(error.status_code, error.code, error.detail, file=sys.stderr)
        async for run in client.runs.list(state=["FAILED", "ERROR"], limit=50):
            print("failed:", run.run_id, run.created_at, run.title)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:] or ["fix the failing test", "do the work"]))
