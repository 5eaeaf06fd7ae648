"""The dashboard and the alerts: every query is evaluated over the series of two workers, and every alert fires and is
silent when it should."""

import itertools
import json
import re
import subprocess
import tempfile

import yaml

import tools

DASHBOARD = tools.DEPLOY / "grafana" / "oz-workers.json"
ALERTS = tools.DEPLOY / "prometheus" / "alerts.yaml"

# What a worker exports.
CATALOGUE = {
    "oz_worker_connected", "oz_worker_tasks_active", "oz_worker_tasks_max_concurrent", "oz_worker_tasks_claimed_total",
    "oz_worker_tasks_rejected_total", "oz_worker_tasks_completed_total", "oz_worker_task_duration_seconds",
    "oz_worker_task_failures_total", "oz_worker_websocket_reconnects_total", "oz_worker_info",
}  # fmt: skip

# Two workers for an hour, a value a minute: one of four slots in Docker, one without a limit that lost its connection.
DOCKER = 'job="oz",instance="a:9464"'
CLUSTER = 'job="oz",instance="b:9464"'
SERIES = {
    f'oz_worker_info{{{DOCKER},worker_id="docker-1",backend="docker",version="1"}}': "1x60",
    f'oz_worker_info{{{CLUSTER},worker_id="k8s-1",backend="kubernetes",version="2"}}': "1x60",
    f"oz_worker_connected{{{DOCKER}}}": "1x60",
    f"oz_worker_connected{{{CLUSTER}}}": "0x60",
    f"oz_worker_tasks_active{{{DOCKER}}}": "3x60",
    f"oz_worker_tasks_active{{{CLUSTER}}}": "2x60",
    f"oz_worker_tasks_max_concurrent{{{DOCKER}}}": "4x60",
    f"oz_worker_tasks_max_concurrent{{{CLUSTER}}}": "0x60",
    f"oz_worker_tasks_claimed_total{{{DOCKER}}}": "0+6x60",
    f"oz_worker_tasks_claimed_total{{{CLUSTER}}}": "0+2x60",
    f'oz_worker_tasks_rejected_total{{{DOCKER},reason="at_capacity"}}': "0+3x60",
    f'oz_worker_tasks_completed_total{{{DOCKER},result="succeeded"}}': "0+4x60",
    f'oz_worker_tasks_completed_total{{{DOCKER},result="failed"}}': "0+2x60",
    f'oz_worker_tasks_completed_total{{{DOCKER},result="cancelled"}}': "0+5x60",
    f'oz_worker_tasks_completed_total{{{CLUSTER},result="succeeded"}}': "0+2x60",
    f'oz_worker_task_duration_seconds_bucket{{{DOCKER},result="succeeded",le="10"}}': "0+2x60",
    f'oz_worker_task_duration_seconds_bucket{{{DOCKER},result="succeeded",le="100"}}': "0+4x60",
    f'oz_worker_task_duration_seconds_bucket{{{DOCKER},result="succeeded",le="+Inf"}}': "0+4x60",
    f'oz_worker_task_failures_total{{{DOCKER},phase="backend",reason="container_oom"}}': "0+2x60",
    f'oz_worker_task_failures_total{{{DOCKER},phase="assignment",reason="unknown"}}': "0x60",
    f'oz_worker_websocket_reconnects_total{{{CLUSTER},reason="dial_failed"}}': "0+1x60",
}

# What each panel shows of them after an hour.
SHOWN = {
    "Connected": [{"": 1}],
    "Workers": [{"": 2}],
    "Busy": [{"": 2}],
    "Active tasks": [{"": 5}],
    "Saturation": [{"": 0.75}],
    "Success rate": [{"": 0.75}],
    "Connected by worker": [{'worker_id="docker-1"': 1, 'worker_id="k8s-1"': 0}],
    "Active tasks and limits": [{'worker_id="docker-1"': 3, 'worker_id="k8s-1"': 2}, {'worker_id="docker-1"': 4}],
    "Saturation by worker": [{'worker_id="docker-1"': 0.75}],
    "Claimed and rejected": [{"": 8}, {'reason="at_capacity"': 3}],
    "Completed by result": [{'result="succeeded"': 6, 'result="failed"': 2, 'result="cancelled"': 5}],
    "Success rate over time": [{"": 0.75}],
    "Duration": [{"": 10}, {"": 91}],
    "Duration by result, p95": [{'result="succeeded"': 91}],
    "Failures by reason": [{'reason="container_oom"': 2}],
    "Failures by phase": [{'phase="backend"': 2, 'phase="assignment"': 0}],
    "Reconnects by reason": [{'reason="dial_failed"': 1}],
    "Workers and versions": [{
        f'{DOCKER},worker_id="docker-1",backend="docker",version="1"': 1,
        f'{CLUSTER},worker_id="k8s-1",backend="kubernetes",version="2"': 1,
    }],
}  # fmt: skip

