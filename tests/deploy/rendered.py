"""What a chart makes of values, as objects; each is held to the API that Kubernetes publishes."""

import functools
import json
import os
import subprocess
import tempfile

import jsonschema
import kubernetes_validate
import yaml

import tools

KUBERNETES = "1.35"
RELEASE = "rel"
NAMESPACE = "agents"

# Of monitoring.coreos.com/v1 what the chart uses, as the Prometheus Operator's definition has it.
DURATION = r"^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$"
STRINGS = {"type": "object", "additionalProperties": {"type": "string"}}


def closed(**properties):
    return {"type": "object", "additionalProperties": False, "properties": properties}


POD_MONITOR = closed(
    apiVersion={"const": "monitoring.coreos.com/v1"},
    kind={"const": "PodMonitor"},
    metadata=closed(name={"type": "string"}, namespace={"type": "string"}, labels=STRINGS),
    spec={
        "required": ["selector", "podMetricsEndpoints"],
        **closed(
            selector=closed(matchLabels=STRINGS),
            podMetricsEndpoints={
                "type": "array",
                "minItems": 1,
                "items": closed(
                    port={"type": "string"},
                    path={"type": "string"},
                    interval={"type": "string", "pattern": DURATION},
                    scrapeTimeout={"type": "string", "pattern": DURATION},
                ),
            },
        ),
    },
)


class Refused(Exception):
    """Helm's words about values that it does not take."""


class Rendered:
    """The objects of a release."""

    def __init__(self, objects):
        self.objects = objects

    def all(self, kind):
        return [o for o in self.objects if o["kind"] == kind]

    def one(self, kind):
        found = self.all(kind)
        assert len(found) == 1, f"{len(found)} objects of kind {kind}"
        return found[0]

    def at(self, kind, pointer):
        """What a JSON pointer finds in the one object of a kind; None when it finds nothing."""
        value = self.all(kind)[0] if self.all(kind) else None
        for step in pointer.strip("/").split("/"):
            step = step.replace("~1", "/")
            if isinstance(value, list):
                value = value[int(step)] if int(step) < len(value) else None
            elif isinstance(value, dict):
                value = value.get(step)
            else:
                return None
        return value

    def pod(self, pointer):
        return self.at("Deployment", f"spec/template/spec/{pointer}")

    def container(self, pointer):
        return self.pod(f"containers/0/{pointer}")

    def flag(self, name):
        args = self.container("args")
        return args[args.index(name) + 1] if name in args else None

    def env(self, name):
        found = [e for e in self.container("env") if e["name"] == name]
        assert len(found) < 2, f"{name} is set twice"
        return found[0].get("value", found[0].get("valueFrom")) if found else None

    def config(self, *keys):
        """A value of the worker's configuration file."""
        value = yaml.safe_load(self.at("ConfigMap", "data/config.yaml"))
        for key in keys:
            value = (value or {}).get(key)
        return value


def nested(values):
    """{"a.b": 1} as {"a": {"b": 1}}."""
    tree = {}
    for path, value in values.items():
        *parents, last = path.split(".")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = value
    return tree


def helm(chart, values, *words):
    with tempfile.TemporaryDirectory() as home:
        kept = {"PATH": os.environ["PATH"], "HOME": home, "TMPDIR": home}
        return subprocess.run(
            [tools.helm(), *words, tools.DEPLOY / "helm" / chart, "--namespace", NAMESPACE, "--values", "-"],
            input=json.dumps(nested(values)),
            env=kept,
            capture_output=True,
            text=True,
        )


def render(chart, values):
    """The valid objects that a chart makes."""
    return rendered(chart, json.dumps(values, sort_keys=True))


@functools.cache
def rendered(chart, values):
    done = helm(chart, json.loads(values), "template", RELEASE)
    if done.returncode:
        raise Refused(done.stderr)
    objects = [o for o in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if o]
    for o in objects:
        check(json.dumps(o))
    named = [(o["kind"], o["metadata"]["namespace"], o["metadata"]["name"]) for o in objects]
    assert len(set(named)) == len(named), f"two objects have one name: {named}"
    return Rendered(objects)


@functools.cache
def check(text):
    o = json.loads(text)
    if o["kind"] == "PodMonitor":
        jsonschema.validate(o, POD_MONITOR)
        return
    try:
        kubernetes_validate.validate(o, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as e:
        raise AssertionError(f"{o['kind']} {o['metadata']['name']} is not valid: {e}") from e


def lint(chart, values):
    done = helm(chart, values, "lint", "--strict")
    assert done.returncode == 0 and "WARN" not in done.stderr, done.stdout + done.stderr


def leaves(tree, above=""):
    """Every value that is not a table of values, by its path."""
    for key, value in tree.items():
        path = f"{above}{key}"
        if isinstance(value, dict) and value and path not in OPAQUE:
            yield from leaves(value, f"{path}.")
        else:
            yield path, value


# Tables that are one value: what stands in them is Kubernetes' to define, or the user's.
OPAQUE = {
    "worker.podSecurityContext", "worker.securityContext", "worker.livenessProbe", "worker.readinessProbe",
    "worker.resources", "metrics.service.annotations",
    "podSecurityContext", "securityContext", "livenessProbe", "readinessProbe", "resources",
}  # fmt: skip


def defaults(chart):
    return yaml.safe_load((tools.DEPLOY / "helm" / chart / "values.yaml").read_text())


def schema(chart):
    return json.loads((tools.DEPLOY / "helm" / chart / "values.schema.json").read_text())


def closed_tables(node, above=""):
    """The path of each table of a schema that names its values."""
    if node.get("additionalProperties") is False and "properties" in node:
        yield above
        for key, inner in node["properties"].items():
            yield from closed_tables(inner, f"{above}.{key}" if above else key)


def check_values(chart, needed, cases):
    """Every value has a case, a place in the schema, and a case that can fail; unknown ones are refused by their place."""
    own = defaults(chart)
    paths = {path for path, _ in leaves(own)}
    assert paths == cases.keys(), f"{chart}: values without a case or the other way round: {paths ^ cases.keys()}"
    for path, (value, get, *more) in cases.items():
        expected = more[0] if more else value
        besides = more[1] if len(more) > 1 else {}
        before = render(chart, {**needed, **besides, **({path: "other"} if path in needed else {})})
        after = render(chart, {**needed, **besides, path: value})
        found = get(after)
        assert found == expected, f"{chart}: {path}={value!r} gives {found!r}, not {expected!r}"
        assert get(before) != expected, f"{chart}: {path} makes no difference: {expected!r} either way"
    for table in closed_tables(schema(chart)):
        unknown = f"{table}.surprise" if table else "surprise"
        try:
            render(chart, {**needed, unknown: 1})
        except Refused as refused:
            place = "/" + table.replace(".", "/") if table else ""
            assert f"at '{place}': additional properties 'surprise'" in str(refused), refused
        else:
            raise AssertionError(f"{chart}: {unknown} is not refused")


def refuses(chart, values, *words):
    """Helm says no, in these words."""
    try:
        render(chart, values)
    except Refused as refused:
        missing = [word for word in words if word not in str(refused)]
        assert not missing, f"{chart}: {values} is refused without {missing}: {refused}"
    else:
        raise AssertionError(f"{chart}: {values} is not refused")
