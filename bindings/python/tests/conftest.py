"""What the tests share."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

import xynergy
from xynergy.sandbox import BlockingSandbox

DEADLINE = 60


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Runs a coroutine in a loop of its own, not for ever."""
    return asyncio.run(asyncio.wait_for(work, DEADLINE))


def chat(prompt: str, **more: Any) -> Any:
    """A request of one message."""
    return {"messages": [{"role": "user", "content": prompt}], **more}


def program(code: str, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a program of its own to its end."""
    return subprocess.run(
        [sys.executable, "-W", "default", "-c", textwrap.dedent(code), *arguments],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env={**os.environ, **(env or {})},
    )


def clean(code: str, *arguments: str, env: dict[str, str] | None = None) -> str:
    """Runs a program that must end with 0 and say nothing on stderr; its output."""
    ended = program(code, *arguments, env=env)
    assert (ended.returncode, ended.stderr) == (0, ""), f"{ended.returncode}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout


@pytest.fixture(scope="session")
def sandbox() -> Iterator[BlockingSandbox]:
    """One sandbox for all that only ask it."""
    with xynergy.sandbox.start() as running:
        yield running


def folder(variable: str, otherwise: str) -> Path:
    """A folder of the repository, or its copy beside the tests."""
    given = os.environ.get(variable)
    return Path(given) if given else Path(__file__).resolve().parents[3] / otherwise


class Echo:
    """A provider that does what its prompt says."""

    default_model = "echo-1"

    def __init__(self) -> None:
        self.cancelled = 0
        self.calls = 0
        self.seen: list[Any] = []

    async def chat(self, *, ctx: Any, request: Any) -> Any:
        self.calls += 1
        prompt = str(request.messages[-1].content)
        if prompt.startswith("sleep "):
            await self._sleep(float(prompt[6:]))
        if prompt == "throw":
            raise KeyError("boom")
        if prompt == "limit":
            raise xynergy.ThrottledError("slow down", retry_after_ms=60_000)
        if prompt == "none":
            return None
        if prompt == "set":
            return {1, 2}
        if prompt == "surrogate":
            return "\ud800"
        return f"{ctx.tenant} said {prompt}"

    async def _sleep(self, seconds: float) -> None:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    async def stream(self, *, ctx: Any, request: Any) -> Any:
        prompt = str(request.messages[-1].content)
        try:
            for index in range(1_000 if prompt == "many" else 3):
                if prompt == "break" and index == 2:
                    raise KeyError("boom")
                if prompt == "slow":
                    await asyncio.sleep(0.05)
                self.seen.append(index)
                yield f"{index} "
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled += 1
            raise


def client(**options: Any) -> xynergy.Client:
    """A client with the echo."""
    providers = options.pop("providers", None) or {"echo": Echo()}
    return xynergy.Client({"version": 1}, providers=providers, **options)
