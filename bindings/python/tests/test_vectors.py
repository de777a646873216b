"""The cases that all languages share, by both clients."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

VECTORS = Path(os.environ.get("XYNERGY_TEST_VECTORS", Path(__file__).parents[3] / "tests/vectors"))


@pytest.mark.parametrize("options", [[], ["--blocking"]], ids=["async", "blocking"])
def test_every_case_holds(options: list[str]) -> None:
    ran = subprocess.run([sys.executable, str(VECTORS / "run.py"), *options], capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
