"""The example notebook, as somebody would run it."""

import json
import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient


def test_the_notebook_shows_a_run_live(tmp_path, monkeypatch):
    # A kernel of this very Python, which knows the package by PYTHONPATH.
    kernels = tmp_path / "kernels/python3"
    kernels.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernels / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    notebook = nbformat.read(Path(os.environ["OZ_EXAMPLES"]) / "notebook.ipynb", as_version=4)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute(cwd=str(tmp_path))
    _, watched, run, page = ("".join(str(output) for output in cell.outputs) for cell in notebook.cells)
    assert "run queued" in watched and "run succeeded" in watched, watched
    assert "SUCCEEDED" in run and "<table>" in run, run
    assert "<th>state</th>" in page, page
