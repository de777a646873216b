"""What is there for the tests of others, and logs and events."""

from __future__ import annotations

import asyncio
import logging
import textwrap
import time
from typing import Any

import pytest

import xynergy
from xynergy import blocking, testing

from conftest import Echo, chat, clean, client, run
from stores import Ads, Clicks, Revenue
from test_hosts import Cache, Lengths, StateStore


def test_suites_without_a_loop_and_with_one() -> None:
    testing.check_cache(Cache())
    testing.check_state_store(StateStore())
    testing.check_provider(testing.FakeProvider())
    testing.check_embedder(Lengths())
    testing.check_click_store(Clicks())
    testing.check_revenue_store(Revenue())
    testing.check_ad_platform(Ads(), account_id="act_1", owner={"level": "adset", "id": "11"})

    async def work() -> None:
        await testing.check_cache(Cache())
        await testing.check_revenue_store(Revenue())
        await testing.check_provider(testing.FakeProvider())

    run(work())


def test_suites_find_what_differs() -> None:
    class Forgetful(Cache):
        async def get(self, **_: Any) -> None:
            return None

    class Careless(StateStore):
        async def put(self, **given: Any) -> int:
            return await super().put(**{**given, "expected": None})

    with pytest.raises(xynergy.InvalidInputError, match="contract"):
        testing.check_cache(Forgetful())
    with pytest.raises(xynergy.InvalidInputError, match="contract"):
        testing.check_state_store(Careless())

    async def work() -> None:
        with pytest.raises(xynergy.InvalidInputError, match="contract"):
            await testing.check_cache(Forgetful())

    run(work())

    class Vault:
        def get(self, *, tenant: str, reference: Any) -> Any:
            return "s3cret" if reference.get("env") == "KEY" else None

    testing.check_secrets(Vault(), name="KEY", value="s3cret")
    with pytest.raises(xynergy.InvalidInputError) as caught:
        testing.check_secrets(Vault(), name="KEY", value="other")
    assert "s3cret" not in str(caught.value)
    with pytest.raises(xynergy.ConfigInvalidError, match="get"):
        testing.check_cache(object())  # type: ignore[arg-type]


def test_a_crm_of_ones_own() -> None:
    deals = {"1": {"properties": {"amount": "10"}, "contacts": ["7"]}}
    contacts = {"7": {"properties": {"email": "a@example.com"}}}

    class Crm:
        async def deals(self, *, ctx: Any, ids: Any) -> Any:
            return {key: deals[key] for key in ids if key in deals}

        def contacts(self, *, ctx: Any, ids: Any) -> Any:
            return {key: contacts[key] for key in ids if key in contacts}

    testing.check_crm(Crm(), deals=deals, contacts=contacts)
    with pytest.raises(xynergy.InvalidInputError, match="contract"):
        testing.check_crm(Crm(), deals={"2": {"properties": {}, "contacts": []}}, contacts={})


def test_the_fake_provider() -> None:
    fake = testing.FakeProvider(["one", xynergy.RejectedError("two"), "three"])
    with blocking.Client({"version": 1, "ai": {"retry": {"max_retries": 0}}}, providers={"fake": fake}) as c:
        assert c.ai.generate("a").text == "one"
        with pytest.raises(xynergy.RejectedError):
            c.ai.generate("b")
        assert c.ai.generate("c").text == "three" and c.ai.generate("d").text == "three"
        assert [str(request.messages[0].content) for request in fake.requests] == ["a", "b", "c", "d"]
        said = [p.choices[0].delta.content for p in c.ai.stream(chat("e")) if p.choices and p.choices[0].delta.content]
        assert "".join(map(str, said)).strip() == "three"
    function = testing.FakeProvider(lambda request: f"you said {request.messages[0].content}")
    with blocking.Client({"version": 1}, providers={"fake": function}) as c:
        assert c.ai.generate("x").text == "you said x"
    with pytest.raises(xynergy.InvalidInputError, match="answers"):
        testing.FakeProvider([])


def test_times_are_read_exactly() -> None:
    from datetime import datetime, timezone

    assert xynergy.to_micros("1970-01-01T00:00:01.5Z") == 1_500_000 == xynergy.to_micros("1970-01-01T01:00:01.500+01:00")
    assert xynergy.to_micros("2026-03-01T12:00:00Z") < xynergy.to_micros("2026-03-01T12:00:00.000001Z")
    assert xynergy.to_micros("-5us") == -5
    assert xynergy.to_datetime("2026-03-01T12:00:00.25Z") == datetime(2026, 3, 1, 12, 0, 0, 250_000, timezone.utc)
    for wrong in ("yesterday", "9223372036854775807us"):
        with pytest.raises(xynergy.InvalidInputError):
            xynergy.to_datetime(wrong)


