"""The chart oz-agent-worker: the documented values with their defaults, and what each of them changes."""

import os
import pathlib
import re
import subprocess
import tempfile

import yaml

import tools
from rendered import NAMESPACE, RELEASE, check_values, defaults, leaves, lint, refuses, render

CHART = "oz-agent-worker"
NEEDED = {"image.tag": "1.2.3", "worker.workerId": "build-1"}
SCRAPED = {"metrics.enabled": True}
MONITORED = {"metrics.enabled": True, "metrics.podMonitor.create": True}
OWN_SECRET = {"warp.apiKeySecret.create": True, "warp.apiKeySecret.value": "wk-0123"}

# What users of the published chart rely on.
DOCUMENTED = {
    "image.tag": "", "image.pullPolicy": "IfNotPresent", "image.pullSecrets": [],
    "serviceAccount.create": True, "serviceAccount.name": "", "serviceAccount.annotations": {}, "rbac.create": True,
    "warp.apiKeySecret.create": False, "warp.apiKeySecret.name": "oz-agent-worker",
    "warp.apiKeySecret.key": "WARP_API_KEY", "warp.apiKeySecret.value": "",
    "warp.serverRootURL": "https://app.warp.dev",
    "worker.workerId": "", "worker.logLevel": "info", "worker.cleanup": True, "worker.maxConcurrentTasks": 0,
    "worker.idleOnComplete": "", "worker.extraArgs": [], "worker.extraEnv": [], "worker.deploymentAnnotations": {},
    "worker.podAnnotations": {}, "worker.podLabels": {}, "worker.terminationGracePeriodSeconds": 30,
    "worker.resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
    "worker.nodeSelector": {}, "worker.tolerations": [], "worker.affinity": {},
    "kubernetesBackend.defaultImage": "", "kubernetesBackend.preflightImage": "", "kubernetesBackend.sidecarImage": "",
    "kubernetesBackend.setupCommand": "", "kubernetesBackend.teardownCommand": "",
    "kubernetesBackend.workspaceSizeLimit": "", "kubernetesBackend.imagePullPolicy": "IfNotPresent",
    "kubernetesBackend.useImageVolumes": False, "kubernetesBackend.unschedulableTimeout": "30s",
    "kubernetesBackend.extraLabels": {}, "kubernetesBackend.extraAnnotations": {}, "kubernetesBackend.podTemplate": {},
    "kubernetesBackend.preflightResources": {}, "kubernetesBackend.activeDeadlineSeconds": 28800,
    "kubernetesBackend.ttlSecondsAfterFinished": 86400,
    "metrics.enabled": False, "metrics.exporter": "prometheus", "metrics.port": 9464, "metrics.extraEnv": [],
    "metrics.service.create": True, "metrics.service.type": "ClusterIP",
    "metrics.podMonitor.create": False, "metrics.podMonitor.interval": "30s",
    "metrics.podMonitor.scrapeTimeout": "10s", "metrics.podMonitor.additionalLabels": {},
}  # fmt: skip

# The configuration file's keys that this chart may write; the worker refuses all others.
KEYS = {"worker_id", "cleanup", "max_concurrent_tasks", "idle_on_complete", "labels", "drain_timeout", "backend"}
BACKEND_KEYS = {
    "namespace", "default_image", "image_pull_policy", "use_image_volumes", "preflight_image", "preflight_resources",
    "sidecar_image", "agent_image", "coding_cli_sidecars", "credentials", "setup_command", "teardown_command",
    "extra_labels", "extra_annotations", "active_deadline_seconds", "ttl_seconds_after_finished",
    "workspace_size_limit", "unschedulable_timeout", "pod_template",
}  # fmt: skip


def configured(*keys):
    return lambda r: r.config(*keys)


def backend(key):
    return configured("backend", "kubernetes", key)


def at(kind, pointer):
    return lambda r: r.at(kind, pointer)


def pod(pointer):
    return lambda r: r.pod(pointer)


def container(pointer):
    return lambda r: r.container(pointer)


def flag(name):
    return lambda r: r.flag(name)


def kinds(*names):
    return lambda r: [len(r.all(name)) for name in names]


