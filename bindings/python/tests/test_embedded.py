"""What runs in this process: a control plane, harnesses and backends of one's own."""

import asyncio
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import oz
import pytest


class Echo(oz.Harness):
    """Repeats what it is asked."""

    name = "echo"

    def start(self, task):
        yield oz.HarnessEventText(text=task.prompt.upper())
        with open(os.path.join(task.workspace, "said.txt"), "w", encoding="utf-8") as file:
            file.write(task.prompt)
        yield {"type": "state", "state": "succeeded", "message": "said"}


class AsyncEcho(Echo):
    async def start(self, task):
        await asyncio.sleep(0)
        for event in super().start(task):
            yield event


class Broken(oz.Harness):
    def start(self, task):
        raise RuntimeError("it broke")
        yield


@pytest.mark.parametrize("harness", [Echo, AsyncEcho])
def test_a_harness_of_ones_own_does_a_run(harness, tmp_path):
    seen = []
    result = oz.run_local("say it", harness(), cwd=str(tmp_path), observe=seen.append)
    assert (result.state, result.status.message) == ("SUCCEEDED", "said")
    assert (tmp_path / "said.txt").read_text() == "say it"
    texts = [told["event"]["text"] for told in seen if told["type"] == "event" and told["event"]["type"] == "text"]
    assert texts == ["SAY IT"]
    again = asyncio.run(oz.arun_local("say it", harness(), cwd=str(tmp_path)))
    assert again.state == "SUCCEEDED"


def test_an_exception_of_a_harness_ends_its_run(tmp_path):
    result = oz.run_local("x", Broken(), cwd=str(tmp_path))
    assert result.state in ("FAILED", "ERROR") and "it broke" in result.status.message


def test_a_control_plane_in_this_process_with_a_worker_of_ones_own():
    with oz.serve() as plane:
        client, stop, tasks = plane.client(), oz.Stop(), []

        def execute(task):
            tasks.append(task)
            if task.prompt == "break":
                raise ValueError("as it was asked to")
            assert task.run(Echo()).state == "SUCCEEDED"

        worker = threading.Thread(target=oz.work, args=(execute,), kwargs={"client": client, "worker_id": "mine", "stop": stop})
        worker.start()
        try:
            good, bad = (client.runs.create(prompt=prompt, config={"worker_host": "mine"}) for prompt in ("say it", "break"))
            run = client.runs.wait(good.run_id)
            assert run.state == "SUCCEEDED" and run.status_message.message == "said"
            run = client.runs.wait(bad.run_id)
            assert run.state in ("FAILED", "ERROR") and "as it was asked to" in run.status_message.message
            assert {task.run_id for task in tasks} == {good.run_id, bad.run_id}
        finally:
            stop.set()
            worker.join()
        url = plane.url
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{url}/healthz")


def test_a_process_with_a_control_plane_ends(tmp_path):
    code = "import oz; plane = oz.serve(); print(plane.client().account.whoami().principal.type)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 0 and done.stdout.strip() == "user", done.stderr