def test_the_clock() -> None:
    clock = testing.frozen_clock("2026-03-01T13:00:00+01:00")
    assert clock.now() == "2026-03-01T12:00:00Z"
    clock.advance(1.5)
    assert clock.now() == "2026-03-01T12:00:01.5Z"
    for wrong in ("yesterday", 3, None):
        with pytest.raises(xynergy.InvalidInputError):
            clock.set(wrong)  # type: ignore[arg-type]
    with pytest.raises(xynergy.InvalidInputError):
        clock.advance(-1)


def test_fixtures(xynergy_client: Any, xynergy_sandbox: Any, xynergy_clock: Any) -> None:
    assert xynergy_client.ai.generate("hi").outcome == "complete"
    assert xynergy_sandbox.urls and xynergy_clock.now() == "2026-01-01T00:00:00Z"

    async def work() -> None:
        async with xynergy.Client(xynergy_sandbox.config, secrets=xynergy_sandbox.secrets) as c:
            assert (await c.ai.generate("hi")).outcome == "complete"

    run(work())


def test_the_sandbox_refuses_and_stops() -> None:
    with pytest.raises(xynergy.InvalidInputError, match="ads"):
        xynergy.sandbox.start(ads="/no/such/file").start_blocking()
    with pytest.raises(xynergy.InvalidInputError, match="faults"):
        xynergy.sandbox.start(faults={1}).start_blocking()
    running = xynergy.sandbox.start().start_blocking()
    running.stop()
    running.stop()
    with pytest.raises(xynergy.InvalidInputError, match="stopped"):
        running.state()

    async def work() -> None:
        started = await xynergy.sandbox.start()
        assert await started.next_due() is None
        await started.stop()
        with pytest.raises(xynergy.InvalidInputError, match="stopped"):
            await started.state()

    run(work())


def test_a_client_keeps_its_sandbox() -> None:
    import gc

    c = xynergy.sandbox.start().start_blocking().client()
    gc.collect()
    assert c.ai.generate("still there?").outcome == "complete"
    c.close()


def test_events_come() -> None:
    events: list[Any] = []
    waited: list[Any] = []

    async def later(event: Any) -> None:
        await asyncio.sleep(0)
        waited.append(event)

    async def work() -> None:
        async with client(on_event=events.append) as c, client(on_event=later) as d:
            await c.ai.chat(chat("x"))
            await d.ai.chat(chat("x"))
            for _ in range(200):
                if events and waited:
                    break
                await asyncio.sleep(0.01)

    run(work())
    assert events and waited and all(isinstance(event, dict) for event in events + waited)


def test_a_listener_that_fails_is_logged_and_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def fails(event: Any) -> None:
        raise KeyError("mine")

    with caplog.at_level(logging.WARNING, "xynergy"):
        with blocking.Client({"version": 1}, providers={"echo": Echo()}, on_event=fails) as c:
            c.ai.chat(chat("x"))
            c.ai.chat(chat("y"))
        for _ in range(200):
            if "a handler of logs or events failed" in caplog.text:
                break
            time.sleep(0.01)
    assert "KeyError: 'mine'" in caplog.text


def test_logs_go_to_logging_and_follow_its_level() -> None:
    code = """
    import logging, time, xynergy
    from xynergy import blocking
    class Broken:
        async def get(self, **_): raise ConnectionError('away')
        async def put(self, **_): raise ConnectionError('away')
        async def invalidate(self, **_): return 0
    records = []
    class Keep(logging.Handler):
        def emit(self, record): records.append(record)
    assert not logging.getLogger('xynergy').handlers and not logging.getLogger().handlers
    logging.getLogger().addHandler(Keep())
    logging.getLogger('xynergy').setLevel(%s)
    c = blocking.Client({'version': 1}, providers={'p': xynergy.testing.FakeProvider()}, caches={'c': Broken()})
    c.ai.generate('hi')
    deadline = time.time() + %s
    while not records and time.time() < deadline: time.sleep(0.01)
    print(len(records) > 0, {r.name.split('.')[0] for r in records}, [r.getMessage() for r in records][:1])
    """
    said = clean(textwrap.dedent(code) % ("logging.DEBUG", "5"))
    assert said.startswith("True {'xynergy'} ['cache_unavailable (kind=unavailable)']"), said
    assert clean(textwrap.dedent(code) % ("logging.CRITICAL", "0.5")).startswith("False")


def test_the_command_line() -> None:
    import subprocess
    import sys

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "xynergy", *arguments], capture_output=True, text=True, timeout=60)

    assert command("--version").stdout.strip() == f"xynergy {xynergy.__version__}"
    asked = command("ask", "hello")
    assert asked.returncode == 0 and '"text"' in asked.stdout, asked.stderr
    assert command("no-such-command").returncode == 2
