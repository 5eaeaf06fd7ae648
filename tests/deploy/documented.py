"""The commands of the guide and of the charts: helm takes each as it stands there."""

import pathlib
import re
import shlex
import subprocess

import tools

PAGES = [tools.ROOT / "docs" / "guide" / "deploy.md", *tools.DEPLOY.glob("helm/*/README.md")]


def commands(page):
    """Each line of the shell, with its continuations."""
    for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE):
        yield from block.replace("\\\n", " ").splitlines()


def releases(page):
    """The charts that a page installs and upgrades, each with all flags up to there."""
    flags = {}
    for command in commands(page):
        if not command.startswith("helm "):
            continue
        _, verb, name, chart, *more = shlex.split(command)
        assert verb in ("install", "upgrade"), command
        assert verb == "install" or "--reuse-values" in more, command
        kept = flags[name] if verb == "upgrade" else []
        flags[name] = kept + [flag for flag in more if flag != "--reuse-values"]
        beside = page.parent if chart == "." else tools.ROOT
        yield command, name, beside / chart, flags[name]


def links():
    """What the pages point at is there."""
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[\w-]+)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page} points at {target}, which there is not"


def check():
    links()
    for page in PAGES:
        found = list(releases(page))
        assert found, f"{page} installs nothing"
        for command, name, chart, flags in found:
            done = subprocess.run([tools.helm(), "template", name, pathlib.Path(chart), *flags], capture_output=True, text=True)
            assert done.returncode == 0, f"{page}: {command}\n{done.stderr}"
