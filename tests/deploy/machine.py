"""What runs on one machine: the images' Dockerfile, compose.yaml with the files it mounts, and the unit of systemd."""

import itertools
import os
import re
import shutil
import subprocess
import tempfile
import tomllib

import compose_spec
import yaml

import tools

COMPOSE = tools.DEPLOY / "compose.yaml"
ENVIRONMENT = tools.DEPLOY / ".env.example"
UNIT = tools.DEPLOY / "systemd" / "oz-agent-worker.service"
# How long the worker lets its runs go on when nothing else is said.
DRAIN = 20


def context():
    """The build sees every room of the workspace; the next one that is made must not be forgotten."""
    lines = (tools.ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines, "everything is left out that is not named"
    seen = {line[1:] for line in lines if line.startswith("!")}
    manifest = tomllib.loads((tools.ROOT / "Cargo.toml").read_text())
    rooms = {member.split("/")[0] for member in manifest["workspace"]["members"]}
    needed = rooms | {"Cargo.toml", "Cargo.lock", ".cargo", "dist/oz*"}
    assert seen == needed, f".dockerignore: {seen ^ needed}"


def dockerfile():
    """The stages of the Dockerfile, with their instructions."""
    stages, stage = {}, None
    text = re.sub(r"\\\n", " ", (tools.DEPLOY / "Dockerfile").read_text())
    for line in text.splitlines():
        if found := re.fullmatch(r"FROM (\S+) AS (\w+)", line):
            stages[found[2]] = stage = [("FROM", found[1])]
        elif stage is not None and re.match(r"[A-Z]+ ", line):
            stage.append(tuple(line.split(" ", 1)))
    return stages


def images():
    stages = dockerfile()
    for target, program in [("worker", "/usr/local/bin/oz-agent-worker"), ("server", "/usr/local/bin/oz")]:
        says = dict(stages[target])
        assert says["FROM"] == "base" and program in says["ENTRYPOINT"], says
        assert says["HEALTHCHECK"], target
    base = dict(stages["base"])
    assert base["USER"] == "10001:10001", "the charts' runAsUser"
    copied = [says for word, says in stages["base"] if word == "COPY"]
    brought, started = "--from=binary /oz /oz", "--from=binary /oz-agent-worker /usr/local/bin/oz-agent-worker"
    assert copied == [brought, started], "Pods and containers are brought /oz"
    assert "ln -s /oz /usr/local/bin/oz" in base["RUN"], "the worker finds the agent beside it"
    # The program runs in images of all kinds, so it needs nothing of them.
    assert "-unknown-linux-musl" in dict(stages["build"])["RUN"]
    toolchain = tomllib.loads((tools.ROOT / "Cargo.toml").read_text())["workspace"]["package"]["rust-version"]
    assert f"ARG RUST_IMAGE=rust:{toolchain}-alpine" in (tools.DEPLOY / "Dockerfile").read_text()


def interpolated(text, variables):
    """What compose makes of `${NAME}`, `${NAME:-default}` and `${NAME:?message}`."""
    pattern = re.compile(r"\$\{(\w+)(?::([-?])((?:[^{}]|\{[^{}]*\})*))?\}")

    def value(found):
        name, kind, more = found.groups()
        if variables.get(name):
            return variables[name]
        assert kind != "?", f"{name}: {more}"
        return interpolated(more, variables) if kind else ""

    return pattern.sub(value, text)


def settings():
    """The variables of the example, and those that may be left out."""
    lines = [line for line in ENVIRONMENT.read_text().splitlines() if "=" in line and not line.startswith("# ")]
    names = [line.split("=")[0] for line in lines]
    return {n for n in names if not n.startswith("#")}, {n[1:] for n in names if n.startswith("#")}


def compose():
    text = COMPOSE.read_text()
    needed, optional = settings()
    used = set(re.findall(r"\$\{(\w+):\?", text))
    assert used == needed, f".env.example and what compose.yaml insists on differ: {used ^ needed}"
    for name in needed:
        try:
            interpolated(text, {n: "1" for n in needed - {name}})
        except AssertionError as refused:
            assert name in str(refused)
        else:
            raise AssertionError(f"compose.yaml starts without {name}")
    text = interpolated(text, {name: "1" for name in needed})
    compose_spec.PyCompose.from_yaml(text).validate()
    plan = yaml.safe_load(text)
    services = plan["services"]
    passed = {key for s in services.values() for key, value in (s.get("environment") or {}).items() if value is None}
    assert optional <= passed, f".env.example names what compose.yaml does not pass on: {optional - passed}"
    stages = dockerfile()
    for name, service in services.items():
        if build := service.get("build"):
            target = dict(stages[build["target"]])
            assert (COMPOSE.parent / build["context"] / build["dockerfile"]).samefile(tools.DEPLOY / "Dockerfile")
            assert service["cap_drop"] == ["ALL"] and "HEALTHCHECK" in target, name
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} is published to everybody: {port}"
        awaited = service.get("depends_on", [])
        for other in awaited:
            # The images of this repository check themselves, as the stages above say.
            checked = "healthcheck" in services[other] or "build" in services[other]
            assert isinstance(awaited, list) or checked, f"{name} waits for {other} to be healthy, which nobody checks"
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            there = (COMPOSE.parent / source).exists() if source.startswith("./") else source in plan["volumes"]
            assert there or source == "/var/run/docker.sock", f"{name} mounts {source}, which there is not"
    mounted(plan)


