"""The examples, started as their users start them, against the sandbox."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from conftest import folder
from test_process import fetch, free_port

EXAMPLES = folder("XYNERGY_TEST_EXAMPLES", "examples/python")


@contextmanager
def running(*command: str, folder: Path = EXAMPLES, env: dict[str, str] | None = None) -> Iterator[Any]:
    """A server, ended as its supervisor would end it."""
    arguments, pipe = [sys.executable, "-m", *command], subprocess.PIPE
    whole = {**os.environ, **(env or {})}
    process = subprocess.Popen(arguments, cwd=folder, env=whole, stdout=pipe, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            said, _ = process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
            pytest.fail(f"it did not end:\n{said}")
    assert "Traceback" not in said and "panicked" not in said, said


def post(url: str, body: Any, **headers: str) -> tuple[int, str]:
    data = json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_fastapi() -> None:
    pytest.importorskip("uvicorn")
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with running("uvicorn", "fastapi_app:app", "--port", str(port), "--log-level", "warning"):
        assert "token_optimization" in fetch(f"{base}/openapi.json")
        status, text = post(f"{base}/ask", {"prompt": "Hello there."}, tenant="acme")
        assert status == 200 and "Hello there." in json.loads(text)["text"]
        status, text = post(f"{base}/stream", {"prompt": "Count."})
        assert status == 200 and text.endswith("data: [DONE]\n\n") and '"outcome": "complete"' in text
        assert json.loads(fetch(f"{base}/spend"))["requests"] == 1
        assert post(f"{base}/ask", {"prompt": "x"}, tenant="no such tenant")[0] == 422
        assert post(f"{base}/hubspot", [])[0] == 401


def test_celery(tmp_path: Path) -> None:
    pytest.importorskip("celery")
    for name in ("in", "results"):
        (tmp_path / name).mkdir()
    env = {"BROKER": "filesystem://", "BACKEND": f"file://{tmp_path}/results", "PYTHONPATH": str(EXAMPLES)}
    # A broker of files, so that no server is needed; the worker is the real one, with two forked processes.
    (tmp_path / "app.py").write_text(
        "from celery_app import app, ask, budgets\n"
        f"folder = {str(tmp_path)!r}\n"
        "queue, control = f'{folder}/in', f'{folder}/control'\n"
        "app.conf.broker_transport_options = {'data_folder_in': queue, 'data_folder_out': queue, 'control_folder': control}\n"
    )
    script = (
        "import app\n"
        "asked = [app.ask.delay(f'Hello {n}.', 'acme') for n in range(6)]\n"
        "tick = app.budgets.delay('first')\n"
        "texts = [a.get(timeout=40)['text'] for a in asked]\n"
        "assert all(f'Hello {n}.' in t for n, t in enumerate(texts)), texts\n"
        "assert len(tick.get(timeout=40)['rows']) == 3\n"
    )
    path = f"{tmp_path}{os.pathsep}{EXAMPLES}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    env["PYTHONPATH"] = path
    worker = ("celery", "-A", "app", "worker", "-c", "2", "-l", "WARNING", "--without-mingle", "--without-gossip")
    with running(*worker, folder=tmp_path, env=env):
        time.sleep(1)
        ended = subprocess.run([sys.executable, "-c", script], env={**os.environ, **env}, capture_output=True, text=True, timeout=120)
        assert ended.returncode == 0, ended.stderr
