"""The chart oz-server: what each value changes, and what is refused because it would lose data or not start."""

from rendered import NAMESPACE, RELEASE, check_values, lint, refuses, render

CHART = "oz-server"
NEEDED = {"image.tag": "1.2.3", "masterKey.existingSecret": "master"}
DATABASE = {"database.existingSecret": "db"}
SHARED = {**DATABASE, "blobURL": "s3://oz/files"}
OUTSIDE = {"ingress.enabled": True, "ingress.host": "oz.example.com"}
VARIABLE = {"name": "A", "value": "b"}


def at(kind, pointer):
    return lambda r: r.at(kind, pointer)


def pod(pointer):
    return lambda r: r.pod(pointer)


def container(pointer):
    return lambda r: r.container(pointer)


def flag(name):
    return lambda r: r.flag(name)


def volume(r, name):
    return next(v for v in r.pod("volumes") if v["name"] == name)


def master(r):
    return volume(r, "master-key")["secret"]


# A value: another than the default, where it shows, what shows when that is not the value, other values it needs.
CASES = {
    "nameOverride": ("oz", at("Deployment", "metadata/name"), f"{RELEASE}-oz"),
    "fullnameOverride": ("oz", lambda r: [r.at(kind, "metadata/name") for kind in ("Deployment", "Service")], ["oz"] * 2),
    "replicas": (3, lambda r: (r.at("Deployment", "spec/replicas"), r.at("Deployment", "spec/strategy/type")),
                 (3, "RollingUpdate"), SHARED),
    "image.repository": ("registry.example.com/oz", container("image"), "registry.example.com/oz:1.2.3"),
    "image.tag": ("9.9", container("image"), "oz-server:9.9"),
    "image.pullPolicy": ("Always", container("imagePullPolicy")),
    "image.pullSecrets": ([{"name": "hub"}], pod("imagePullSecrets")),
    "serviceAccount.create": (False, lambda r: (r.all("ServiceAccount"), r.pod("serviceAccountName")), ([], "default")),
    "serviceAccount.name": ("sam", lambda r: {r.at("ServiceAccount", "metadata/name"), r.pod("serviceAccountName")}, {"sam"}),
    "serviceAccount.annotations": ({"a": "b"}, at("ServiceAccount", "metadata/annotations")),
    "publicURL": ("https://oz.example.com", flag("--public-url")),
    "rateLimit": (0, flag("--rate-limit"), "0"),
    "masterKey.existingSecret": ("mk", lambda r: master(r)["secretName"]),
    "masterKey.key": ("k", lambda r: master(r)["items"], [{"key": "k", "path": "master-key"}]),
    "bootstrapApiKey.existingSecret": ("first", lambda r: r.env("OZ_BOOTSTRAP_API_KEY"),
                                       {"secretKeyRef": {"name": "first", "key": "api-key"}}),
    "bootstrapApiKey.key": ("k", lambda r: r.env("OZ_BOOTSTRAP_API_KEY")["secretKeyRef"]["key"], "k",
                            {"bootstrapApiKey.existingSecret": "first"}),
    "database.existingSecret": ("db", lambda r: (r.env("OZ_DATABASE_URL"), r.flag("--blob-url"), r.flag("--data-dir")),
                                ({"secretKeyRef": {"name": "db", "key": "url"}}, "file:///var/lib/oz/blobs", "/var/run/oz/data")),
    "database.key": ("k", lambda r: r.env("OZ_DATABASE_URL")["secretKeyRef"]["key"], "k", DATABASE),
    "blobURL": ("s3://oz/files", flag("--blob-url")),
    "persistence.enabled": (False, lambda r: (r.all("PersistentVolumeClaim"), volume(r, "data")),
                            ([], {"name": "data", "emptyDir": {}})),
    "persistence.existingClaim": ("mine", lambda r: (r.all("PersistentVolumeClaim"), volume(r, "data")["persistentVolumeClaim"]),
                                  ([], {"claimName": "mine"})),
    "persistence.size": ("1Ti", at("PersistentVolumeClaim", "spec/resources/requests/storage")),
    "persistence.storageClass": ("fast", at("PersistentVolumeClaim", "spec/storageClassName")),
    "persistence.accessModes": (["ReadWriteMany"], at("PersistentVolumeClaim", "spec/accessModes")),
    "persistence.annotations": ({"a": "b"}, at("PersistentVolumeClaim", "metadata/annotations/a"), "b"),
    "embeddedWorker.enabled": (True, lambda r: "--no-worker" in r.container("args"), False),
    "embeddedWorker.maxConcurrentTasks": (9, flag("--max-concurrent-tasks"), "9", {"embeddedWorker.enabled": True}),
    "extraArgs": (["--git-cache", "/tmp"], lambda r: r.container("args")[-2:]),
    "extraEnv": ([VARIABLE], lambda r: r.env("A"), "b"),
    "deploymentAnnotations": ({"a": "b"}, at("Deployment", "metadata/annotations")),
    "podAnnotations": ({"a": "b"}, at("Deployment", "spec/template/metadata/annotations")),
    "podLabels": ({"a": "b"}, at("Deployment", "spec/template/metadata/labels/a"), "b"),
    "terminationGracePeriodSeconds": (120, pod("terminationGracePeriodSeconds")),
    "podSecurityContext": ({"runAsUser": 7}, pod("securityContext/runAsUser"), 7),
    "securityContext": ({"readOnlyRootFilesystem": False}, container("securityContext/readOnlyRootFilesystem"), False),
    "livenessProbe": (None, container("livenessProbe")),
    "readinessProbe": (None, container("readinessProbe")),
    "resources": ({"limits": {"cpu": "1"}}, container("resources/limits"), {"cpu": "1"}),
    "nodeSelector": ({"disk": "fast"}, pod("nodeSelector")),
    "tolerations": ([{"key": "a", "operator": "Exists"}], pod("tolerations")),
    "affinity": ({"podAntiAffinity": {}}, pod("affinity")),
    "service.type": ("LoadBalancer", at("Service", "spec/type")),
    "service.port": (80, at("Service", "spec/ports/0/port")),
    "service.annotations": ({"a": "b"}, at("Service", "metadata/annotations")),
    "ingress.enabled": (True, lambda r: len(r.all("Ingress")), 1, {"ingress.host": "oz.example.com"}),
    "ingress.className": ("nginx", at("Ingress", "spec/ingressClassName"), "nginx", OUTSIDE),
    "ingress.annotations": ({"a": "b"}, at("Ingress", "metadata/annotations"), {"a": "b"}, OUTSIDE),
    "ingress.host": ("a.example.com", at("Ingress", "spec/rules/0/host"), "a.example.com", OUTSIDE),
    "ingress.tls.secretName": ("cert", at("Ingress", "spec/tls"), [{"hosts": ["oz.example.com"], "secretName": "cert"}], OUTSIDE),
}  # fmt: skip


