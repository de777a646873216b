"""Objects of the user's own behind the library's traits."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import gc
import threading
import time
import weakref
from typing import Any

import pytest

import xynergy
from xynergy import blocking
from xynergy.testing import FakeProvider

from conftest import Echo, chat, client, run

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")


def text(response: Any) -> Any:
    return response.choices[0].message.content


def test_what_is_thrown_is_the_cause() -> None:
    async def work() -> None:
        async with client() as c:
            with pytest.raises(xynergy.UnavailableError, match=r"providers\.echo\.chat: KeyError: 'boom'") as caught:
                await c.ai.chat(chat("throw"))
            cause = caught.value.__cause__
            assert isinstance(cause, KeyError) and cause.args == ("boom",) and cause.__traceback__ is not None

    run(work())


class Lengths:
    default_model = "lengths"
    max_inputs = 2

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []

    async def embed(self, *, ctx: xynergy.CallContext, request: Any) -> dict[str, Any]:
        self.asked.append((request.model, list(request.input)))
        if request.input[0] == "throw":
            raise KeyError("boom")
        if request.input[0] == "nan":
            return {"vectors": [[float("nan")]]}
        return {"vectors": [[len(text), 0.1, ord(text[0])] for text in request.input], "tokens": len(request.input)}


def test_an_embedder_answers() -> None:
    async def work() -> None:
        mine = Lengths()
        async with xynergy.Client({"version": 1}, embedders={"mine": mine}) as c:
            told = await c.ai.embed(["a", "bb", "ccc"])
            assert told.vectors == [[1, 0.1, 97], [2, 0.1, 98], [3, 0.1, 99]]
            assert (told.provider, told.model, told.dimensions, told.tokens_used) == ("mine", "lengths", 3, 3)
            assert sorted(texts for _, texts in mine.asked) == [["a", "bb"], ["ccc"]]
            with pytest.raises(xynergy.UnavailableError, match=r"embedders\.mine\.embed: KeyError: 'boom'") as caught:
                await c.ai.embed(["throw"])
            assert isinstance(caught.value.__cause__, KeyError)
            with pytest.raises(xynergy.UnavailableError, match=r"embedders\.mine\.embed"):
                await c.ai.embed(["nan"])
            with pytest.raises(xynergy.InvalidInputError, match=r"input\[1\]: blank"):
                await c.ai.embed(["a", " "])
            with pytest.raises(xynergy.InvalidInputError, match=r"input\[1\]"):
                await c.ai.embed(["a", 5])  # type: ignore[list-item]

    run(work())
    with blocking.Client({"version": 1}, embedders={"mine": Lengths()}) as c:
        assert c.ai.embed(["a"]).vectors == [[1, 0.1, 97]]
    with pytest.raises(xynergy.ConfigInvalidError, match="embedders"):
        xynergy.Client({"version": 1}, embedders={"mine": object()})  # type: ignore[dict-item]


def test_an_error_of_the_library_keeps_its_kind() -> None:
    class Refuses:
        async def chat(self, *, ctx: Any, request: Any) -> str:
            raise xynergy.ContentFilteredError("not that")

    async def work() -> None:
        async with client(providers={"p": Refuses()}) as c:
            with pytest.raises(xynergy.ContentFilteredError, match="not that") as caught:
                await c.ai.chat(chat("x"))
            assert isinstance(caught.value.__cause__, xynergy.ContentFilteredError)

    run(work())


@pytest.mark.parametrize("prompt", ["none", "set", "surrogate"])
def test_nonsense_is_an_error_that_names_the_object(prompt: str) -> None:
    async def work() -> None:
        async with client() as c:
            with pytest.raises(xynergy.UnavailableError, match=r"providers\.echo\.chat"):
                await c.ai.chat(chat(prompt))

    run(work())


def test_one_that_never_answers_is_given_up_and_cancelled() -> None:
    async def work() -> None:
        echo = Echo()
        async with client(providers={"echo": echo}, host_timeout_ms=50) as c:
            with pytest.raises(xynergy.TimeoutError, match="50 ms"):
                await c.ai.chat(chat("sleep 60"))
            await asyncio.sleep(0.05)
            assert echo.cancelled >= 1

    run(work())


def test_a_sync_one_that_hangs_stops_nobody() -> None:
    release = threading.Event()

    class Hangs:
        def chat(self, *, ctx: Any, request: Any) -> str:
            if text_of(request) == "hang":
                release.wait(30)
            return "ok"

    def text_of(request: Any) -> str:
        return str(request.messages[0].content)

    async def work() -> None:
        async with client(providers={"p": Hangs()}, host_timeout_ms=300) as c:
            hanging = [asyncio.ensure_future(c.ai.chat(chat("hang", user=str(i)))) for i in range(4)]
            started = time.perf_counter()
            assert text(await c.ai.chat(chat("go"))) == "ok"
            assert time.perf_counter() - started < 0.25
            for call in hanging:
                with pytest.raises(xynergy.XynergyError):
                    await call

    try:
        run(work())
    finally:
        release.set()


def test_sync_methods_run_in_threads_with_the_callers_context() -> None:
    seen: list[tuple[str, str]] = []

    class Sync:
        def chat(self, ctx: Any, request: Any) -> Any:
            seen.append((WHO.get(), threading.current_thread().name))
            time.sleep(0.05)
            return {"choices": [{"message": {"role": "assistant", "content": "plain"}, "finish_reason": "stop"}]}

    async def work() -> None:
        async with client(providers={"p": Sync()}) as c:
            WHO.set("task")
            started = time.perf_counter()
            answers = await asyncio.gather(*(c.ai.chat(chat(f"{i}")) for i in range(10)))
            assert time.perf_counter() - started < 0.4, "they run side by side"
            assert {text(answer) for answer in answers} == {"plain"}

    run(work())
    assert {who for who, _ in seen} == {"task"} and {name for _, name in seen} == {"xynergy-host"}


def test_async_methods_run_in_the_callers_loop_with_its_context() -> None:
    seen: list[tuple[str, Any]] = []

    class Async:
        async def chat(self, ctx: Any, request: Any) -> str:
            seen.append((WHO.get(), asyncio.get_running_loop()))
            await asyncio.sleep(0)
            return "ok"

    async def one(c: xynergy.Client, who: str) -> None:
        WHO.set(who)
        await c.ai.chat(chat(who))

    async def work() -> Any:
        async with client(providers={"p": Async()}) as c:
            await asyncio.gather(*(one(c, f"t{i}") for i in range(20)))
        return asyncio.get_running_loop()

    loop = run(work())
    assert sorted(seen, key=lambda pair: pair[0])[0][1] is loop
    assert {who for who, _ in seen} == {f"t{i}" for i in range(20)}
    WHO.set("main")
    with blocking.Client({"version": 1}, providers={"p": Async()}) as b:
        b.ai.chat(chat("x"))
    assert seen[-1][0] == "main" and seen[-1][1] is not loop


def test_odd_but_valid_methods() -> None:
    class Partial:
        def __init__(self) -> None:
            self.chat = functools.partial(self._chat, "said")

        async def _chat(self, word: str, *, ctx: Any, request: Any) -> str:
            return word

    class Future:
        def chat(self, *, ctx: Any, request: Any) -> Any:
            async def later() -> str:
                await asyncio.sleep(0.01)
                return "later"

            return later()

    class Whole:
        async def chat(self, *, ctx: Any, request: Any) -> xynergy.ChatResponse:
            message = {"role": "assistant", "content": "whole"}
            return xynergy.ChatResponse(id="x", model="m", choices=[{"index": 0, "message": message, "finish_reason": "stop"}])

    async def work() -> None:
        for provider, said in ((Partial(), "said"), (Future(), "later"), (Whole(), "whole")):
            async with client(providers={"p": provider}) as c:
                assert text(await c.ai.chat(chat("x"))) == said

    run(work())


def test_wrong_parameters_are_the_objects_fault() -> None:
    class Wrong:
        async def chat(self, prompt: str) -> str:
            return prompt

    async def work() -> None:
        async with client(providers={"p": Wrong()}) as c:
            with pytest.raises(xynergy.UnavailableError, match=r"providers\.p\.chat: TypeError") as caught:
                await c.ai.chat(chat("x"))
            assert isinstance(caught.value.__cause__, TypeError)

    run(work())


class Cache:
    """A cache in a dictionary; half of its methods are async."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], tuple[Any, str]] = {}

    async def get(self, *, tenant: str, key: str, now: str) -> Any:
        found = self.kept.get((tenant, key))
        return found[0] if found and xynergy.to_micros(found[1]) > xynergy.to_micros(now) else None

    def put(self, *, tenant: str, key: str, response: Any, expires_at: str) -> None:
        self.kept[tenant, key] = (response, expires_at)

    async def invalidate(self, *, tenant: str, pattern: str) -> int:
        import fnmatch

        def model(response: Any) -> str:
            return f"{response.xynergy.provider}/{response.xynergy.model}"

        gone = [
            place
            for place, (response, _) in self.kept.items()
            if place[0] == tenant and (fnmatch.fnmatchcase(place[1], pattern) or fnmatch.fnmatchcase(model(response), pattern))
        ]
        for place in gone:
            del self.kept[place]
        return len(gone)