def mounted(plan):
    """The files of the other services agree with compose.yaml."""
    services = plan["services"]
    worker = yaml.safe_load((tools.DEPLOY / "compose" / "worker.yaml").read_text())
    assert worker["backend"]["docker"]["network"] == plan["networks"]["default"]["name"]
    (server,) = re.findall(r"^http://(\w+):(\d+)$", services["worker"]["command"][-1])
    assert server[0] in services and services["server"]["ports"][0].endswith(f":{server[1]}")
    assert int(services["worker"]["stop_grace_period"].removesuffix("s")) > DRAIN
    (job,) = yaml.safe_load((tools.DEPLOY / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    (place,) = job["dns_sd_configs"]
    assert place["names"] == ["worker"] and place["port"] == 9464
    assert services["worker"]["environment"]["OTEL_METRICS_EXPORTER"] == "prometheus"
    provisioning = tools.DEPLOY / "grafana" / "provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090" and services["prometheus"]["ports"][0].endswith(":9090")
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "oz.yaml").read_text())["providers"]
    dashboards = [m.split(":")[1] for m in services["grafana"]["volumes"] if m.split(":")[0].endswith(".json")]
    assert [os.path.dirname(path) for path in dashboards] == [provider["options"]["path"]]
    assert services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] in dashboards


def unit():
    text = UNIT.read_text()
    lines = [line.split("=", 1) for line in text.splitlines() if line and line[0] not in "#["]
    says = dict(lines)
    repeated = [key for key, group in itertools.groupby(sorted(key for key, _ in lines)) if len(list(group)) > 1]
    assert not repeated, repeated
    assert int(says["TimeoutStopSec"]) > DRAIN, "systemd must not kill a worker that waits for its runs"
    assert says["KillMode"] == "mixed", "the worker ends its runs itself"
    if not shutil.which("systemd-analyze"):
        print("systemd-analyze is missing: the unit was not verified")
        return
    with tempfile.TemporaryDirectory() as directory:
        # The program is not where it will be, and it may be that no user is called so here.
        path = os.path.join(directory, UNIT.name)
        with open(path, "w") as file:
            file.write(text.replace(says["ExecStart"].split()[0], "/bin/true"))
        done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True)
    wrong = [line for line in done.stderr.splitlines() if UNIT.name in line and "DelegateSubgroup" not in line]
    assert done.returncode == 0 and not wrong, done.stderr


def check():
    context()
    images()
    compose()
    unit()