def rendered_defaults():
    r = render(CHART, NEEDED)
    kinds = sorted(o["kind"] for o in r.objects)
    assert kinds == ["Deployment", "PersistentVolumeClaim", "Service", "ServiceAccount"], kinds
    assert {o["metadata"]["namespace"] for o in r.objects} == {NAMESPACE}
    selector = r.at("Deployment", "spec/selector/matchLabels").items()
    assert selector <= r.at("Deployment", "spec/template/metadata/labels").items()
    assert selector == r.at("Service", "spec/selector").items()
    assert r.at("Deployment", "spec/strategy/type") == "Recreate", "two processes can't share a SQLite database"
    assert r.at("PersistentVolumeClaim", "metadata/annotations/helm.sh~1resource-policy") == "keep"
    assert volume(r, "data")["persistentVolumeClaim"]["claimName"] == r.at("PersistentVolumeClaim", "metadata/name")
    mounts = {m["name"]: m["mountPath"] for m in r.container("volumeMounts")}
    assert set(mounts) == {v["name"] for v in r.pod("volumes")}
    # The server makes its data directory private, which only who made it may; so it is inside the mount.
    assert r.flag("--data-dir") == mounts["data"] + "/data"
    assert r.flag("--master-key-file") == mounts["master-key"] + "/" + master(r)["items"][0]["path"]
    assert r.flag("--listen").endswith(f":{r.container('ports/0/containerPort')}")
    assert "--no-worker" in r.container("args")
    assert [r.container(f"{probe}/httpGet/path") for probe in ("livenessProbe", "readinessProbe")] == ["/healthz", "/readyz"]
    assert r.pod("automountServiceAccountToken") is False
    assert r.container("securityContext") == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip


def several():
    r = render(CHART, {**NEEDED, **SHARED, "replicas": 2})
    assert r.all("PersistentVolumeClaim") == [], "a volume of one node would keep the second server from starting"
    assert "emptyDir" in volume(r, "data")
    directory = render(CHART, {**NEEDED, **DATABASE, "replicas": 2, "persistence.accessModes": ["ReadWriteMany"]})
    assert "persistentVolumeClaim" in volume(directory, "data")
    assert directory.flag("--blob-url").startswith("file:///var/lib/oz/")
    assert not directory.flag("--data-dir").startswith("/var/lib/oz/"), "a data directory is one server's"


def refusals():
    for values, *words in [
        ({"masterKey.existingSecret": "k"}, "image.tag is required"),
        ({"image.tag": "1"}, "masterKey.existingSecret is required", "openssl rand"),
        ({**NEEDED, "replicas": 2}, "replicas: 2", "database.existingSecret"),
        ({**NEEDED, **DATABASE, "replicas": 2}, "replicas: 2", "blobURL", "ReadWriteMany"),
        ({**NEEDED, "replicas": 0}, "at '/replicas'"),
        ({**NEEDED, "blobURL": "gs://x"}, "at '/blobURL'"),
        ({**NEEDED, "publicURL": "oz.example.com"}, "at '/publicURL'"),
        ({**NEEDED, "persistence.size": "big"}, "at '/persistence/size'"),
        ({**NEEDED, "ingress.enabled": True}, "ingress.host is required"),
    ]:
        refuses(CHART, values, *words)


def check():
    lint(CHART, NEEDED)
    lint(CHART, {**NEEDED, **SHARED, **OUTSIDE})
    rendered_defaults()
    several()
    refusals()
    check_values(CHART, NEEDED, CASES)
