"""Drives every method of the published `oz-agent-sdk` against a server: once with `OzAPI`, once with `AsyncOzAPI`.

Wants OZ_API_BASE_URL and WARP_API_KEY (the personal key of a team admin who is on exactly one team), and a worker whose
scripted model answers the prompt "do the work" with one pull request.
"""

import asyncio
import json
import os
import re
import socket
import sys
import time
from datetime import datetime, timedelta, timezone
from uuid import uuid4

import httpx
import oz_agent_sdk as sdk
from oz_agent_sdk import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    PermissionDeniedError,
)
from both import (
    Api,
    StrictAsyncOzAPI,
    StrictOzAPI,
    between,
    check_coverage,
    refused,
    same,
    seconds,
    settle,
    typed,
)

BASE = os.environ["OZ_API_BASE_URL"].rstrip("/")
KEY = os.environ["WARP_API_KEY"]
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
NOWHERE = {"worker_host": "nowhere"}  # No such worker: the run stays queued for ever.
SKILL = "acme/app:deploy"
ENDED = {"SUCCEEDED", "FAILED", "ERROR", "BLOCKED", "CANCELLED"}


class Scenario:
    def __init__(self, client):
        self.client, self.calls = client, {}
        self.api = Api(client, self.calls)
        self.kind = type(client).__name__.removeprefix("Strict")
        self.tag = uuid4().hex[:12]
        self.mine = {"pass": self.tag}  # Metadata on every run of this pass, so that lists see no others.
        self.http = httpx.Client(base_url=BASE, headers={"Authorization": f"Bearer {KEY}"}, timeout=30)

    async def run(self):
        self.environments = [self.environment(name) for name in ("a", "b")]
        # This one works while the rest goes on.
        config = {"name": f"real-{self.tag}"}
        self.done = (await self.api.agent.run(prompt="do the work", config=config, metadata=self.mine)).run_id
        for step in (
            self.identities,
            self.keys,
            self.dispatch,
            self.bad_dispatch,
            self.on_behalf_of,
            self.cancel,
            self.retrieve_errors,
            self.succeed,
            self.filters,
            self.sorts_and_pages,
            self.followups,
            self.conversation,
            self.redirects,
            self.artifacts,
            self.catalog,
            self.schedules,
            self.responses,
            self.options,
            self.clean,
        ):
            await step()
            self.ok(step.__name__)
        count = check_coverage(self.client, self.calls)
        self.ok(f"coverage of {count} methods")

    def ok(self, name):
        print(f"ok {self.kind}: {name.replace('_', ' ')}", flush=True)

    # Preparation by plain HTTP, because the SDK has no methods for it.

    def send(self, method, path, status, body=None):
        response = self.http.request(method, f"{BASE}/agent/{path}", **({"json": body} if body is not None else {}))
        assert response.status_code == status, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None

    def environment(self, name):
        config = {"name": f"{self.tag}-{name}", "setup_commands": [], "github_repos": []}
        uid = self.send("POST", "environments", 201, {"config": config})["uid"]
        assert re.fullmatch(r"[A-Za-z0-9]{22}", uid), f"id of an environment: {uid}"
        return uid

    def key(self, **body):
        made = self.send("POST", "api-keys", 201, {"name": f"key-{self.tag}", **body})
        return made["raw_api_key"], made["api_key"]["uid"]

    # Helpers.

    async def queue(self, title, api=None, config=None, metadata=None, **params):
        """Dispatches a run that stays queued and gives its id."""
        params.setdefault("prompt", "Wait here.")
        made = await (api or self.api).agent.run(
            title=title, config={**NOWHERE, **(config or {})}, metadata={**self.mine, **(metadata or {})}, **params
        )
        assert made.run_id == made.task_id, made
        assert made.state == "QUEUED", made
        assert made.at_capacity in (None, True, False), made
        return made.run_id

    async def get(self, run_id):
        return await self.api.agent.runs.retrieve(run_id)

    async def wait(self, run_id, until, pause=0.3, limit=180):
        deadline = time.monotonic() + limit
        while True:
            item = await self.get(run_id)
            if until(item):
                return item
            assert item.state not in ENDED - {"SUCCEEDED"}, f"{item.state}: {item.status_message}"
            assert time.monotonic() < deadline, f"{run_id} is {item.state} after {limit} s"
            await asyncio.sleep(pause)

    # Identities.

    async def identities(self):
        agents = self.api.agent.agent
        full = {
            "name": f"full-{self.tag}",
            "agent_type": "REVIEW",
            "base_harness": "oz",
            "base_model": "example/base",
            "credential_strategy": "CREATOR",
            "description": "Reviews changes.",
            "environment_id": self.environments[0],
            "harness": {"type": "oz"},
            "inference_providers": {"aws": {"disabled": True, "region": "eu-west-1"}},
            "mcp_servers": {"docs": {"url": "https://example.com/mcp", "headers": {"X-Team": "a"}}},
            "on_behalf_of_enabled": True,
            "prompt": "Be brief.",
            # These name things that other services own, so they stay empty.
            "default_runner_uid": "",
            "harness_auth_secrets": {},
            "secrets": [],
            "skills": [],
        }
        memory = {"attached_stores": [], "auto_memory": {"enabled": False}}
        made = await agents.create(**full, memory=memory, factory_uid=None, worker_host="  nowhere ")
        typed(made, available=bool, created_at=datetime, updated_at=datetime, uid=str)
        assert made.available, made
        same(made.to_dict(), {**full, "worker_host": "nowhere"}, "identity")
        assert (made.secrets, made.skills, made.default_runner_uid) == ([], [], ""), made
        assert made.memory.attached_stores == [] and made.memory.auto_memory.enabled is False, made.memory
        assert made.factory_uid is None, made
        assert await agents.get(made.uid) == made, "get must give what create gave"

        # A patch: what is omitted or null stays, what is empty is cleared.
        renamed = await agents.update(made.uid, name=f"renamed-{self.tag}", description=None, prompt=None)
        assert renamed.name == f"renamed-{self.tag}" and renamed.uid == made.uid, renamed
        assert renamed.updated_at > made.updated_at and renamed.created_at == made.created_at, renamed
        kept = {"name", "updated_at"}
        assert renamed.to_dict() | {k: 0 for k in kept} == made.to_dict() | {k: 0 for k in kept}, "the rest must stay"
        other = {
            "agent_type": "CUSTOM",
            "base_model": "example/other",
            "base_harness": "oz",
            "credential_strategy": "EXECUTOR",
            "environment_id": self.environments[1],
            "harness": {"type": "oz"},
            "inference_providers": {"aws": {"disabled": False}},
            "mcp_servers": {"files": {"command": "mcp-files", "args": ["--ro"], "env": {"A": "b"}}},
            "on_behalf_of_enabled": False,
            "worker_host": "elsewhere",
        }
        changed = await agents.update(made.uid, **other)
        same(changed.to_dict(), other, "identity")
        assert changed.mcp_servers.keys() == {"files"}, "a map must be replaced as a whole"
        assert changed.description == "Reviews changes.", changed
        texts = ("base_harness", "base_model", "default_runner_uid", "description", "environment_id", "prompt")
        cleared = await agents.update(
            made.uid,
            **{field: "" for field in (*texts, "worker_host")},
            harness={},
            harness_auth_secrets={},
            inference_providers={},
            mcp_servers={},
            memory={"attached_stores": []},
            secrets=[],
            skills=[],
        )
        for field in (*texts, "worker_host", "mcp_servers"):
            assert not getattr(cleared, field), f"{field} must be cleared: {cleared}"
        assert cleared.name == renamed.name, cleared

        listed = {a.uid: a for a in (await agents.list()).agents}
        assert listed[made.uid] == cleared, "list must give what update gave"
        # Servers without factories may ignore this filter.
        typed(await agents.list(factory_uid=str(uuid4())), agents=list)
        with refused(BadRequestError, code="invalid_request"):
            await agents.create(name="")
        with refused(BadRequestError):
            conflict = {"harness": {"type": "claude"}, "base_model": "example/base"}
            await agents.create(name=f"conflict-{self.tag}", **conflict)

        assert await agents.delete(made.uid) is None
        with refused(NotFoundError, code="resource_not_found"):
            await agents.get(made.uid)
        with refused(NotFoundError):
            await agents.update(made.uid, name="gone")
        with refused(NotFoundError):
            await agents.delete(made.uid)
        assert made.uid not in {a.uid for a in (await agents.list()).agents}

        # The two that the other steps use. Auto-memory is on unless it is switched off.
        off = {"auto_memory": {"enabled": False}}
        self.robot = (await agents.create(name=f"robot-{self.tag}", on_behalf_of_enabled=True, memory=off)).uid
        modest = await agents.create(name=f"modest-{self.tag}")
        self.modest, auto = modest.uid, modest.memory.auto_memory
        assert not modest.on_behalf_of_enabled and not modest.description, modest
        assert auto.enabled and auto.store and auto.store.owner_type == "service_account", modest.memory

    # Credentials.

    async def keys(self):
        with refused(AuthenticationError, code="authentication_required"):
            await self.api.options(api_key="wk-1." + "0" * 64).agent.runs.list()
        with refused(AuthenticationError):
            await self.api.options(api_key="nonsense").agent.run(prompt="never")

        expires = (datetime.now(timezone.utc) + timedelta(days=1)).isoformat()
        raw, uid = self.key(expires_at=expires)
        short = self.api.options(api_key=raw)
        await short.agent.runs.list(limit=1)
        self.send("DELETE", f"api-keys/{uid}", 204)
        with refused(AuthenticationError):
            await short.agent.runs.list(limit=1)

        self.robot_api = self.api.options(api_key=self.key(agent_uid=self.robot)[0])
        self.modest_api = self.api.options(api_key=self.key(agent_uid=self.modest)[0])
        for call in (
            lambda: self.robot_api.agent.agent.create(name=f"child-{self.tag}"),
            lambda: self.robot_api.agent.agent.update(self.modest, name=f"stolen-{self.tag}"),
            lambda: self.robot_api.agent.agent.delete(self.modest),
        ):
            with refused(PermissionDeniedError, code="not_authorized"):
                await call()

        # An identity takes its keys along.
        gone = (await self.api.agent.agent.create(name=f"gone-{self.tag}")).uid
        api = self.api.options(api_key=self.key(agent_uid=gone)[0])
        await api.agent.runs.list(limit=1)
        await self.api.agent.agent.delete(gone)
        with refused(AuthenticationError):
            await api.agent.runs.list(limit=1)

    # Dispatch.

    async def dispatch(self):
        self.plain = await self.queue(
            "Quixotic zeppelin",
            config={"name": f"plain-{self.tag}"},
            metadata={"colour": "blue", "size": "small"},
            prompt="Look at the clouds.",
        )
        plain = await self.get(self.plain)
        self.me = plain.creator.uid
        typed(plain, created_at=datetime, updated_at=datetime, is_sandbox_running=bool)
        assert (plain.run_id, plain.task_id) == (self.plain, self.plain), plain
        assert (plain.title, plain.prompt) == ("Quixotic zeppelin", "Look at the clouds."), plain
        assert (plain.state, plain.source, plain.execution_location) == ("QUEUED", "API", "REMOTE"), plain
        assert plain.creator.type == plain.executor.type == "user" and plain.executor.uid == self.me, plain
        assert plain.metadata == {**self.mine, "colour": "blue", "size": "small"}, plain.metadata
        assert plain.scope.type == "Team" and plain.scope.uid, plain.scope
        assert plain.started_at is None and not plain.is_sandbox_running, plain
        assert plain.is_run_type_cancellable is True and not plain.artifacts, plain
        assert plain.parent_run_id is None and plain.schedule is None, plain

        await asyncio.sleep(0.05)  # So that a time fits between the two.
        config = {
            "name": f"full-{self.tag}",
            "model_id": "example/large",
            "base_prompt": "Be careful.",
            "environment_id": self.environments[0],
            "skill_spec": SKILL,
            "mcp_servers": {
                "docs": {"url": "https://example.com/mcp", "headers": {"X-Team": "a"}},
                "files": {"command": "mcp-files", "args": ["--ro"], "env": {"A": "b"}},
            },
            "computer_use_enabled": False,
            "idle_timeout_minutes": 5,
            "worker_host": "nowhere",
            "harness": {"type": "oz"},
            "harness_auth_secrets": {},
            "credential_strategy": "EXECUTOR",
            "inference_providers": {"aws": {"disabled": True, "region": "eu-west-1"}},
            "memory_stores": [],
            "session_sharing": {"public_access": "VIEWER"},
        }
        self.full = await self.queue(
            "Repair the database",
            config=config,
            metadata={"colour": "red", "automation_id": f"auto-{self.tag}"},
            prompt="Find the broken index.",
            mode="plan",
            interactive=True,
            team=True,
            agent_identity_uid=self.robot,
            parent_run_id=self.plain,
            attachments=[{"file_name": "dot.png", "mime_type": "image/png", "data": PNG}],
        )
        full = await self.get(self.full)
        same(full.agent_config.to_dict(), config, "agent_config")
        inherited = {**self.mine, "colour": "red", "size": "small", "automation_id": f"auto-{self.tag}"}
        assert full.metadata == inherited, full.metadata
        assert (full.parent_run_id, full.source) == (self.plain, "ORCHESTRATION"), full
        assert (full.creator.type, full.creator.uid) == ("user", self.me), full.creator
        assert (full.executor.type, full.executor.uid) == ("service_account", self.robot), full.executor
        self.created_between = between(plain.created_at, full.created_at)

        # The fields that exclude some of those.
        spec = await self.get(
            await self.queue("By skill", skill=SKILL, config={"skill_spec": "acme/app:other"}, prompt=sdk.omit)
        )
        assert spec.agent_config.skill_spec == SKILL, "skill must win over config.skill_spec"
        skills = await self.get(await self.queue("By skills", config={"skills": [SKILL, "acme/app:test"]}))
        assert skills.agent_config.skill_spec == SKILL, "skill_spec must echo the first of skills"
        assert skills.agent_config.skills == [SKILL, "acme/app:test"], skills.agent_config
        harness = {"type": "claude", "model_id": "claude-haiku-4-5", "reasoning_level": "low"}
        other = await self.get(await self.queue("By harness", config={"harness": harness}))
        assert other.agent_config.harness.api_model_id == "claude-haiku-4-5", other.agent_config
        assert other.agent_config.harness.type == "claude", other.agent_config
        private = await self.get(await self.queue("Mine", team=False))
        assert private.scope.type == "User", private.scope
        untitled = await self.api.agent.run(prompt="Count the stars.", config=NOWHERE, metadata=self.mine)
        assert (await self.get(untitled.run_id)).title, "a title must be made from the prompt"
        self.cli = await self.queue("From elsewhere", extra_headers={"X-Oz-Api-Source": "CLI"})
        assert (await self.get(self.cli)).source == "CLI"

    async def bad_dispatch(self):
        image = {"file_name": "dot.png", "mime_type": "image/png", "data": PNG}
        for why, params in {
            "no prompt": {},
            "an empty prompt": {"prompt": ""},
            "an unknown mode": {"prompt": "x", "mode": "sideways"},
            "an unknown parent": {"prompt": "x", "parent_run_id": str(uuid4())},
            "six attachments": {"prompt": "x", "attachments": [image] * 6},
            "an attachment that isn't base64": {"prompt": "x", "attachments": [{**image, "data": "*"}]},
            "a bad metadata key": {"prompt": "x", "metadata": {"a b": "c"}},
            "21 metadata keys": {"prompt": "x", "metadata": {f"k{i}": "v" for i in range(21)}},
            "a long metadata value": {"prompt": "x", "metadata": {"k": "v" * 257}},
            "skill_spec and skills": {"prompt": "x", "config": {"skill_spec": SKILL, "skills": [SKILL]}},
            "two MCP transports": {"prompt": "x", "config": {"mcp_servers": {"m": {"url": "u", "command": "c"}}}},
            "an unknown harness": {"prompt": "x", "config": {"harness": {"type": "abacus"}}},
            "an idle timeout of 61": {"prompt": "x", "config": {"idle_timeout_minutes": 61}},
        }.items():
            params["config"] = {**NOWHERE, **params.get("config", {})}
            try:
                with refused(BadRequestError, code="invalid_request"):
                    await self.api.agent.run(**params)
            except AssertionError as error:
                raise AssertionError(f"dispatch with {why}") from error

    async def on_behalf_of(self):
        self.by_agent = await self.queue("By an agent", api=self.robot_api)
        own = await self.get(self.by_agent)
        assert (own.creator.type, own.creator.uid) == ("service_account", self.robot), own.creator
        assert own.executor.uid == self.robot, own.executor
        email = (await self.get(self.plain)).creator.email
        for who in filter(None, (self.me, email)):
            run = await self.get(await self.queue("For a person", api=self.robot_api, on_behalf_of=who))
            assert (run.creator.type, run.creator.uid) == ("user", self.me), run.creator
            assert run.executor.uid == self.robot, run.executor
        with refused(PermissionDeniedError):
            await self.queue("For a person", api=self.modest_api, on_behalf_of=self.me)
        with refused(BadRequestError, PermissionDeniedError):
            await self.queue("For myself", on_behalf_of=self.me)

    # Single runs.

    async def cancel(self):
        self.cancelled = await self.queue("Never mind")
        # The SDK hands out the body's text for a `str`: JSON, quotes and all.
        assert json.loads(await self.api.agent.runs.cancel(self.cancelled)) == self.cancelled
        assert (await self.get(self.cancelled)).state == "CANCELLED"
        with refused(BadRequestError, code="invalid_request"):
            await self.api.agent.runs.cancel(self.cancelled)
        with refused(NotFoundError, code="resource_not_found"):
            await self.api.agent.runs.cancel(str(uuid4()))

    async def retrieve_errors(self):
        runs = self.api.agent.runs
        with refused(NotFoundError, code="resource_not_found"):
            await runs.retrieve(str(uuid4()))
        with refused(BadRequestError, code="invalid_request"):
            await runs.retrieve("not-a-run")
        assert (await runs.list_handoff_attachments(self.plain)).attachments == []
        with refused(NotFoundError):
            await runs.list_handoff_attachments(str(uuid4()))

    async def succeed(self):
        item = self.before = await self.wait(self.done, lambda r: r.state == "SUCCEEDED")
        # The client validates strictly, so a field that is there has its type.
        wanted = """agent_config artifacts conversation_id created_at creator execution_location executor metadata
            is_sandbox_running is_run_type_cancellable prompt request_usage run_id run_time scope source started_at
            state task_id title updated_at"""
        missing = set(wanted.split()) - item.model_fields_set
        assert not missing, f"a run that succeeded must have {missing}"
        typed(item, created_at=datetime, updated_at=datetime, started_at=datetime, is_sandbox_running=bool)
        assert item.created_at.tzinfo and item.created_at <= item.started_at <= item.updated_at, item
        assert item.created_at < item.updated_at, item
        assert (item.run_id, item.task_id) == (self.done, self.done), item
        assert (item.source, item.execution_location) == ("API", "REMOTE"), item
        assert item.prompt == "do the work" and item.title, item
        assert item.metadata == self.mine, item.metadata
        assert item.agent_config.name == f"real-{self.tag}", item.agent_config
        assert item.creator.type == "user" and item.creator.uid == self.me, item.creator
        assert item.creator.display_name or item.creator.email, item.creator
        assert item.executor.type == "user" and item.executor.uid == self.me, item.executor
        assert item.scope.type == "Team" and item.scope.uid, item.scope
        assert item.is_run_type_cancellable is True, item
        assert seconds(item.run_time) >= 0, item
        costs = [v for v in item.request_usage.to_dict().values() if isinstance(v, (int, float))]
        assert all(cost >= 0 for cost in costs), item.request_usage
        assert item.status_message is None or not item.status_message.error_code, item.status_message
        self.pull_request(item)
        with refused(BadRequestError):
            await self.api.agent.runs.cancel(self.done)

    def pull_request(self, item):
        found = [a for a in item.artifacts if a.artifact_type == "PULL_REQUEST"]
        assert found, f"no pull request among {item.artifacts}"
        assert found[0].data.url == "https://example.com/pull/1" and found[0].data.branch == "fix", found
        typed(found[0], created_at=datetime)

    # Lists.

    async def listed(self, **query):
        query["metadata"] = {**self.mine, **query.get("metadata", {})}
        return [item async for item in self.api.agent.runs.list(**{"limit": 100, **query})]

    async def filters(self):
        get, plain, full, done, cancelled = self.get, self.plain, self.full, self.done, self.cancelled
        updated_between = between((await get(plain)).updated_at, (await get(cancelled)).updated_at)
        stamp = self.created_between.isoformat().replace("+00:00", "Z")
        robot, cli, by_agent = self.robot, self.cli, self.by_agent
        # Query, runs that match, runs that don't.
        for query, match, miss in (
            ({}, [plain, full, done, cancelled, cli, by_agent], []),
            ({"state": ["QUEUED"]}, [plain, full], [done, cancelled]),
            ({"state": ["SUCCEEDED", "CANCELLED"]}, [done, cancelled], [plain, full]),
            ({"name": f"plain-{self.tag}"}, [plain], [full, done]),
            ({"model_id": "example/large"}, [full], [plain]),
            ({"creator": self.me}, [plain, full], [by_agent]),
            ({"creator": robot}, [by_agent], [plain, full]),
            ({"executor": robot}, [full, by_agent], [plain]),
            ({"executor": self.me}, [plain], [full, by_agent]),
            ({"source": "API"}, [plain, done], [cli, full]),
            ({"source": "CLI"}, [cli], [plain]),
            ({"source": "ORCHESTRATION"}, [full], [plain]),
            ({"execution_location": "REMOTE"}, [plain, done], []),
            ({"execution_location": "LOCAL"}, [], [plain, done]),
            ({"created_after": self.created_between}, [full], [plain, done]),
            ({"created_after": stamp}, [full], [plain]),
            ({"created_before": self.created_between}, [plain, done], [full]),
            ({"created_before": stamp}, [plain], [full]),
            ({"updated_after": updated_between}, [cancelled], [plain]),
            ({"environment_id": self.environments[0]}, [full], [plain, done]),
            ({"environment_id": self.environments[1]}, [], [full, plain]),
            ({"environment_id": "empty-environment"}, [plain, done], [full]),
            ({"skill": SKILL}, [full], [plain]),
            ({"skill_spec": SKILL}, [full], [plain]),
            ({"skill_spec": "acme/app:none"}, [], [full, plain]),
            ({"schedule_id": str(uuid4())}, [], [plain, full]),
            ({"ancestor_run_id": plain}, [full], [plain, done]),
            ({"artifact_type": "PULL_REQUEST"}, [done], [plain]),
            ({"artifact_type": "PLAN"}, [], [done, plain]),
            ({"q": "zeppelin"}, [plain], [full, done]),
            ({"q": "clouds"}, [plain], [full, done]),
            ({"q": "deploy"}, [full], [plain, done]),
            ({"automation_id": f"auto-{self.tag}"}, [full], [plain]),
            ({"factory_uid": str(uuid4())}, [], [plain, full, by_agent]),
            ({"metadata": {"colour": "blue"}}, [plain], [full, done]),
            ({"metadata": {"colour": "red", "size": "small"}}, [full], [plain]),
            ({"metadata": {"colour": "red", "size": "large"}}, [], [plain, full]),
            ({"state": ["QUEUED"], "creator": self.me, "q": "zeppelin"}, [plain], [full, by_agent, done]),
        ):
            found = {item.run_id for item in await self.listed(**query)}
            assert found >= set(match), f"{query} must find {set(match) - found}"
            assert not found & set(miss), f"{query} must not find {found & set(miss)}"
            assert match or not found, f"{query} must find nothing, found {found}"
        raw = await self.listed(extra_query={"metadata[colour]": "blue"})
        assert plain in {item.run_id for item in raw}, "metadata as plain query"
        for query in (
            {"limit": 0},
            {"limit": 501},
            {"state": ["ASLEEP"]},
            {"sort_by": "colour"},
            {"sort_order": "sideways"},
            {"source": "MARS"},
            {"created_after": "yesterday"},
            {"cursor": "nonsense"},
            {"metadata": {f"k{i}": "v" for i in range(6)}},
        ):
            with refused(BadRequestError, code="invalid_request"):
                await self.api.agent.runs.list(**query)
        with refused(BadRequestError, NotFoundError):
            await self.api.agent.runs.list(ancestor_run_id=str(uuid4()))

    async def sorts_and_pages(self):
        runs, mine = self.api.agent.runs, {"set": f"pages-{self.tag}"}
        skills = ["acme/app:b", None, "acme/app:a", None, "acme/app:c", None, None]
        made = []
        for title, skill in zip("dbgacfe", skills):
            config = {"skill_spec": skill} if skill else {}
            made.append(await self.queue(f"{title} {self.tag}", config=config, metadata=mine))
            await asyncio.sleep(0.01)
        await runs.cancel(made[2])  # Now the order by change isn't the one by creation.
        keys = {
            "updated_at": lambda r: r.updated_at,
            "created_at": lambda r: r.created_at,
            "title": lambda r: r.title,
            "agent": lambda r: r.agent_config.skill_spec,
        }
        for sort, key in keys.items():
            for order in ("desc", "asc"):
                # Nothing is sent that is the default anyway: updated_at, desc.
                query = {"sort_by": sort} if sort != "updated_at" else {}
                query |= {"sort_order": order} if order != "desc" else {}
                items = await self.listed(metadata=mine, limit=2, **query)
                ids = [item.run_id for item in items]
                assert sorted(ids) == sorted(made), f"{sort} {order} must give every run once: {ids}"
                values = [key(item) for item in items]
                if sort == "agent":
                    assert values[3:] == [None] * 4, f"runs without a skill must come last: {values}"
                    values = values[:3]
                assert values == sorted(values, reverse=order == "desc"), f"{sort} {order}: {values}"
                if sort == "updated_at":
                    assert ids[0 if order == "desc" else -1] == made[2], "the run that changed last"
        spelled = await self.listed(metadata=mine, sort_by="updated_at", sort_order="desc")
        assert spelled[0].run_id == made[2], "the defaults may be spelled out"

        first = await runs.list(limit=2, metadata=mine)
        assert len(first.runs) == 2 and first.page_info.has_next_page and first.has_next_page(), first
        second = await settle(first.get_next_page())
        again = await runs.list(limit=2, metadata=mine, cursor=first.page_info.next_cursor)
        assert [r.run_id for r in second.runs] == [r.run_id for r in again.runs], "a cursor names one place"
        whole = await runs.list(limit=500, metadata=mine)
        assert len(whole.runs) == 7 and whole.page_info.has_next_page is False, whole.page_info
        assert not whole.page_info.next_cursor, whole.page_info
        assert (await runs.list(metadata={"set": f"none-{self.tag}"})).runs == []
        for query in ({"sort_by": "title"}, {"sort_order": "asc"}):
            with refused(BadRequestError, code="invalid_request"):
                await runs.list(limit=2, metadata=mine, cursor=first.page_info.next_cursor, **query)

    # Talking to runs.

    async def followups(self):
        runs = self.api.agent.runs
        waiting = await self.queue("Waits for news")
        await runs.submit_followup(waiting, message="Also this.", mode="plan")
        await runs.submit_followup(waiting, message="And that.")
        assert (await self.get(waiting)).state == "QUEUED"
        with refused(NotFoundError):
            await runs.submit_followup(str(uuid4()), message="Anyone?")

        # An ended run wakes up under the same id.
        before = self.before = await self.get(self.done)
        await runs.submit_followup(self.done, message="do the work", mode="normal")
        fickle = {"updated_at", "is_sandbox_running", "request_usage"}  # They may change without a second execution.
        rest = lambda r: {k: v for k, v in r.to_dict().items() if k not in fickle}  # noqa: E731
        await self.wait(self.done, lambda r: r.state != "SUCCEEDED" or rest(r) != rest(before), pause=0.05)
        after = await self.wait(self.done, lambda r: r.state == "SUCCEEDED")
        assert after.updated_at > before.updated_at and after.created_at == before.created_at, after
        assert after.conversation_id == before.conversation_id, after
        assert seconds(after.run_time) >= seconds(before.run_time), "run_time must add up"
        self.pull_request(after)

    async def conversation(self):
        conversation = self.before.conversation_id
        run = await self.get(await self.queue("Goes on", conversation_id=conversation, prompt=sdk.omit))
        assert run.conversation_id == conversation, run
        with refused(BadRequestError, NotFoundError):
            await self.queue("Goes on", conversation_id=str(uuid4()))

    async def redirects(self):
        sessions, conversations = self.api.agent.sessions, self.api.agent.conversations
        assert (await sessions.check_redirect(str(uuid4()))).conversation_id is None
        assert (await conversations.check_redirect(str(uuid4()))).session_id is None
        anyone = self.api.options(api_key="nonsense")
        for resource in (anyone.agent.sessions, anyone.agent.conversations):
            raw = await resource.with_raw_response.check_redirect(str(uuid4()))
            assert "authorization" not in raw.http_request.headers, "the SDK sends no key here"
            assert raw.status_code == 200 and await settle(raw.json()) == {}, await settle(raw.text())
        item = await self.get(self.done)
        if item.session_id and not item.is_sandbox_running:
            found = await sessions.check_redirect(item.session_id)
            assert found.conversation_id in (None, item.conversation_id), found

    async def artifacts(self):
        with refused(NotFoundError, code="resource_not_found"):
            await self.api.agent.get_artifact(str(uuid4()))

    async def catalog(self):
        agent = self.api.agent
        typed(await agent.list(), agents=list)
        for sort in ("name", "last_run"):
            typed(await agent.list(sort_by=sort, refresh=True, include_malformed_skills=True), agents=list)
        with refused(BadRequestError, code="invalid_request"):
            await agent.list(repo="x")

        a, b = self.environments  # b was made last.
        for sort, order in ((None, [b, a]), ("last_updated", [b, a]), ("name", [a, b])):
            found = (await agent.list_environments(**({"sort_by": sort} if sort else {}))).environments
            assert [e.uid for e in found if e.uid in order] == order, f"environments by {sort}"
        first = next(e for e in found if e.uid == a)
        typed(first, last_updated=datetime, setup_failed=bool)
        assert first.config.name == f"{self.tag}-a" and not first.setup_failed, first
        assert not first.config.setup_commands and not first.config.github_repos, first
        assert first.last_task_created and first.last_task_created.id == self.full, first.last_task_created
        typed(first.last_task_created, created_at=datetime, updated_at=datetime, title=str)
        with refused(BadRequestError):
            await agent.list_environments(sort_by="colour")

    # Schedules.

    async def schedules(self):
        schedules = self.api.agent.schedules
        config = {"name": f"nightly-{self.tag}", "environment_id": self.environments[0], **NOWHERE}
        wanted = {
            "name": f"b-{self.tag}",
            "cron_schedule": "0 9 * * *",
            "prompt": "Tidy up.",
            "enabled": True,
            "agent_config": config,
            "agent_uid": self.robot,
            "metadata": {"colour": "green"},
        }
        made = await schedules.create(**wanted, mode="plan", team=True)
        typed(made, created_at=datetime, updated_at=datetime)
        same(made.to_dict(), wanted, "schedule")
        assert made.scope.type == "Team" and made.created_by.uid == self.me, made
        assert made.environment.name == f"{self.tag}-a", made.environment
        assert not made.last_spawn_error and made.history.last_ran is None, made
        due = made.history.next_run.astimezone(timezone.utc)
        now = datetime.now(timezone.utc)
        assert (due.hour, due.minute) == (9, 0) and now < due <= now + timedelta(days=1), due
        assert await schedules.retrieve(made.id) == made, "retrieve must give what create gave"

        minimal = await schedules.create(name=f"a-{self.tag}", cron_schedule="*/5 * * * *", prompt="x", enabled=False)
        assert minimal.enabled is False and not (minimal.history and minimal.history.next_run), minimal
        skilled = await schedules.create(
            name=f"c-{self.tag}", cron_schedule="0 9 * * *", agent_config={"skill_spec": SKILL, **NOWHERE}
        )
        assert skilled.enabled is True and skilled.history.next_run, "enabled must be the default"
        listed = (await schedules.list()).schedules
        names = [s.name for s in listed]
        assert [n for n in names if self.tag in n] == [f"{c}-{self.tag}" for c in "abc"], f"must be by name: {names}"
        assert next(s for s in listed if s.id == made.id) == made, "list must give what create gave"

        changed = {
            "name": f"d-{self.tag}",
            "cron_schedule": "30 10 * * 1",
            "enabled": True,
            "prompt": "Tidy up more.",
            "agent_config": {"name": f"weekly-{self.tag}", **NOWHERE},
            "agent_uid": self.modest,
            "metadata": {"colour": "grey"},
        }
        updated = await schedules.update(made.id, **changed, mode="normal")
        same(updated.to_dict(), changed, "schedule")
        assert updated.metadata == {"colour": "grey"} and updated.updated_at > made.updated_at, updated
        due = updated.history.next_run.astimezone(timezone.utc)
        assert (due.weekday(), due.hour, due.minute) == (0, 10, 30), due
        assert updated.updated_by.uid == self.me and updated.id == made.id, updated
        paused = await schedules.pause(made.id)
        assert paused.enabled is False and not (paused.history and paused.history.next_run), paused
        assert (await schedules.retrieve(made.id)).enabled is False
        resumed = await schedules.resume(made.id)
        assert resumed.enabled is True and resumed.history.next_run == updated.history.next_run, resumed

        valid = {"name": f"x-{self.tag}", "cron_schedule": "0 9 * * *", "prompt": "x"}
        for bad in ({"cron_schedule": "every day"}, {"cron_schedule": "0 25 * * *"}, {"prompt": ""}, {"name": ""}):
            with refused(BadRequestError, code="invalid_request"):
                await schedules.create(**{**valid, **bad})
        with refused(BadRequestError):
            await schedules.update(made.id, **{**changed, "cron_schedule": "61 * * * *"})
        assert await self.listed(schedule_id=made.id) == [], "it hasn't run yet"
        for schedule in (made, minimal, skilled):
            assert (await schedules.delete(schedule.id)).success is True
        for call in (schedules.retrieve, schedules.delete, schedules.pause, schedules.resume):
            with refused(NotFoundError, code="resource_not_found"):
                await call(made.id)
        with refused(NotFoundError):
            await schedules.update(made.id, **changed)
        assert not [s for s in (await schedules.list()).schedules if self.tag in s.name]

    # What the client itself offers.

    async def responses(self):
        runs = self.api.agent.runs
        raw = await runs.with_raw_response.retrieve(self.plain)
        assert raw.status_code == 200 and raw.headers["content-type"].startswith("application/json"), raw.headers
        assert (await settle(raw.parse())).run_id == self.plain
        raw = await runs.with_raw_response.list(limit=2, metadata=self.mine)
        page = await settle(raw.parse())
        assert len(page.runs) == 2 and (await settle(page.get_next_page())).runs
        body = {"name": f"raw-{self.tag}", "cron_schedule": "0 9 * * *", "prompt": "x", "enabled": False}
        raw = await self.api.agent.schedules.with_raw_response.create(**body)
        assert raw.status_code == 201, raw
        await self.api.agent.schedules.delete((await settle(raw.parse())).id)
        raw = await self.api.agent.agent.with_raw_response.create(name=f"raw-{self.tag}")
        assert raw.status_code == 201, raw
        raw = await self.api.agent.agent.with_raw_response.delete((await settle(raw.parse())).uid)
        assert raw.status_code == 204 and not raw.http_response.content, raw
        raw = await runs.with_raw_response.cancel(await self.queue("Raw"))
        assert raw.headers["content-type"].startswith("application/json"), raw.headers
        async with runs.with_streaming_response.retrieve(self.plain) as streamed:
            assert streamed.status_code == 200 and streamed.headers["content-type"], streamed
            assert (await settle(streamed.json()))["run_id"] == self.plain

    async def options(self):
        assert self.client.max_retries == 0
        runs = self.api.agent.runs
        assert (await runs.retrieve(self.plain, timeout=20.0)).run_id == self.plain
        tuned = self.api.options(max_retries=1, timeout=30, default_headers={"X-A": "b"})
        assert (await tuned.agent.runs.retrieve(self.plain)).run_id == self.plain
        with socket.create_server(("127.0.0.1", 0)) as silent:  # It never answers.
            deaf = self.api.options(base_url=f"http://127.0.0.1:{silent.getsockname()[1]}/api/v1")
            try:
                await deaf.agent.runs.retrieve(self.plain, timeout=0.2)
                raise AssertionError("a timeout must be reported")
            except APITimeoutError:
                pass
        try:
            await deaf.agent.runs.retrieve(self.plain)
            raise AssertionError("a refused connection must be reported")
        except APIConnectionError as error:
            assert not isinstance(error, APITimeoutError)

    async def clean(self):
        for item in await self.listed(state=["QUEUED"]):
            await self.api.agent.runs.cancel(item.run_id)
        assert await self.listed(state=["QUEUED"]) == []
        for uid in (self.robot, self.modest):
            await self.api.agent.agent.delete(uid)
        for uid in self.environments:
            self.send("DELETE", f"environments/{uid}", 204)
        left = {e.uid for e in (await self.api.agent.list_environments()).environments}
        assert not left & set(self.environments), "deleted environments must be gone"


async def main():
    settings = {"max_retries": 0, "_strict_response_validation": True}
    with StrictOzAPI(**settings) as client:
        await Scenario(client).run()
    async with StrictAsyncOzAPI(**settings) as client:
        await Scenario(client).run()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