VARIABLE = {"name": "A", "value": "b"}
TEMPLATE = {
    "serviceAccountName": "agents",
    "containers": [{"name": "task", "env": [{"name": "T", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}],
}

# A value: another than the default, where it shows, what shows when that is not the value, other values it needs.
CASES = {
    "nameOverride": ("oz", at("Deployment", "metadata/name"), f"{RELEASE}-oz"),
    "fullnameOverride": ("oz", at("Deployment", "metadata/name")),
    "image.repository": ("registry.example.com/oz", container("image"), "registry.example.com/oz:1.2.3"),
    "image.tag": ("9.9", container("image"), "oz-agent-worker:9.9"),
    "image.pullPolicy": ("Always", container("imagePullPolicy")),
    "image.pullSecrets": ([{"name": "hub"}], pod("imagePullSecrets")),
    "serviceAccount.create": (False, lambda r: (r.all("ServiceAccount"), r.pod("serviceAccountName")), ([], "default")),
    "serviceAccount.name": ("sam", lambda r: {r.at("ServiceAccount", "metadata/name"), r.pod("serviceAccountName"),
                                              r.at("RoleBinding", "subjects/0/name")}, {"sam"}),
    "serviceAccount.annotations": ({"a": "b"}, at("ServiceAccount", "metadata/annotations")),
    "rbac.create": (False, kinds("Role", "RoleBinding"), [0, 0]),
    "warp.apiKeySecret.create": (True, lambda r: (r.at("Secret", "metadata/name"), r.at("Secret", "stringData")),
                                 ("oz-agent-worker", {"WARP_API_KEY": "k"}), {"warp.apiKeySecret.value": "k"}),
    "warp.apiKeySecret.name": ("mine", lambda r: r.env("WARP_API_KEY")["secretKeyRef"]["name"]),
    "warp.apiKeySecret.key": ("token", lambda r: r.env("WARP_API_KEY")["secretKeyRef"]["key"]),
    "warp.apiKeySecret.value": ("wk-9", at("Secret", "stringData/WARP_API_KEY"), "wk-9", OWN_SECRET),
    "warp.webSocketURL": ("wss://ws.example.com/x", flag("--web-socket-url")),
    "warp.serverRootURL": ("https://oz.example.com", lambda r: (r.flag("--server-root-url"), r.flag("--web-socket-url")),
                           ("https://oz.example.com", None)),
    "worker.workerId": ("gpu 1", configured("worker_id")),
    "worker.logLevel": ("debug", flag("--log-level")),
    "worker.logFormat": ("json", flag("--log-format")),
    "worker.cleanup": (False, configured("cleanup")),
    "worker.maxConcurrentTasks": (7, configured("max_concurrent_tasks")),
    "worker.idleOnComplete": ("1h30m", configured("idle_on_complete")),
    "worker.labels": ({"gpu": "a100"}, configured("labels")),
    "worker.drainTimeout": ("25s", configured("drain_timeout")),
    "worker.extraArgs": (["-e", "A=b"], lambda r: r.container("args")[-2:]),
    "worker.extraEnv": ([VARIABLE], lambda r: r.env("A"), "b"),
    "worker.deploymentAnnotations": ({"a": "b"}, at("Deployment", "metadata/annotations")),
    "worker.podAnnotations": ({"a": "b"}, at("Deployment", "spec/template/metadata/annotations/a"), "b"),
    "worker.podLabels": ({"a": "b"}, at("Deployment", "spec/template/metadata/labels/a"), "b"),
    "worker.terminationGracePeriodSeconds": (120, pod("terminationGracePeriodSeconds")),
    "worker.podSecurityContext": ({"runAsUser": 7}, pod("securityContext/runAsUser"), 7),
    "worker.securityContext": ({"readOnlyRootFilesystem": True}, container("securityContext/readOnlyRootFilesystem"), True),
    "worker.livenessProbe": (None, container("livenessProbe")),
    "worker.readinessProbe": (None, container("readinessProbe"), None, SCRAPED),
    "worker.resources": ({"limits": {"cpu": "1"}}, container("resources/limits"), {"cpu": "1"}),
    "worker.nodeSelector": ({"disk": "fast"}, pod("nodeSelector")),
    "worker.tolerations": ([{"key": "a", "operator": "Exists"}], pod("tolerations")),
    "worker.affinity": ({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]}}}, pod("affinity")),
    "kubernetesBackend.namespace": ("jobs", backend("namespace")),
    "kubernetesBackend.defaultImage": ("debian:12", backend("default_image")),
    "kubernetesBackend.imagePullPolicy": ("Always", backend("image_pull_policy")),
    "kubernetesBackend.useImageVolumes": (True, backend("use_image_volumes")),
    "kubernetesBackend.preflightImage": ("busybox:1", backend("preflight_image")),
    "kubernetesBackend.preflightResources": ({"limits": {"cpu": "50m"}}, backend("preflight_resources")),
    "kubernetesBackend.sidecarImage": ("agent:1", backend("sidecar_image")),
    "kubernetesBackend.agentImage": ("oz:1", backend("agent_image")),
    "kubernetesBackend.codingCliSidecars": ({"claude": "c:1"}, backend("coding_cli_sidecars")),
    "kubernetesBackend.credentials": ("inline", backend("credentials")),
    "kubernetesBackend.setupCommand": ("set -e\necho 'a: b' \"$X\"\n", backend("setup_command")),
    "kubernetesBackend.teardownCommand": ("./done # not a comment", backend("teardown_command")),
    "kubernetesBackend.extraLabels": ({"team": "7"}, backend("extra_labels")),
    "kubernetesBackend.extraAnnotations": ({"a/b": "true"}, backend("extra_annotations")),
    "kubernetesBackend.activeDeadlineSeconds": (1234567, backend("active_deadline_seconds")),
    "kubernetesBackend.ttlSecondsAfterFinished": (0, backend("ttl_seconds_after_finished")),
    "kubernetesBackend.workspaceSizeLimit": ("10Gi", backend("workspace_size_limit")),
    "kubernetesBackend.unschedulableTimeout": ("2m", backend("unschedulable_timeout")),
    "kubernetesBackend.podTemplate": (TEMPLATE, backend("pod_template")),
    "metrics.enabled": (True, lambda r: (r.env("OTEL_METRICS_EXPORTER"), r.env("OTEL_EXPORTER_PROMETHEUS_HOST"),
                                         r.container("ports"), r.container("readinessProbe/httpGet")),
                        ("prometheus", "0.0.0.0", [{"name": "metrics", "containerPort": 9464}],
                         {"path": "/readyz", "port": "metrics"})),
    "metrics.exporter": ("otlp", lambda r: r.env("OTEL_METRICS_EXPORTER"), "otlp", SCRAPED),
    "metrics.port": (9999, lambda r: (r.env("OTEL_EXPORTER_PROMETHEUS_PORT"), r.container("ports/0/containerPort"),
                                      r.at("Service", "spec/ports/0/port"),
                                      r.at("Service", "metadata/annotations/prometheus.io~1port")),
                     ("9999", 9999, 9999, "9999"), SCRAPED),
    "metrics.extraEnv": ([VARIABLE], lambda r: r.env("A"), "b", SCRAPED),
    "metrics.service.create": (False, kinds("Service"), [0], SCRAPED),
    "metrics.service.type": ("NodePort", at("Service", "spec/type"), "NodePort", SCRAPED),
    "metrics.service.annotations": ({"a": "b"}, at("Service", "metadata/annotations/a"), "b", SCRAPED),
    "metrics.podMonitor.create": (True, kinds("PodMonitor"), [1], SCRAPED),
    "metrics.podMonitor.interval": ("15s", at("PodMonitor", "spec/podMetricsEndpoints/0/interval"), "15s", MONITORED),
    "metrics.podMonitor.scrapeTimeout": ("5s", at("PodMonitor", "spec/podMetricsEndpoints/0/scrapeTimeout"), "5s", MONITORED),
    "metrics.podMonitor.additionalLabels": ({"a": "b"}, at("PodMonitor", "metadata/labels/a"), "b", MONITORED),
}  # fmt: skip


