"""The typed layer has what the client in Rust has, and is what it says to be."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import oz
import pytest
from oz import _native
from oz._generated.client import AsyncOz, Oz

OPTIONS = {"timeout", "max_retries", "headers", "extra_headers", "idempotency_key"}


def walk(client):
    """Every method of a client by the name that the bridge calls it by."""
    found = {}
    for name in dir(type(client)):
        if name.startswith("_"):
            continue
        member = getattr(client, name)
        if inspect.ismethod(member) and "options" in inspect.signature(member).parameters and name not in ("with_options", "copy"):
            found[name] = member
        elif isinstance(member, oz._client.Resource):
            for method in dir(type(member)):
                if not method.startswith("_"):
                    found[f"{name}.{method}"] = getattr(member, method)
    return found


@pytest.mark.parametrize("kind", [Oz, AsyncOz])
def test_every_method_of_the_client_is_there(kind):
    client = kind(api_key="wk-1.none", base_url="http://127.0.0.1:1")
    assert set(walk(client)) == set(_native.methods())


def test_both_clients_take_the_same():
    waits = walk(Oz(api_key="wk-1.none", base_url="http://127.0.0.1:1"))
    awaits = walk(AsyncOz(api_key="wk-1.none", base_url="http://127.0.0.1:1"))
    for name, method in waits.items():
        assert inspect.signature(method).parameters == inspect.signature(awaits[name]).parameters, name
        assert method.__doc__, f"{name} says nothing of itself"


def test_the_paths_of_the_published_package_lead_to_the_same_methods():
    client = Oz(api_key="wk-1.none", base_url="http://127.0.0.1:1")
    assert client.agent.run == client.runs.create
    assert client.agent.runs.retrieve.__func__ is type(client.runs).get
    assert client.agent.sessions.check_redirect.__func__ is type(client.conversations).of_session
    sdk = pytest.importorskip("oz_agent_sdk")
    theirs = sdk.OzAPI(api_key="x").agent
    for noun in ("", "runs", "agent", "schedules", "conversations", "sessions"):
        there, here = (getattr(theirs, noun), getattr(client.agent, noun)) if noun else (theirs, client.agent)
        for name in dir(there):
            if not name.startswith(("_", "with_")):
                assert hasattr(here, name), f"agent.{noun}.{name}"


def test_every_public_name_can_be_had():
    for name in dir(oz):
        assert getattr(oz, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        oz.Nothing  # noqa: B018


def run(*command, **options):
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


PACKAGE = Path(oz.__file__).parent
EXAMPLES = os.environ.get("OZ_EXAMPLES")


def checked(tmp_path):
    """What a type checker is to see: the package's files and the examples."""
    return [str(PACKAGE), *(map(str, Path(EXAMPLES).glob("*.py")) if EXAMPLES else [])]


def test_the_stub_of_the_native_module_is_what_it_is(tmp_path):
    run("mypy.stubtest", "oz._native", "--ignore-disjoint-bases", cwd=tmp_path, env={**os.environ, "MYPYPATH": str(PACKAGE.parent)})


def test_mypy_finds_nothing(tmp_path):
    run("mypy", "--strict", "--cache-dir", str(tmp_path), *checked(tmp_path), cwd=tmp_path, env={**os.environ, "MYPYPATH": str(PACKAGE.parent)})


def test_pyright_finds_nothing(tmp_path):
    (tmp_path / "pyrightconfig.json").write_text('{"extraPaths": ["%s"]}' % PACKAGE.parent)
    run("pyright", "--project", str(tmp_path / "pyrightconfig.json"), *checked(tmp_path), cwd=tmp_path)


def test_a_type_checker_sees_mistakes(tmp_path):
    """What is checked is checked: wrong fields and types are told."""
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "import oz\nclient = oz.Oz()\nclient.runs.create(promt='x')\nclient.runs.create(prompt=1)\n"
        "client.runs.get('x').nothing\nclient.runs.create(config={'model': 'x'})\n"
        "x: int = client.runs.get('x').created_at\noz.AgentConfig(modelid='x')\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(wrong)],
        capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "MYPYPATH": str(PACKAGE.parent)},
    )
    lines = {int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error:" in line}
    assert lines == {3, 4, 5, 6, 7, 8}, done.stdout
