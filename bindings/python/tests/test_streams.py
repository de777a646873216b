"""Streams and cancellation."""

from __future__ import annotations

import asyncio
import gc
import pickle
from typing import Any

import pytest

import xynergy
from xynergy import blocking

from conftest import Echo, chat, client, run
from stores import Ads


async def settled(condition: Any) -> None:
    """Waits until it holds."""
    for _ in range(200):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come")


def test_a_stream_to_its_end() -> None:
    async def work() -> None:
        async with client() as c:
            said, last = "", None
            async for piece in c.ai.stream(chat("x")):
                said += "".join(str(choice.delta.content or "") for choice in piece.choices)
                last = piece
            assert said == "0 1 2 " and last is not None and last.outcome == "complete"
            assert last.xynergy is not None and last.xynergy.provider == "echo"

    run(work())


def test_a_stream_that_breaks_is_no_answer() -> None:
    async def work() -> None:
        async with client() as c:
            said = []
            with pytest.raises(xynergy.XynergyError) as caught:
                async for piece in c.ai.stream(chat("break")):
                    said.append(piece)
            assert said and "boom" in str(caught.value)
            text = "".join(str(choice.delta.content or "") for piece in said for choice in piece.choices)
            assert text and caught.value.partial_text == text
            assert pickle.loads(pickle.dumps(caught.value)).partial_text == text
            assert text not in f"{caught.value} {caught.value!r} {caught.value.to_dict()}"
            with pytest.raises(xynergy.XynergyError) as refused:
                await c.ai.chat({"messages": []})
            assert refused.value.partial_text is None
            stream = c.ai.stream(chat("x"))
            async for _ in stream:
                pass
            with pytest.raises(StopAsyncIteration):
                await stream.__anext__()

    run(work())


def test_an_error_before_the_first_piece() -> None:
    async def work() -> None:
        async with client() as c:
            with pytest.raises(xynergy.InvalidInputError, match="messages"):
                async for _ in c.ai.stream({}):
                    pass
            with pytest.raises(xynergy.InvalidInputError, match="messages"):
                async with c.ai.stream({}):
                    pass

    run(work())


def test_a_stream_that_is_left_is_closed() -> None:
    async def work() -> None:
        for leave in ("break", "aclose", "with", "drop"):
            echo = Echo()
            async with client(providers={"echo": echo}) as c:
                stream = c.ai.stream(chat("many"))
                if leave == "with":
                    async with stream:
                        await stream.__anext__()
                else:
                    await stream.__anext__()
                    if leave == "aclose":
                        await stream.aclose()
                        await stream.aclose()
                    elif leave == "drop":
                        del stream
                        gc.collect()
                    else:
                        async for _ in stream:
                            break
                        del stream
                await settled(lambda e=echo: e.cancelled)
                assert len(echo.seen) < 400, "it is not read ahead without end"

    run(work())


def test_a_reader_that_gives_up_takes_no_piece_with_it() -> None:
    # Opening is cancelled as any call is, so the first piece is waited for.
    async def opened() -> None:
        async with client() as c:
            stream = c.ai.stream(chat("slow"))
            await stream.open()
            said = ""
            while True:
                try:
                    piece = await asyncio.wait_for(stream.__anext__(), 0.01)
                except asyncio.TimeoutError:
                    continue
                except StopAsyncIteration:
                    break
                said += "".join(str(choice.delta.content or "") for choice in piece.choices)
            assert said == "0 1 2 "

    run(opened())


def test_cancelling_the_task_cancels_the_call_and_the_hosts_task() -> None:
    async def work() -> None:
        echo = Echo()
        async with client(providers={"echo": echo}) as c:
            calling = asyncio.ensure_future(c.ai.chat(chat("sleep 60")))
            await settled(lambda: echo.calls)
            calling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await calling
            await settled(lambda: echo.cancelled)
            await settled(lambda: c._core.engine.in_flight == 0)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(c.ai.chat(chat("sleep 61")), 0.05)
            await settled(lambda: echo.cancelled == 2)

    run(work())


def test_a_write_under_way_is_not_torn() -> None:
    """The task is cancelled while the platform writes; the write ends, and its outcome is booked."""

    async def work() -> None:
        now = "2026-03-01T12:00:00Z"
        clock = xynergy.ManualClock(now)
        began = asyncio.Event()
        ended: list[Any] = []

        class Slow(Ads):
            async def set(self, *, ctx: Any, write: Any) -> None:
                began.set()
                await asyncio.sleep(0.2)
                await super().set(ctx=ctx, write=write)
                ended.append(write.value)

        config: Any = {"version": 1, "execution": {"preset": "exact"}}
        async with xynergy.Client(config, ad_platforms={"mine": Slow(clock.now)}, clock=clock) as c:
            await c.execution.set_limits("act_1", "USD", 100_000, 100, 50_000)
            change: Any = {
                "id": "1" * 32,
                "account_id": "act_1",
                "campaign_id": "1",
                "owner": {"level": "adset", "id": "11"},
                "field": "budget",
                "expected_from": 6000,
                "target": 6600,
                "currency": "USD",
            }
            await c.execution.queue([change])

            async def steps() -> None:
                while not began.is_set():
                    if await c.execution.run_once() is None:
                        clock.advance(3600)

            stepping = asyncio.ensure_future(steps())
            await asyncio.wait_for(began.wait(), 10)
            stepping.cancel()
            with pytest.raises(asyncio.CancelledError):
                await stepping
            await c.execution.drain()
            assert ended == [6600]
            row = await c.execution.get("1" * 32)
            assert row is not None and row.sent_value == 6600 and row.status not in ("claimed", "queued"), row

    run(work())


def test_ten_thousand_cancelled_calls_leave_nothing() -> None:
    async def work() -> None:
        async with client() as c:
            from xynergy import _loop

            for _ in range(50):
                calls = [asyncio.ensure_future(c.ai.chat(chat("sleep 60", user=str(i)))) for i in range(40)]
                await asyncio.sleep(0)
                for call in calls:
                    call.cancel()
                await asyncio.gather(*calls, return_exceptions=True)
            bridge = _loop.current()
            await settled(lambda: c._core.engine.in_flight == 0)
            await settled(lambda: not bridge.pending and not bridge.contexts and not bridge.tasks)

    run(work())


def test_a_blocking_stream_is_closed() -> None:
    echo = Echo()
    with blocking.Client({"version": 1}, providers={"echo": echo}) as c:
        for _ in c.ai.stream(chat("many")):
            break
        gc.collect()
        for _ in range(200):
            if echo.cancelled:
                break
            import time

            time.sleep(0.01)
        assert echo.cancelled == 1
