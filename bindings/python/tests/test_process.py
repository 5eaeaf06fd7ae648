"""Threads, forks, signals, tasks that are cancelled, and ends of processes."""

import asyncio
import gc
import os
import subprocess
import sys
import textwrap
import threading

import oz
import pytest


def own(code, **env):
    """Runs code in a process of its own; it must end by itself and well."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=240, env={**os.environ, **env}
    )
    assert done.returncode == 0, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def test_threads_share_a_client_and_do_not_wait_for_each_other(client, queued):
    with __import__("socket").create_server(("127.0.0.1", 0)) as silent:
        deaf = oz.Oz(base_url=f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=600, max_retries=0)
        waiting = threading.Thread(target=lambda: pytest.raises(oz.APIError, deaf.runs.list), daemon=True)
        waiting.start()
        found = []
        threads = [threading.Thread(target=lambda: found.append(client.runs.get(queued.run_id).state)) for _ in range(16)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert found == ["QUEUED"] * 16 and waiting.is_alive()
        silent.accept()[0].close()


def test_ten_thousand_awaits_are_cancelled_half_way():
    """Their requests end, nothing is left of them, and the process ends."""
    own(
        """
        import asyncio, gc, os, oz
        import oz._port

        async def main():
            open_files = lambda: len(os.listdir("/proc/self/fd"))
            connected = set()

            async def serve(reader, writer):
                connected.add(writer)
                try:
                    await reader.read()
                except ConnectionError:
                    pass
                finally:
                    connected.discard(writer)
                    writer.close()

            server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
            port = server.sockets[0].getsockname()[1]
            client = oz.AsyncOz(api_key="wk-1.x", base_url=f"http://127.0.0.1:{port}", timeout=600, max_retries=0)
            run_id = "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e"
            before = None
            for _ in range(20):
                tasks = [asyncio.ensure_future(client.runs.get(run_id)) for _ in range(500)]
                while len(connected) < 250:
                    await asyncio.sleep(0.01)
                for task in tasks[::2]:
                    task.cancel()
                half = await asyncio.gather(*tasks[::2], return_exceptions=True)
                assert all(isinstance(one, asyncio.CancelledError) for one in half)
                for task in tasks[1::2]:
                    task.cancel()
                rest = await asyncio.gather(*tasks[1::2], return_exceptions=True)
                assert all(isinstance(one, asyncio.CancelledError) for one in rest)
                while connected:
                    await asyncio.sleep(0.01)
                # The first calls open what all later ones use.
                before = before or open_files()
            assert not oz._port.here()._futures
            for _ in range(500):
                if open_files() <= before + 4:
                    break
                await asyncio.sleep(0.02)
            assert open_files() <= before + 4, (before, open_files())
            tasks = [asyncio.ensure_future(client.runs.get(run_id)) for _ in range(200)]
            await asyncio.sleep(0.05)
            server.close()
            # These are left: the loop cancels them, and the process ends all the same.

        asyncio.run(main())
        gc.collect()
        """
    )


def test_ten_thousand_awaits_at_once():
    """Ten thousand calls of which every other one is cancelled; the others get their answers."""
    own(
        """
        import asyncio, oz

        async def main():
            client = oz.AsyncOz(max_retries=50)  # The server lets a key call 500 times a second.
            run = await client.runs.create(prompt="x", config={"worker_host": "nowhere"})
            gate = asyncio.Semaphore(256)

            async def one():
                async with gate:
                    return (await client.runs.get(run.run_id)).state

            tasks = [asyncio.ensure_future(one()) for _ in range(10_000)]
            await asyncio.sleep(0.2)
            for task in tasks[::2]:
                task.cancel()
            done = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(state == "QUEUED" for state in done[1::2]), [x for x in done[1::2] if x != "QUEUED"][:3]
            assert all(state == "QUEUED" or isinstance(state, asyncio.CancelledError) for state in done[::2])
            assert any(isinstance(state, asyncio.CancelledError) for state in done[::2])
            await client.runs.cancel(run.run_id)

        asyncio.run(main())
        """
    )


def test_a_loop_after_another(queued):
    client = oz.AsyncOz()

    async def one():
        return (await client.runs.get(queued.run_id)).state

    assert [asyncio.run(one()) for _ in range(5)] == ["QUEUED"] * 5
    gc.collect()


def test_a_forked_process_goes_on():
    own(
        """
        import asyncio, os, oz
        client = oz.Oz()
        me = client.account.whoami()
        async def ask():
            return await oz.AsyncOz().account.whoami()
        asyncio.run(ask())
        for _ in range(3):
            child = os.fork()
            if child == 0:
                fine = client.account.whoami() == me and asyncio.run(ask()) == me
                os._exit(0 if fine else 1)
            assert os.waitpid(child, 0)[1] == 0
            assert client.account.whoami() == me
        """
    )


def test_ctrl_c_ends_a_call_that_waits():
    own(
        """
        import os, signal, socket, threading, oz
        # Whoever runs tests in the background of a shell has it ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            client = oz.Oz(base_url=f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=600, max_retries=0)
            held = []
            def interrupt():
                held.append(silent.accept())
                os.kill(os.getpid(), signal.SIGINT)
            threading.Thread(target=interrupt).start()
            try:
                client.runs.list()
            except KeyboardInterrupt:
                print("interrupted")
            else:
                raise AssertionError("it went on")
            held[0][0].close()
        """
    )


def test_a_panic_is_an_exception_and_the_client_goes_on():
    own(
        """
        import asyncio, oz
        client = oz.Oz()
        for _ in range(3):
            try:
                client._call("debug.panic", None, {}, {})
            except oz.PanicError as error:
                assert isinstance(error, oz.OzError)
            else:
                raise AssertionError("it did not panic")
        async def one():
            client = oz.AsyncOz()
            try:
                await client._call("debug.panic", None, {}, {})
            except oz.PanicError:
                return await client.account.whoami()
        assert asyncio.run(one()) == client.account.whoami()
        """,
        OZ_BRIDGE_PANICS="1",
    )


def test_the_end_of_a_process_waits_for_nothing():
    own(
        """
        import threading, socket, oz
        silent = socket.create_server(("127.0.0.1", 0))
        client = oz.Oz(base_url=f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=600, max_retries=0)
        threading.Thread(target=client.runs.list, daemon=True).start()
        held = silent.accept()
        stream = client.watch("0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e")
        """
    )