def documented_defaults():
    own = dict(leaves(defaults(CHART)))
    for path, value in DOCUMENTED.items():
        assert own.get(path, own) == value, f"{path}: the documented default is {value!r}, not {own.get(path)!r}"


def rendered_defaults():
    r = render(CHART, NEEDED)
    kinds_made = sorted(o["kind"] for o in r.objects)
    assert kinds_made == ["ConfigMap", "Deployment", "Role", "RoleBinding", "ServiceAccount"], kinds_made
    full = f"{RELEASE}-{CHART}"
    assert r.at("ConfigMap", "metadata/name") == f"{full}-config"
    assert {o["metadata"]["namespace"] for o in r.objects} == {NAMESPACE}
    assert r.at("Deployment", "spec/replicas") == 1
    assert r.flag("--config-file") == r.container("volumeMounts/0/mountPath") + "/config.yaml"
    assert r.pod("volumes/0/configMap/name") == f"{full}-config"
    assert r.flag("--backend") == "kubernetes"
    assert r.flag("--web-socket-url") == "wss://oz.warp.dev/api/v1/selfhosted/worker/ws"
    assert r.env("OTEL_METRICS_EXPORTER") == "none"
    assert r.pod("securityContext") == {
        "runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001, "seccompProfile": {"type": "RuntimeDefault"},
    }  # fmt: skip
    assert r.container("securityContext") == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    probe = r.container("livenessProbe")
    assert "kill -0 1" in " ".join(probe["exec"]["command"]), probe
    assert (probe["initialDelaySeconds"], probe["periodSeconds"], probe["failureThreshold"]) == (10, 30, 3), probe
    selector = r.at("Deployment", "spec/selector/matchLabels")
    assert selector.items() <= r.at("Deployment", "spec/template/metadata/labels").items()
    assert r.config("backend", "kubernetes") == {
        "namespace": NAMESPACE, "image_pull_policy": "IfNotPresent", "unschedulable_timeout": "30s",
        "active_deadline_seconds": 28800, "ttl_seconds_after_finished": 86400,
        "agent_image": "oz-agent-worker:1.2.3", "credentials": "secret",
    }  # fmt: skip


