"""What runs in this process: a control plane, harnesses and backends of one's own."""

import asyncio
import inspect
import json
import os
import queue
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid

import oz
import pytest
from oz import _native


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


class Asker(oz.Harness):
    """Asks which colour, and remembers what was said."""

    name = "asker"

    def __init__(self, tasks):
        self.tasks, self.said, self.answers = tasks, [], queue.Queue()

    def start(self, task):
        self.tasks.append(task)
        self.said = [*(json.loads(task.saved.content) if task.saved else []), task.prompt]
        if task.saved is None:
            asked = str(uuid.uuid4())
            yield {"type": "request", "request": {"request_id": asked, "kind": "question", "title": "Which colour?"}}
            request_id, answer = self.answers.get(timeout=60)
            assert request_id == asked and isinstance(answer, oz.Answer)
            yield oz.HarnessEventAnswered(request_id=request_id, answer=answer)
            self.said.append(answer.text)
        yield oz.HarnessEventState(state="succeeded", message=", ".join(self.said))

    def answer(self, request_id, answer):
        self.answers.put((request_id, answer))

    async def save(self):
        return oz.SavedSession(session_id="talk", content=json.dumps(self.said))


@pytest.fixture
def working():
    """A control plane with a worker whose runs are done by what the test says."""
    with oz.serve() as plane:
        client, stop, threads = plane.client(), oz.Stop(), []

        def works(execute):
            threads.append(threading.Thread(target=oz.work, args=(execute,), kwargs={"client": client, "worker_id": "mine", "stop": stop}))
            threads[-1].start()
            return client

        try:
            yield works
        finally:
            stop.set()
            for thread in threads:
                thread.join()


def test_a_harness_asks_a_human_and_goes_on_with_its_conversation(working):
    tasks = []
    client = working(lambda task: task.run(Asker(tasks)))
    run_id = client.runs.create(prompt="paint", config={"worker_host": "mine"}).run_id
    until = time.monotonic() + 60
    while not (asked := client.runs.requests(run_id, open=True).requests):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert asked[0].title == "Which colour?"
    client.runs.answer(run_id, asked[0].request_id, decision="answer", text="blue")
    assert client.runs.wait(run_id).status_message.message == "paint, blue"
    client.runs.follow_up(run_id, message="again")
    assert client.runs.wait(run_id).status_message.message == "paint, blue, again"
    first, second = tasks
    assert first.saved is None and (second.saved.format, second.saved.session_id) == ("asker", "talk")
    assert first.limits is not None and first.permissions is not None and first.rules == []


def test_what_is_asked_after_the_end_is_answered_and_leaves_no_thread():
    class Saves(AsyncEcho):
        async def save(self):
            await asyncio.sleep(0.05)
            return {"session_id": "s", "content": "all"}

    from oz._harness import Driven

    driven = Driven(Saves())
    threads = [threading.Thread(target=driven.call, args=('{"call": "save"}',)) for _ in range(4)]
    for thread in threads:
        thread.start()
    driven.end()
    for thread in threads:
        thread.join(timeout=30)
        assert not thread.is_alive()
    assert json.loads(driven.call('{"call": "save"}')) == {"session_id": "s", "content": "all"}
    until = time.monotonic() + 30
    while any(thread.name == "oz-harness" for thread in threading.enumerate()):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_an_exception_of_a_harness_ends_its_run(tmp_path):
    result = oz.run_local("x", Broken(), cwd=str(tmp_path))
    assert result.state in ("FAILED", "ERROR") and "it broke" in result.status.message


def test_a_worker_of_ones_own_does_runs_by_a_function(working):
    tasks = []

    def execute(task):
        tasks.append(task)
        if task.prompt == "break":
            raise ValueError("as it was asked to")
        assert task.run(Echo()).state == "SUCCEEDED"

    client = working(execute)
    good, bad = (client.runs.create(prompt=prompt, config={"worker_host": "mine"}) for prompt in ("say it", "break"))
    run = client.runs.wait(good.run_id)
    assert run.state == "SUCCEEDED" and run.status_message.message == "said"
    run = client.runs.wait(bad.run_id)
    assert run.state in ("FAILED", "ERROR") and "as it was asked to" in run.status_message.message
    assert {task.run_id for task in tasks} == {good.run_id, bad.run_id}


def test_a_control_plane_in_this_process_has_a_worker_too_and_is_gone_at_its_end():
    with oz.serve(worker=True) as plane:
        client = plane.client()
        run = client.runs.wait(client.runs.create(prompt="do the work").run_id)
        assert (run.state, run.status_message.message) == ("SUCCEEDED", "The pull request is open.")
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{plane.url}/healthz")


def test_the_example_of_a_worker_works(tmp_path):
    example = os.path.join(os.environ["OZ_EXAMPLES"], "worker.py")
    done = subprocess.run([sys.executable, example], capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert done.stdout.splitlines() == ["working on Ada Grace", "SUCCEEDED Everybody is greeted."], done.stderr


def test_the_options_of_what_runs_here_are_those_that_are_read():
    functions = {"LocalOptions": oz.run_local, "ServeOptions": oz.serve, "WorkOptions": oz.work}
    schemas = json.loads(_native.schemas())
    assert set(schemas) >= set(functions)
    for name, function in functions.items():
        taken = set(inspect.signature(function).parameters) - {"client", "execute", "harness", "observe", "stop"}
        assert taken == set(schemas[name]["properties"]), name


def test_a_process_with_a_control_plane_ends(tmp_path):
    code = "import oz; plane = oz.serve(); print(plane.client().account.whoami().principal.type)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 0 and done.stdout.strip() == "user", done.stderr