def test_a_cache_of_ones_own() -> None:
    async def work() -> None:
        echo, cache = Echo(), Cache()
        async with client(providers={"echo": echo}, caches={"mine": cache}) as c:
            first, second = await c.ai.chat(chat("x")), await c.ai.chat(chat("x"))
            assert text(first) == text(second) and second.xynergy.cache_hit and echo.calls == 1 and len(cache.kept) == 1

    run(work())


def test_a_broken_cache_is_a_miss() -> None:
    class Broken(Cache):
        async def get(self, **_: Any) -> Any:
            raise ConnectionError("away")

    async def work() -> None:
        async with client(caches={"mine": Broken()}) as c:
            assert text(await c.ai.chat(chat("x"))) == "default said x"

    run(work())


def test_secrets_of_ones_own(sandbox: Any) -> None:
    class Vault:
        async def get(self, *, tenant: str, reference: Any) -> Any:
            return sandbox.secrets.get(reference["env"]) if "env" in reference else None

    async def work() -> None:
        async with xynergy.Client(sandbox.config, secrets=Vault()) as c:
            assert (await c.ai.generate("hi")).outcome == "complete"

    run(work())


class StateStore:
    """A store of documents in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str, str], dict[str, Any]] = {}

    async def get(self, *, tenant: str, collection: str, key: str) -> Any:
        return self.kept.get((tenant, collection, key))

    async def put(self, *, tenant: str, collection: str, key: str, expected: Any, value: str) -> int:
        version = self.kept.get((tenant, collection, key), {}).get("version", 0)
        if expected is not None and expected != version:
            raise xynergy.ConflictError(f"version {version} is stored, {expected} was expected")
        self.kept[tenant, collection, key] = {"version": version + 1, "value": value}
        return int(version) + 1

    def list(self, *, tenant: str, collection: str) -> Any:
        found = [(k, d) for (t, c, k), d in self.kept.items() if (t, c) == (tenant, collection)]
        return sorted(found, key=lambda pair: pair[0].encode())


def test_a_store_of_ones_own() -> None:
    async def work() -> None:
        store = StateStore()
        async with client(stores={"state": store}) as c:
            evidence = {"ad_id": "1", "active": True, "impressions": 9, "clicks": 3, "spend_minor": 10, "deals": 1, "value_minor": 50}
            request: Any = {
                "currency": "USD",
                "owners": [{"owner_id": "11", "level": "adset", "current_minor": 6000, "ads": [evidence]}],
                "constraints": {"total_daily_minor": 6000, "min_minor": 1000, "max_minor": 40000},
                "seed": 7,
                "draws": 100,
            }
            drawn = await c.scope("acme").allocation.select("first", request)
            assert {tenant for tenant, _, _ in store.kept} == {"acme"}
            assert await c.scope("acme").allocation.get("first") == drawn and drawn.rows[0].owner_id == "11"

    run(work())


def test_stores_of_clicks_and_revenue_of_ones_own(sandbox: Any) -> None:
    from stores import Clicks, Revenue

    async def work() -> None:
        stores = {"clicks": Clicks(), "revenue": Revenue()}
        config = {**sandbox.config, "store": {"type": "memory"}}
        async with xynergy.Client(config, secrets=sandbox.secrets, stores=stores) as c:
            click = {"ts": "2026-03-01T12:00:00Z", "url": "https://shop.example/?fbclid=IwAR1", "ad_id": "101", "adset_id": "11"}
            click |= {"campaign_id": "1", "ip": "192.0.2.7", "user_agent": "Mozilla/5.0", "consent": True}  # type: ignore[dict-item]
            assert isinstance(await c.attribution.track_click(click), str)
            again = await c.attribution.track_clicks([click, {**click, "ts": "2026-03-01T12:00:01Z"}, "nonsense"], "today")
            assert (again.inserted, again.duplicates, len(again.rejected)) == (1, 1, 1)
            assert (await c.attribution.count_clicks(), await c.attribution.count_clicks("today")) == (2, 1)
            assert (await c.attribution.totals()).unattributed_minor == 0

    run(work())


def test_streams_of_every_kind() -> None:
    class Generator(FakeProvider):
        def stream(self, *, ctx: Any, request: Any) -> Any:  # type: ignore[override]
            yield from (f"{i} " for i in range(300))

    class Later(FakeProvider):
        async def stream(self, *, ctx: Any, request: Any) -> Any:
            await asyncio.sleep(0)
            return iter(f"{i} " for i in range(300))

    class Chunks(FakeProvider):
        async def stream(self, *, ctx: Any, request: Any) -> Any:
            for i in range(300):
                yield {"choices": [{"delta": {"content": f"{i} "}, "finish_reason": "stop" if i == 299 else None}]}

    async def work() -> None:
        for provider in (Generator(), Later(), Chunks()):
            async with client(providers={"p": provider}) as c:
                said = [p.choices[0].delta.content or "" async for p in c.ai.stream(chat("x")) if p.choices]
                assert "".join(map(str, said)) == "".join(f"{i} " for i in range(300)), type(provider)
            with blocking.Client({"version": 1}, providers={"p": provider}) as b:
                said = [p.choices[0].delta.content or "" for p in b.ai.stream(chat("y")) if p.choices]
                assert len("".join(map(str, said)).split()) == 300

    run(work())


def test_a_streams_wrong_results() -> None:
    class NoIterator(FakeProvider):
        def stream(self, *, ctx: Any, request: Any) -> Any:  # type: ignore[override]
            return 3

    class BadPiece(FakeProvider):
        async def stream(self, *, ctx: Any, request: Any) -> Any:
            yield "one "
            yield {1}

    async def work() -> None:
        for provider, said in ((NoIterator(), "iterator"), (BadPiece(), "piece")):
            async with client(providers={"p": provider}) as c:
                with pytest.raises(xynergy.XynergyError, match=said):
                    async for _ in c.ai.stream(chat("x")):
                        pass

    run(work())


def test_an_object_that_refers_to_its_client_is_collected() -> None:
    class Knows(FakeProvider):
        client: Any = None

    async def work() -> weakref.ref[Any]:
        provider = Knows()
        provider.client = xynergy.Client({"version": 1}, providers={"p": provider})
        await provider.client.ai.chat(chat("x"))
        return weakref.ref(provider)

    ref = run(work())
    gc.collect()
    assert ref() is None


def test_a_call_from_within_a_host_method() -> None:
    class Outer:
        client: Any = None

        async def chat(self, *, ctx: Any, request: Any) -> str:
            inner = await self.client.ai.chat(chat("inner"))
            return f"outer of {text(inner)}"

    async def work() -> None:
        outer = Outer()
        async with client() as inner, client(providers={"p": outer}) as c:
            outer.client = inner
            assert text(await c.ai.chat(chat("x"))) == "outer of default said inner"

    run(work())