def rights():
    def rules(r):
        return {f"{(rule['apiGroups'] + [''])[0]}/{rule['resources'][0]}": set(rule["verbs"]) for rule in r.one("Role")["rules"]}

    needed = {
        "batch/jobs": {"create", "get", "list", "watch", "delete"},
        "/pods": {"get", "list", "watch"}, "/pods/log": {"get"}, "/events": {"list"},
    }  # fmt: skip
    secret = render(CHART, NEEDED)
    assert rules(secret) == {**needed, "batch/jobs": {*needed["batch/jobs"], "patch"}, "/secrets": {"create"}}
    inline = render(CHART, {**NEEDED, "kubernetesBackend.credentials": "inline"})
    assert rules(inline) == needed
    for asked, r in zip(asked_for() or (), (inline, secret)):
        missing = [(resource, verb) for resource, verb in asked if verb not in rules(r).get(resource, ())]
        assert not missing, f"the Role lacks what the worker looks for: {missing}"
    # Where the Jobs are, there are the rights, and only there.
    away = render(CHART, {**NEEDED, "kubernetesBackend.namespace": "jobs"})
    for r, namespace in [(secret, NAMESPACE), (away, "jobs")]:
        assert [o["metadata"]["namespace"] for o in r.all("Role") + r.all("RoleBinding")] == [namespace] * 2
        binding = r.one("RoleBinding")
        assert binding["roleRef"] == {
            "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": r.one("Role")["metadata"]["name"],
        }  # fmt: skip
        account = r.one("ServiceAccount")["metadata"]
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": account["name"], "namespace": NAMESPACE}]
    # Releases of one name in several namespaces may share a namespace for their Jobs.
    assert NAMESPACE in away.at("Role", "metadata/name")


