"""What the server answers with, as objects."""

import copy
import json
import pickle
from datetime import datetime, timedelta, timezone

import oz
import pytest
from oz._generated import types

RUN = {
    "run_id": "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e",
    "task_id": "0198c5a2-7a4e-7c30-9d51-3f0a5b6c7d8e",
    "title": "T",
    "state": "DREAMING",
    "prompt": "p",
    "created_at": "2026-01-02T03:04:05.678901234Z",
    "updated_at": "2026-01-02T05:04:05+02:00",
    "agent_config": {"model_id": "m", "mcp_servers": {"a": {"url": "https://a", "headers": {"k": "secret"}}}},
    "artifacts": [
        {"artifact_type": "PLAN", "created_at": "2026-01-02T03:04:05Z", "data": {"document_uid": "d"}},
        {"artifact_type": "HOLOGRAM", "created_at": "2026-01-02T03:04:05Z", "data": {"depth": 3}},
    ],
    "of_a_newer_server": {"a": 1},
}


def made():
    return types.Run._of(copy.deepcopy(RUN))


def test_fields_have_their_types_and_absent_ones_their_defaults():
    run = made()
    assert run.created_at == datetime(2026, 1, 2, 3, 4, 5, 678901, timezone.utc)
    assert run.updated_at.utcoffset() == timedelta(hours=2)
    assert run.state == "DREAMING", "a word of a newer server stays"
    assert run.agent_config is run.agent_config, "it is made once"
    assert run.agent_config.mcp_servers["a"].url == "https://a"
    assert run.status_message is None and run.children == [] and run.metadata == {} and run.is_sandbox_running is False
    assert run.of_a_newer_server == {"a": 1}
    with pytest.raises(AttributeError):
        run.nothing


def test_a_union_has_a_class_for_each_kind_and_keeps_unknown_ones():
    plan, hologram = made().artifacts
    assert isinstance(plan, oz.ArtifactItemPlan) and plan.data.document_uid == "d"
    assert type(hologram) is oz.ArtifactItem and hologram.artifact_type == "HOLOGRAM" and hologram.data == {"depth": 3}


def test_nothing_is_lost_on_the_way_back():
    run = made()
    assert run.to_dict() == RUN
    run.artifacts, run.agent_config.mcp_servers, run.created_at  # noqa: B018
    assert run.to_dict() == RUN, "also when its fields were read"
    assert json.loads(run.to_json()) == RUN
    for again in (pickle.loads(pickle.dumps(run)), copy.copy(run), copy.deepcopy(run)):
        assert again == run and type(again) is type(run)
    other = made()
    other.title = "U"
    assert other != run and run != RUN


def test_objects_can_be_made_and_changed():
    config = oz.AgentConfig(model_id="m", mcp_servers={"a": {"command": "x"}})
    assert config.mcp_servers["a"].command == "x"
    config.mcp_servers["b"] = oz.McpServerConfig(url="https://b")
    config.fallback_model_ids.append("n")
    config.mcp_servers["a"].args.append("-v")
    assert config.to_dict() == {
        "model_id": "m",
        "mcp_servers": {"a": {"command": "x", "args": ["-v"]}, "b": {"url": "https://b"}},
        "fallback_model_ids": ["n"],
    }


def test_what_is_shown_has_no_keys():
    run = made()
    assert "title='T'" in repr(run) and "datetime(2026" in repr(run)
    assert "secret" not in repr(run)
    assert "wk-1" not in repr(types.ApiKeyCreated._of({"raw_api_key": "wk-1.abc"}))
    assert "hush" not in repr(oz.HarnessTask._of({"prompt": "x", "env": {"TOKEN": "hush"}}))
    assert "hush" not in repr(oz.WorkTask._of({"prompt": "x", "env": {"TOKEN": "hush"}}))
    assert "wk-1" not in repr(oz.Oz(api_key="wk-1.abc", base_url="http://127.0.0.1:1"))


def test_every_class_can_be_read_field_by_field():
    """The annotation of each lazy field is one that makes something of JSON."""
    from oz._object import _Lazy, _make

    count = 0
    for name in types.__all__:
        cls = getattr(types, name)
        for field, lazy in vars(cls).items():
            if isinstance(lazy, _Lazy):
                assert callable(_make(cls.__annotations__[field])), f"{name}.{field}"
                count += 1
    assert count > 200


def test_moments_are_read_as_older_pythons_do(monkeypatch):
    from oz import _object

    texts = ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.5Z", "2026-01-02T03:04:05.678901234+02:00", "2026-01-02T03:04:05-05:00"]
    new = [_object.moment(text) for text in texts]
    monkeypatch.setattr(_object.sys, "version_info", (3, 9))
    assert [_object.moment(text) for text in texts] == new


def test_configurations_are_checked_by_the_core():
    assert oz.validate(oz.AgentConfig(model_id="m")).model_id == "m"
    with pytest.raises(oz.BadRequestError) as error:
        oz.validate("AgentConfig", {"idle_timeout_minutes": 5000})
    assert "idle_timeout_minutes" in error.value.field and "5000" in error.value.detail
    with pytest.raises(oz.BadRequestError):
        oz.validate("CreateRun", {"prompt": ""})


def test_the_state_machine_is_that_of_the_core():
    assert oz.can_transition("QUEUED", "PENDING")
    assert not oz.can_transition("QUEUED", "SUCCEEDED")
    assert not oz.can_transition("CANCELLED", "DREAMING")
