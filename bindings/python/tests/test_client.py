"""The client as most people use it, against the sandbox."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timezone
from typing import Any

import pytest

import xynergy
from xynergy import blocking

from conftest import Echo, chat, client, folder, run


def test_everything_of_the_surface_is_there_and_nothing_else() -> None:
    surface = json.loads((folder("XYNERGY_TEST_VECTORS", "tests/vectors") / "surface.json").read_text())
    by_area: dict[str, set[str]] = {}
    for name in surface["methods"]:
        area, _, method = name.rpartition(".")
        by_area.setdefault(area, set()).add(method)
    for made in (client(), blocking.Client({"version": 1}, providers={"echo": Echo()})):
        for area, methods in by_area.items():
            if area:
                target = getattr(made, area)
                assert {name for name in dir(type(target)) if not name.startswith("_")} == methods, area
            else:
                assert methods <= set(dir(type(made)))
        public = {name for name in dir(made) if not name.startswith("_")}
        areas = {area for area in by_area if area}
        assert public == areas | by_area[""] | {"chat", "embeddings", "scope", "close", "from_env", "is_closed"}
    for name, fields in surface["types"].items():
        record = getattr(xynergy, name)
        assert sorted(record._FIELDS) == fields, name
    kinds = {kind: getattr(xynergy, "".join(p.title() for p in kind.split("_")) + "Error").kind for kind in surface["kinds"]}
    assert all(kind == found for kind, found in kinds.items())
    for name, methods in surface["hosts"].items():
        assert list(xynergy.hosts.ARGUMENTS[name]) == methods


def test_arguments_come_in_the_order_of_the_surface() -> None:
    import inspect

    surface = json.loads((folder("XYNERGY_TEST_VECTORS", "tests/vectors") / "surface.json").read_text())
    made = client()
    for name, shape in surface["methods"].items():
        target: Any = made
        for part in name.split("."):
            target = getattr(target, part)
        parameters = list(inspect.signature(target).parameters.values())
        given = [parameter for parameter in parameters if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]
        assert [parameter.name for parameter in given] == shape["params"], name
        required = [parameter.name for parameter in given if parameter.default is parameter.empty]
        assert required == shape["required"], name


def test_an_answer_a_hit_and_the_spend(sandbox: Any) -> None:
    async def work() -> None:
        options = {"config": sandbox.config, "secrets": sandbox.secrets}
        async with xynergy.Client(**options) as c:
            first = await c.ai.generate("Say something.", max_tokens=50, tags=["test"])
            assert "Say something." in first.text and first.outcome == "complete" and not first.cache_hit
            second = await c.ai.generate("Say something.", 50, tags=["test"])
            assert second.cache_hit and second.text == first.text
            spend = await c.ai.spend()
            assert spend.requests == 1 and isinstance(spend.cost_nano_usd, int) and spend.by_provider[first.provider].requests == 1
            assert (await c.ai.spend(since=datetime.now(timezone.utc))).requests in (0, 1)
            stats = await c.ai.cache_stats()
            assert (stats.hits, stats.misses) == (1, 1)
            assert await c.ai.cache_invalidate() == 1
            assert (await c.health()).status == "healthy"
            assert (await c.ai.route("hi")).models[0].provider
            assert (await c.ai.count_tokens("hi there")).tokens > 0

    run(work())


def test_the_closed_loop_and_money_is_whole() -> None:
    async def work() -> None:
        async with xynergy.sandbox.start() as running, running.client(seed=7) as c:
            tick = await c.closed_loop.tick(running.account, "first", 7)
            assert len(tick.allocation.rows) == 3
            assert all(type(row.proposed_minor) is int for row in tick.allocation.rows)
            account_id, campaigns = running.account["account_id"], {"11": "1", "12": "1", "2": "2"}
            changes = await c.allocation.propose("first", account_id, "USD", tick.allocation, campaigns)
            assert all(isinstance(change, xynergy.AdChange) for change in changes)
            rows = await c.execution.queue(changes)
            assert [row.change.id for row in rows] == [change.id for change in changes]
            assert (await c.execution.get(rows[0].change.id)) == rows[0]
            assert (await c.execution.get("0" * 32)) is None
            assert (await c.execution.verify_audit()).chain_ok
            state = await running.state()
            assert state

    run(work())


def test_bytes_of_a_webhook() -> None:
    async def work() -> None:
        async with xynergy.sandbox.start() as running, running.client() as c:
            for body in (b"[]", bytearray(b"[]"), memoryview(b"[]"), "[]", b"\xff\xfe"):
                with pytest.raises(xynergy.UnauthorizedError):
                    await c.hubspot.accept("POST", "https://example.com/hook", {}, body)
            with pytest.raises(xynergy.InvalidInputError, match="body"):
                await c.hubspot.accept("POST", "https://example.com/hook", {}, 3)  # type: ignore[arg-type]

    run(work())


def test_a_scope_carries_who_and_why() -> None:
    async def work() -> None:
        seen: list[Any] = []

        class Provider:
            async def chat(self, *, ctx: Any, request: Any) -> str:
                seen.append(ctx.to_dict())
                return "ok"

        async with client(providers={"p": Provider()}) as c:
            trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            scope = c.scope("acme", actor="job", request_id="r-1", traceparent=trace)
            answer = await scope.ai.chat(chat("x"))
            assert answer.xynergy.request_id == "r-1"
            await scope.ai.chat(chat("y"), request_id="r-2")
            for wrong in ({"tenant": "a b"}, {"tenant": 3}, {"traceparent": ""}, {"actor": ""}, {"tenant": "\ud800"}):
                with pytest.raises(xynergy.InvalidInputError, match=next(iter(wrong))):
                    c.scope(**wrong)
        assert seen[0] == {"tenant": "acme", "actor": "job", "request_id": "r-1", "traceparent": trace}
        assert seen[1]["request_id"] == "r-2"

    run(work())


def test_time_limits_are_kept_and_checked() -> None:
    async def work() -> None:
        echo = Echo()
        async with client(providers={"echo": echo}) as c:
            with pytest.raises(TimeoutError) as caught:
                await c.ai.chat(chat("sleep 30"), timeout=0.05)
            assert isinstance(caught.value, xynergy.XynergyError) and caught.value.kind == "timeout"
            for wrong in (-1, float("nan"), float("inf"), "1", True, 1e300):
                with pytest.raises(xynergy.InvalidInputError, match="timeout"):
                    await c.ai.chat(chat("x"), timeout=wrong)  # type: ignore[arg-type]
            with pytest.raises(xynergy.InvalidInputError, match="request_id"):
                await c.ai.chat(chat("x"), request_id="a b")
            await asyncio.sleep(0.05)
            assert echo.cancelled == 1

    run(work())


def test_the_configuration_is_checked() -> None:
    for config, named in [
        ({"version": 2}, "version"),
        ({}, "version"),
        ("version = 1\n[ai]\ncahce = 1", "cahce"),
        ("not toml", "config"),
        ({"version": 1, "ai": {"max_prompt_bytes": 2**80}}, "max_prompt_bytes"),
        ({"version": 1, "ai": {"limits": {1, 2}}}, "limits"),
        (3, "config"),
        (float("nan"), "config"),
    ]:
        with pytest.raises(xynergy.ConfigInvalidError, match=named):
            xynergy.Client(config)  # type: ignore[arg-type]
    for options, named in [
        ({"providers": {"p": object()}}, "providers.p.*chat"),
        ({"providers": {"p": Echo}}, "class Echo"),
        ({"providers": [Echo()]}, "providers"),
        ({"caches": {"a": object()}}, "cache"),
        ({"caches": {"a": 1, "b": 2}}, "caches: give at most one"),
        ({"crms": {"a": 1, "b": 2}}, "crms"),
        ({"ad_platforms": {"a": 1, "b": 2}}, "ad_platforms"),
        ({"stores": {"sate": 1}}, "stores.*sate"),
        ({"secrets": {"A": 3}}, "secrets.A"),
        ({"clock": 3}, "clock"),
        ({"on_event": 3}, "on_event"),
        ({"seed": -1}, "seed"),
        ({"seed": "x"}, "seed"),
        ({"host_timeout_ms": 0}, "host_timeout_ms"),
    ]:
        with pytest.raises(xynergy.ConfigInvalidError, match=named):
            xynergy.Client({"version": 1}, **options)  # type: ignore[arg-type]
    assert not isinstance(xynergy.Client("version = 1"), type(None))


def test_secrets_are_never_shown() -> None:
    c = xynergy.Client({"version": 1}, secrets={"KEY": "hush-hush"})
    assert "hush" not in repr(c) + repr(c.ai) + repr(c.scope("a"))
    with pytest.raises(xynergy.ConfigInvalidError) as caught:
        xynergy.Client({"version": 1}, secrets={"KEY": "hush-hush", "B": 3})  # type: ignore[dict-item]
    assert "hush" not in str(caught.value) + repr(caught.value)


def test_a_closed_client_refuses() -> None:
    async def work() -> None:
        c = client()
        calling = asyncio.ensure_future(c.ai.chat(chat("sleep 30")))
        await asyncio.sleep(0.05)
        await c.close(grace=0.05)
        await c.close()
        assert c.is_closed and "closed" in repr(c)
        with pytest.raises(xynergy.CancelledError):
            await calling
        with pytest.raises(xynergy.InvalidInputError, match="closed"):
            await c.ai.cache_stats()

    run(work())
    b = blocking.Client({"version": 1})
    b.close()
    with pytest.raises(xynergy.InvalidInputError, match="closed"):
        b.ai.cache_stats()


def test_same_seed_same_bytes() -> None:
    async def once() -> str:
        clock = xynergy.ManualClock("2026-03-01T00:00:00Z")
        async with xynergy.sandbox.start(clock=clock) as running, running.client(seed=3) as c:
            tick = await c.closed_loop.tick(running.account, "first", 3)
            return xynergy.to_json(tick)

    first, second = run(once()), run(once())
    assert first == second and first.endswith("\n") and '": ' not in first


def test_to_json() -> None:
    assert xynergy.to_json({"b": [1, 2**63], "a": "é"}) == '{"a":"é","b":[1,9223372036854775808]}\n'
    with pytest.raises(xynergy.InvalidInputError, match=r"value\.a"):
        xynergy.to_json({"a": float("inf")})


def test_the_blocking_client(sandbox: Any) -> None:
    with blocking.Client(sandbox.config, secrets=sandbox.secrets) as c:
        assert c.ai.generate("hello").outcome == "complete"
        assert c.ai.generate("hello").cache_hit
        assert "".join(str(p.choices[0].delta.content or "") for p in c.ai.stream(chat("hi")) if p.choices).startswith("You asked")
        with c.ai.stream(chat("hi there")) as stream:
            next(stream)
        with pytest.raises(StopIteration):
            next(stream)
        assert c.scope("acme").ai.spend().requests == 0
    with blocking.Client({"version": 1}, providers={"echo": Echo()}) as c:
        assert c.scope("acme").ai.chat(chat("x")).choices[0].message.content == "acme said x"
        with pytest.raises(xynergy.TimeoutError):
            c.ai.chat(chat("sleep 5"), timeout=0.05)


def test_a_client_in_a_loop_that_runs_already(sandbox: Any) -> None:
    # As in a notebook: the loop runs, the cell awaits, and the client is closed by nobody.
    async def cell() -> str:
        c = xynergy.Client(sandbox.config, secrets=sandbox.secrets)
        return (await c.ai.generate("from a cell"))._repr_html_()

    loop = asyncio.new_event_loop()
    try:
        assert "<table>" in loop.run_until_complete(cell())
        assert "<table>" in loop.run_until_complete(cell())
    finally:
        loop.close()


def test_from_env(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "mongodb://nowhere")
    with pytest.raises(xynergy.ConfigInvalidError, match="DATABASE_URL"):
        xynergy.Client.from_env()
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")

    async def work() -> None:
        async with xynergy.Client.from_env(seed=1) as c:
            assert [model.provider for model in (await c.ai.route("hi")).models] == ["openai"]

    run(work())