# What makes each alert fire, when, with which labels and summary; other series than these keep their good values.
GOOD = {
    f'oz_worker_info{{{DOCKER},worker_id="docker-1",backend="docker",version="1"}}': "1x90",
    f"oz_worker_connected{{{DOCKER}}}": "1x90",
    f"oz_worker_tasks_active{{{DOCKER}}}": "3x90",
    f"oz_worker_tasks_max_concurrent{{{DOCKER}}}": "4x90",
    f'oz_worker_tasks_completed_total{{{DOCKER},result="succeeded"}}': "0+4x90",
    f'oz_worker_tasks_completed_total{{{DOCKER},result="failed"}}': "0+1x90",
    f'oz_worker_task_failures_total{{{DOCKER},phase="backend",reason="container_oom"}}': "0x90",
    f'oz_worker_task_failures_total{{{DOCKER},phase="backend",reason="image_pull"}}': "0x90",
    f'oz_worker_websocket_reconnects_total{{{DOCKER},reason="remote_close"}}': "0x90",
}
WORKER = {"worker_id": "docker-1"}
PLACE = {**WORKER, "job": "oz", "instance": "a:9464", "backend": "docker"}
BAD = {
    "OzNoWorkerConnected": ({f"oz_worker_connected{{{DOCKER}}}": "0x90"}, {}, "No worker is connected to the control plane."),
    "OzWorkerDisconnected": ({f"oz_worker_connected{{{DOCKER}}}": "0x90"}, PLACE,
                             "The worker docker-1 (a:9464) has no connection to the control plane."),
    "OzWorkerReconnects": ({f'oz_worker_websocket_reconnects_total{{{DOCKER},reason="remote_close"}}': "0+7x90"},
                           {**WORKER, "reason": "remote_close"},
                           "The worker docker-1 reconnects all the time (remote_close)."),
    "OzWorkerSaturated": ({f"oz_worker_tasks_active{{{DOCKER}}}": "4x90"}, PLACE,
                          "The worker docker-1 (a:9464) has been full for 15 minutes."),
    "OzTasksFail": ({f'oz_worker_tasks_completed_total{{{DOCKER},result="failed"}}': "0+4x90"}, {},
                    "50% of the tasks of the last half hour failed."),
    "OzImagesCannotBePulled": ({f'oz_worker_task_failures_total{{{DOCKER},phase="backend",reason="image_pull"}}': "0+1x90"},
                               {**WORKER, "reason": "image_pull"},
                               "Tasks of the worker docker-1 fail over their images (image_pull)."),
    "OzTasksRunOutOfMemory": ({f'oz_worker_task_failures_total{{{DOCKER},phase="backend",reason="container_oom"}}': "0+1x90"},
                              WORKER, "Tasks of the worker docker-1 run out of memory."),
}  # fmt: skip


def panels():
    return [p for p in json.loads(DASHBOARD.read_text())["panels"] if p["type"] != "row"]


def filled(query, worker=".*"):
    """A query as Grafana would send it."""
    values = {"$__rate_interval": "5m", "$__range": "30m", "$worker_id": worker, "$backend": ".*"}
    for name, value in values.items():
        query = query.replace(name, value)
    assert "$" not in query, f"a variable that nobody fills: {query}"
    return query