def asked_for():
    """The rights that the worker itself looks for when it starts, without and with Secrets; None where it has no list."""
    path = tools.ROOT / "oz-worker/src/backend/kubernetes/rules.rs"
    if not path.exists():
        print(f"{path} is missing: the rights of the chart were not compared with those that the worker looks for")
        return None
    text = path.read_text()
    rule = r'const (\w+): Rule = (?:Rule \{ subresource: "(\w+)", \.\.)?Rule::of\("([\w.]*)", "(\w+)", "(\w+)"\)'
    rules = {
        name: (f"{group}/{resource}" + (f"/{below}" if below else ""), verb)
        for name, below, group, resource, verb in re.findall(rule, text)
    }
    lists = dict(re.findall(r"const (\w+): &\[Rule\] = &\[(.*?)\];", text, re.DOTALL))
    always, more = ([rules[name] for name in re.findall(r"\w+", lists[which])] for which in ("ALWAYS", "WITH_SECRETS"))
    assert always and more, f"{path}: {lists}"
    return always, always + more


def exporters():
    for exporter in ["prometheus", "otlp", "console", "none"]:
        r = render(CHART, {**NEEDED, **MONITORED, "metrics.exporter": exporter})
        scraped = exporter == "prometheus"
        assert r.env("OTEL_METRICS_EXPORTER") == exporter
        seen = [r.all("Service"), r.all("PodMonitor"), r.container("ports"), r.container("readinessProbe"),
                r.env("OTEL_EXPORTER_PROMETHEUS_HOST"), r.env("OTEL_EXPORTER_PROMETHEUS_PORT")]  # fmt: skip
        assert [bool(it) for it in seen] == [scraped] * len(seen), (exporter, seen)
    r = render(CHART, {**NEEDED, **MONITORED})
    assert r.at("Service", "metadata/name") == f"{RELEASE}-{CHART}-metrics"
    assert r.at("Service", "spec/publishNotReadyAddresses") is True, "a worker that is not connected must be scraped"
    assert r.at("Service", "metadata/annotations") == {
        "prometheus.io/scrape": "true", "prometheus.io/port": "9464", "prometheus.io/path": "/metrics",
    }  # fmt: skip
    labels = r.at("Deployment", "spec/template/metadata/labels").items()
    assert r.at("Service", "spec/selector").items() <= labels
    assert r.at("PodMonitor", "spec/selector/matchLabels").items() <= labels
    assert r.at("PodMonitor", "spec/podMetricsEndpoints/0/port") == r.container("ports/0/name")


def checksums():
    def sums(values):
        annotations = render(CHART, {**NEEDED, **values}).at("Deployment", "spec/template/metadata/annotations")
        return annotations["checksum/config"], annotations.get("checksum/secret")

    plain, other = sums({}), sums({"worker.maxConcurrentTasks": 2})
    assert plain[0] != other[0] and plain[1] is None, "a new configuration must restart the worker"
    assert plain == sums({"worker.podLabels": {"a": "b"}})
    first, second = sums(OWN_SECRET), sums({**OWN_SECRET, "warp.apiKeySecret.value": "wk-4567"})
    assert first[1] and first[1] != second[1] and first[0] == second[0], "a new key must restart the worker"


def secrets():
    r = render(CHART, {**NEEDED, **OWN_SECRET})
    assert yaml.safe_dump(r.objects).count("wk-0123") == 1, "the key stands in the Secret and nowhere else"
    named = render(CHART, {**NEEDED, **OWN_SECRET, "warp.apiKeySecret.name": ""})
    assert named.at("Secret", "metadata/name") == f"{RELEASE}-{CHART}-api-key"
    assert named.env("WARP_API_KEY")["secretKeyRef"]["name"] == f"{RELEASE}-{CHART}-api-key"


def configuration():
    """With everything set, the file has no key that the worker does not know."""
    every = {path: case[0] for path, case in CASES.items() if case[0] is not None}
    every.update({"worker.cleanup": True, "metrics.exporter": "prometheus", "metrics.podMonitor.create": True})
    r = render(CHART, every)
    assert set(r.config()) == KEYS, set(r.config()) ^ KEYS
    assert set(r.config("backend")) == {"kubernetes"}
    assert set(r.config("backend", "kubernetes")) == BACKEND_KEYS, set(r.config("backend", "kubernetes")) ^ BACKEND_KEYS
    kept = render(CHART, {**every, "worker.cleanup": False})
    assert kept.config("backend", "kubernetes", "ttl_seconds_after_finished") is None, "kept Jobs have no end"
    no_end = render(CHART, {**NEEDED, "kubernetesBackend.activeDeadlineSeconds": None})
    assert no_end.config("backend", "kubernetes", "active_deadline_seconds") is None
    return r


