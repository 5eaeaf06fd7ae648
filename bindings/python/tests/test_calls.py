"""Calls against a real server."""

import asyncio
import inspect
import socket
import uuid

import oz
import pytest
from conftest import NOWHERE
from test_methods import walk


def test_runs_from_beginning_to_end(client):
    made = client.runs.create(prompt="do the work", metadata={"test": "end"})
    items = list(made.watch())
    assert items[0].kind == "event" and {item.kind for item in items} == {"event", "entry"}
    run = client.runs.wait(made.run_id)
    assert run.state == "SUCCEEDED" and run.artifacts[0].data.url == "https://example.com/pull/1"
    assert b"".join(client.transcript(run.run_id)), "its transcript"
    assert client.runs.conversation(run.run_id).conversation_id == run.conversation_id
    rest = list(client.watch(run.run_id, since=items[-2].event.sequence if items[-2].kind == "event" else 0))
    assert rest, "a stream begins after its cursor"


def test_pages_go_on(client):
    mine = {"set": uuid.uuid4().hex}
    made = [client.runs.create(prompt=f"{i}", config=NOWHERE, metadata=mine).run_id for i in range(5)]
    page = client.runs.list(metadata=mine, limit=2)
    assert len(page.runs) == 2 and page.has_next_page() and len(page.get_next_page().runs) == 2
    assert sorted(run.run_id for run in page) == sorted(made)
    assert sorted(run.run_id for run in client.agent.runs.list(metadata=mine, limit=3)) == sorted(made)
    assert sorted(run.run_id for run in client.runs.list_all(metadata=mine, limit=2)) == sorted(made)
    assert not client.runs.list(metadata=mine, limit=5).has_next_page()

    async def same():
        client = oz.AsyncOz()
        page = await client.runs.list(metadata=mine, limit=2)
        assert len((await page.get_next_page()).runs) == 2
        for listed in (page, client.runs.list(metadata=mine, limit=2), client.runs.list_all(metadata=mine, limit=2)):
            assert sorted([run.run_id async for run in listed]) == sorted(made)

    asyncio.run(same())
    for run_id in made:
        assert client.runs.cancel(run_id) == run_id


def test_errors_have_a_class_and_say_what_is_wrong(client):
    with pytest.raises(oz.NotFoundError) as error:
        client.runs.get(str(uuid.uuid4()))
    assert (error.value.status_code, error.value.code) == (404, "resource_not_found")
    assert error.value.body["title"] == error.value.title and isinstance(error.value, oz.APIStatusError)
    with pytest.raises(oz.BadRequestError) as error:
        client.runs.get("banana")
    assert error.value.field == "run_id" and "banana" in str(error.value)
    with pytest.raises(oz.BadRequestError, match="cron_schedule"):
        client.schedules.create(name="x", cron_schedule="never", prompt="x")
    with pytest.raises(oz.AuthenticationError):
        client.with_options(api_key="wk-1.nonsense").runs.list()
    with pytest.raises(TypeError):
        client.runs.create(promt="x")


def test_schedules_secrets_and_environments(client):
    name = uuid.uuid4().hex[:12]
    schedule = client.schedules.create(name=name, cron_schedule="0 3 * * *", prompt="x", enabled=False)
    assert schedule in client.schedules.list().schedules and not schedule.enabled
    assert client.schedules.resume(schedule.id).history.next_run.tzinfo is not None
    assert client.schedules.delete(schedule.id).success
    secret = client.secrets.create(name=f"S_{name.upper()}", value="hush", description="for tests")
    assert "hush" not in secret.to_json() and secret.uid in {s.uid for s in client.secrets.list().secrets}
    assert client.secrets.delete(secret.uid) is None
    made = client.environments.create(config=oz.EnvironmentConfig(name=name, setup_commands=["true"]))
    assert client.environments.get(made.uid).config.setup_commands == ["true"]
    client.environments.delete(made.uid)


def test_options_by_client_and_by_call(client, queued):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # It never answers.
        deaf = oz.Oz(base_url=f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=30, max_retries=0)
        with pytest.raises(oz.APITimeoutError):
            deaf.runs.get(queued.run_id, timeout=0.1)
        with pytest.raises(oz.APITimeoutError):
            deaf.with_options(timeout=0.1).agent.runs.retrieve(queued.run_id)
    with pytest.raises(oz.APIConnectionError) as error:
        deaf.runs.get(queued.run_id)
    assert not isinstance(error.value, oz.APITimeoutError)
    key = uuid.uuid4().hex
    one, two = (client.runs.create(prompt="once", config=NOWHERE, idempotency_key=key) for _ in range(2))
    assert one.run_id == two.run_id
    client.runs.cancel(one.run_id)
    with pytest.raises(oz.ConfigError, match="header"):
        client.runs.list(headers={"bad name": "x"})


def given(method):
    """Something for each parameter that must be given."""
    some = {"run_id": str(uuid.uuid4()), "conversation_id": str(uuid.uuid4()), "session_id": str(uuid.uuid4())}
    parameters = inspect.signature(method).parameters.values()
    needed = {p.name: p.annotation for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD}
    like = {"str": "x", "int": 1, "bool": True, "float": 1.0, "bytes": b"x"}

    def value(name, annotation):
        if name in some or name.endswith("request_id"):
            return some.get(name, str(uuid.uuid4()))
        if annotation in like:
            return like[annotation]
        return [] if annotation.startswith("Sequence") else {}

    return {name: value(name, annotation) for name, annotation in needed.items()}


# What would wait for ever, or begin a run whose end nobody reports.
NOT_WALKED = {"events", "events_of_family", "runs.create_local"}


def test_every_method_reaches_the_server_or_says_why_not(client):
    """Each answers, or is refused with a status: none fails on the way."""
    answered = set()
    for name, method in walk(client).items():
        if name in NOT_WALKED:
            continue
        try:
            answer = method(**given(method), timeout=20)
            if hasattr(answer, "__next__"):
                next(answer, None)
            answered.add(name)
        except oz.APIStatusError as error:
            assert 400 <= error.status_code < 500 and error.code, f"{name}: {error!r}"
        except (oz.ConfigError, oz.APIConnectionError) as error:
            assert name in {"upload", "artifacts.upload", "download"}, f"{name}: {error!r}"
    assert {"account.whoami", "models.list", "runs.list", "secrets.list", "team.get"} <= answered


def test_every_method_reaches_the_server_from_asyncio():
    async def walked():
        client, answered = oz.AsyncOz(), set()
        for name, method in walk(client).items():
            if name in NOT_WALKED:
                continue
            try:
                answer = method(**given(method), timeout=20)
                if inspect.isawaitable(answer):
                    await answer
                else:
                    async for _ in answer:
                        break
                answered.add(name)
            except oz.APIStatusError as error:
                assert 400 <= error.status_code < 500 and error.code, f"{name}: {error!r}"
            except (oz.ConfigError, oz.APIConnectionError) as error:
                assert name in {"upload", "artifacts.upload", "download"}, f"{name}: {error!r}"
        return answered

    assert {"account.whoami", "models.list", "runs.list", "secrets.list", "team.get"} <= asyncio.run(walked())