def structure():
    board = json.loads(DASHBOARD.read_text())
    ids = [p["id"] for p in board["panels"]]
    assert len(set(ids)) == len(ids), "ids of panels are not unique"
    titles = [p["title"] for p in panels()]
    assert set(titles) == SHOWN.keys() and len(set(titles)) == len(titles), set(titles) ^ SHOWN.keys()
    taken = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = set(itertools.product(range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])))
        assert place["x"] + place["w"] <= 24 and not cells & taken, f"{panel['title']} lies on another panel"
        taken |= cells
    variables = {v["name"]: v for v in board["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    for asked in [*panels(), *(t for p in panels() for t in p["targets"]), variables["backend"], variables["worker_id"]]:
        assert asked["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, asked
    for panel in panels():
        assert panel["description"], f"{panel['title']} does not say what it shows"
        references = [t["refId"] for t in panel["targets"]]
        assert len(set(references)) == len(references), panel["title"]


def names():
    """Whatever is said of metrics is said of those that there are, the worker has no others, and the dashboard shows all."""
    suffix = re.compile(r"_(bucket|sum|count)$")
    texts = [tools.ROOT.glob(under) for under in ("docs/**/*.md", "deploy/**/*.md", "deploy/**/*.txt", "oz-worker/src/**/*.rs")]
    for path in [DASHBOARD, ALERTS, *itertools.chain(*texts)]:
        said = {suffix.sub("", name) for name in re.findall(r"\boz_worker_\w*[a-z]\b", path.read_text())}
        assert said <= CATALOGUE, f"{path}: no metrics: {said - CATALOGUE}"
        if path == DASHBOARD:
            assert said == CATALOGUE, f"the dashboard does not show {CATALOGUE - said}"


def samples(shown):
    return [{"labels": f"{{{labels}}}" if labels else "{}", "value": value} for labels, value in shown.items()]


def series(values):
    return [{"series": name, "values": value} for name, value in values.items()]


def queries():
    """Each panel shows what it should, and nothing of workers that were not chosen."""
    for panel in panels():
        assert len(panel["targets"]) == len(SHOWN[panel["title"]]), panel["title"]
        for target, shown in zip(panel["targets"], SHOWN[panel["title"]]):
            yield {"expr": f"round({filled(target['expr'])}, 0.001)", "eval_time": "60m", "exp_samples": samples(shown)}
            none = samples({"": 0}) if "vector(0)" in target["expr"] else []
            yield {"expr": filled(target["expr"], "nobody"), "eval_time": "60m", "exp_samples": none}


def alerts():
    rules = {r["alert"]: r for group in yaml.safe_load(ALERTS.read_text())["groups"] for r in group["rules"]}
    assert rules.keys() == BAD.keys(), rules.keys() ^ BAD.keys()
    silent = [{"alertname": name, "eval_time": "90m", "exp_alerts": []} for name in rules]
    yield {"interval": "1m", "input_series": series(GOOD), "alert_rule_test": silent}
    for name, (bad, labels, summary) in BAD.items():
        assert bad.keys() <= GOOD.keys(), f"{name}: {bad}"
        told = {"summary": summary, "description": rules[name]["annotations"]["description"]}
        fired = {"exp_labels": {**labels, **rules[name]["labels"]}, "exp_annotations": told}
        test = {"alertname": name, "eval_time": "90m", "exp_alerts": [fired]}
        yield {"interval": "1m", "input_series": series({**GOOD, **bad}), "alert_rule_test": [test]}
    # Workers that nobody scrapes are not connected either.
    gone = {"alertname": "OzNoWorkerConnected", "eval_time": "10m", "exp_alerts": [
        {"exp_labels": rules["OzNoWorkerConnected"]["labels"], "exp_annotations": rules["OzNoWorkerConnected"]["annotations"]}]}  # fmt: skip
    yield {"interval": "1m", "input_series": series({"up": "1x10"}), "alert_rule_test": [gone]}


def evaluation():
    shown = {"interval": "1m", "input_series": series(SERIES), "promql_expr_test": list(queries())}
    plan = {"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": [shown, *alerts()]}
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(plan, file)
        file.flush()
        promtool("test", "rules", file.name)


def promtool(*words):
    done = subprocess.run([tools.promtool(), *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def check():
    structure()
    names()
    promtool("check", "config", tools.DEPLOY / "prometheus" / "prometheus.yml")
    evaluation()
