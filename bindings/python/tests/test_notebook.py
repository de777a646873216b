"""The example's notebook runs from its first cell to its last."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

EXAMPLES = Path(os.environ.get("XYNERGY_TEST_EXAMPLES", Path(__file__).parents[3] / "examples/python"))


def test_every_cell_runs() -> None:
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.read(EXAMPLES / "closed_loop.ipynb", as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(EXAMPLES)}}).execute()
    shown = [out for cell in notebook.cells if cell.cell_type == "code" for out in cell.outputs if "text/html" in out.get("data", {})]
    assert shown, "results show as tables"
