"""The programs of the README run, and are the README's."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typed
import xynergy
from conftest import run
from typed import test_against_the_sandbox, test_my_cache, test_my_prompt

__all__ = ["test_against_the_sandbox", "test_my_cache", "test_my_prompt"]


def test_the_programs_run(sandbox: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run(typed.main())
    assert "You asked: Name three uses of a paper clip." in capsys.readouterr().out
    assert "clip" in typed.ask("A clip?")

    async def work() -> None:
        async with xynergy.sandbox.start() as running, running.client() as c:
            await typed.as_before(c)
            assert "Hello!" in await typed.careful(c)
            request = SimpleNamespace(url="https://example.com/hook", headers={}, body=b"[]")
            with pytest.raises(xynergy.UnauthorizedError):
                await typed.close_the_loop(c, running.account, request)

    run(work())
    run(typed.with_my_own())
    assert "default asked: Hello!" in capsys.readouterr().out
    client = xynergy.Client({**typed.CONFIG, "store": {"type": "memory"}})
    assert client.ai


def test_a_limit_refuses(sandbox: Any) -> None:
    async def work() -> None:
        async with xynergy.Client(sandbox.config, secrets=sandbox.secrets) as c:
            await c.ai.set_limit("tenant", "day", 1, True)
            assert (await typed.careful(c)).startswith("no more today")

    run(work())


def test_the_snippets_are_these() -> None:
    here = Path(__file__).resolve().parent
    page = (here.parent / "README.md").read_text(encoding="utf-8")
    code = (here / "typed.py").read_text(encoding="utf-8")
    marked = re.findall(r"<!-- from \S+#(\S+) -->\n```python\n(.*?)```", page, re.DOTALL)
    assert len(marked) >= 8
    for name, snippet in marked:
        region = code.split(f"# region: {name}\n")[1].split(f"# endregion: {name}")[0]
        assert region.strip() == snippet.strip(), name