def read_by_the_worker(r):
    """The worker itself takes the file: it comes as far as the kubeconfig that the file names. It minds every key."""
    program = os.environ.get("OZ_BIN")
    if not program:
        print("OZ_BIN is not set: the worker did not read what the chart writes")
        return
    nowhere = "/nowhere/kubeconfig"
    written = r.config()
    written["backend"]["kubernetes"]["kubeconfig"] = nowhere
    unknown = {**written, "worker_ids": "a"}
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        worker, file = pathlib.Path(program).with_name("oz-agent-worker"), directory / "config.yaml"
        args = [str(file) if arg == "/etc/oz-agent-worker/config.yaml" else arg for arg in r.container("args")]
        environment = {"HOME": str(directory), "PATH": os.environ["PATH"], "WARP_API_KEY": "wk-0123456789abcdef"}
        for config, expected in [(written, nowhere), (unknown, "worker_ids")]:
            file.write_text(yaml.safe_dump(config))
            done = subprocess.run([worker, *args], env=environment, capture_output=True, text=True, timeout=60)
            assert done.returncode and expected in done.stderr, f"{args}: {done.returncode}: {done.stdout}{done.stderr}"


def refusals():
    for values, *words in [
        ({"worker.workerId": "a"}, "image.tag is required", "--set-string image.tag="),
        ({"image.tag": "1"}, "worker.workerId is required", "--set worker.workerId="),
        ({**NEEDED, "worker.workerId": "warp-1"}, "worker.workerId: 'warp-1'", "choose another"),
        ({**NEEDED, "image.tag": 1}, "at '/image/tag'", "want string"),
        ({**NEEDED, "warp.apiKeySecret.create": True}, "warp.apiKeySecret.value is required"),
        ({**NEEDED, "worker.logLevel": "loud"}, "at '/worker/logLevel'", "'debug', 'info', 'warn', 'error'"),
        ({**NEEDED, "worker.maxConcurrentTasks": -1}, "at '/worker/maxConcurrentTasks'", "want 0"),
        ({**NEEDED, "worker.idleOnComplete": "soon"}, "at '/worker/idleOnComplete'", "'soon'"),
        ({**NEEDED, "kubernetesBackend.unschedulableTimeout": 30}, "at '/kubernetesBackend/unschedulableTimeout'"),
        ({**NEEDED, "kubernetesBackend.workspaceSizeLimit": "10 GB"}, "at '/kubernetesBackend/workspaceSizeLimit'"),
        ({**NEEDED, "kubernetesBackend.imagePullPolicy": "Sometimes"}, "at '/kubernetesBackend/imagePullPolicy'"),
        ({**NEEDED, "kubernetesBackend.credentials": "file"}, "at '/kubernetesBackend/credentials'", "'secret', 'inline'"),
        ({**NEEDED, "kubernetesBackend.namespace": "No_Such"}, "at '/kubernetesBackend/namespace'"),
        ({**NEEDED, "kubernetesBackend.ttlSecondsAfterFinished": 3000000000}, "at '/kubernetesBackend/ttlSecondsAfterFinished'"),
        ({**NEEDED, "metrics.exporter": "statsd"}, "at '/metrics/exporter'", "'prometheus', 'otlp', 'console', 'none'"),
        ({**NEEDED, "metrics.port": 0}, "at '/metrics/port'"),
        ({**NEEDED, "warp.serverRootURL": "oz.example.com"}, "at '/warp/serverRootURL'"),
    ]:  # fmt: skip
        refuses(CHART, values, *words)


def check():
    lint(CHART, NEEDED)
    lint(CHART, {**NEEDED, **OWN_SECRET, **MONITORED})
    documented_defaults()
    rendered_defaults()
    rights()
    exporters()
    checksums()
    secrets()
    read_by_the_worker(configuration())
    refusals()
    check_values(CHART, NEEDED, CASES)
