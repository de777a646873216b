"""Nothing that can be passed in crashes, hangs, or gives an error that does not say what is wrong."""

from __future__ import annotations

import contextlib
import math
import random
from decimal import Decimal
from typing import Any

import pytest

import xynergy
from xynergy import blocking

from conftest import Echo, chat, client, run

CIRCULAR: list[Any] = []
CIRCULAR.append(CIRCULAR)
DEEP: Any = "x"
for _ in range(5_000):
    DEEP = [DEEP]


class Odd:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


BAD = [
    (math.nan, "nan"),
    (math.inf, "inf"),
    ("\ud800", "surrogate"),
    (b"x", "bytes"),
    ({1, 2}, "set"),
    (CIRCULAR, "itself"),
    (DEEP, "nested"),
    (2**64, "64 bits"),
    (-(2**63) - 1, "64 bits"),
    (10**400, "64 bits"),
    (Decimal("1.5"), "Decimal"),
    (object(), "object"),
    (Odd(), "Odd"),
    (lambda: 1, "function"),
    ({(1, 2): 3}, "tuple"),
    ({"\udc00": 1}, "surrogate"),
]


@pytest.mark.parametrize(("value", "said"), BAD, ids=[said + str(i) for i, (_, said) in enumerate(BAD)])
def test_what_json_cannot_say_is_named(value: Any, said: str) -> None:
    async def work() -> None:
        async with client() as c:
            with pytest.raises(xynergy.InvalidInputError) as caught:
                await c.ai.chat({"messages": [{"role": "user", "content": "x"}], "metadata": {"odd": value}})
            assert "request.metadata.odd" in str(caught.value) and said in str(caught.value), caught.value
            with pytest.raises(ValueError):
                await c.ai.generate(value)

    run(work())
    with blocking.Client({"version": 1}, providers={"e": Echo()}) as b, pytest.raises(xynergy.InvalidInputError, match="prompt"):
        b.ai.generate(value)


CHANGE = {
    "id": "1" * 32,
    "account_id": "act_1",
    "campaign_id": "1",
    "owner": {"level": "adset", "id": "11"},
    "field": "budget",
    "expected_from": 6000,
    "target": 6600,
    "currency": "USD",
}


@pytest.mark.parametrize("budget", [math.nan, math.inf, -math.inf, 6600.5, 1e300, 2**63, Decimal(6600), "6600", None, True])
def test_a_budget_that_is_no_integer_is_named(budget: Any) -> None:
    async def work() -> None:
        async with client() as c:
            for field in ("target", "expected_from"):
                for send in (c.execution.queue, c.execution.plan):
                    with pytest.raises(xynergy.InvalidInputError, match=field):
                        await send([{**CHANGE, field: budget}])  # type: ignore[list-item, typeddict-item]
            if budget is not None:
                with pytest.raises(xynergy.InvalidInputError, match="max_minor"):
                    await c.execution.set_limits("act_1", "USD", max_minor=budget)

    run(work())


def test_wrong_types_are_named() -> None:
    async def work() -> None:
        async with client() as c:
            calls: list[tuple[Any, str]] = [
                (lambda: c.ai.generate(3), "prompt"),  # type: ignore[arg-type]
                (lambda: c.ai.generate(None), "prompt"),  # type: ignore[arg-type]
                (lambda: c.ai.generate("x", max_tokens="many"), "max_tokens"),  # type: ignore[arg-type]
                (lambda: c.ai.generate("x", max_tokens=-1), "max_tokens"),
                (lambda: c.ai.generate("x", max_tokens=2**63), "max_tokens"),
                (lambda: c.ai.generate("x", tags="one"), "tags"),
                (lambda: c.ai.chat({}), "messages"),
                (lambda: c.ai.chat("hi"), "request"),  # type: ignore[arg-type]
                (lambda: c.ai.chat({"messages": [{"role": "user", "content": 3}]}), r"messages\[0\]"),
                (lambda: c.ai.set_limit("tenant", "week", 1, True), "window"),  # type: ignore[arg-type]
                (lambda: c.ai.set_limit("tenant", "day", 1.5, True), "amount_nano_usd"),  # type: ignore[arg-type]
                (lambda: c.execution.get("zz"), "id"),
                (lambda: c.attribution.track_click(3), "click"),  # type: ignore[arg-type]
            ]
            for call, named in calls:
                with pytest.raises(xynergy.InvalidInputError, match=named):
                    await call()
            with pytest.raises(TypeError):
                await c.ai.generate()  # type: ignore[call-arg]
            with pytest.raises(TypeError):
                await c.ai.generate("x", speed=1)  # type: ignore[call-arg]

    run(work())


def test_integers_keep_every_bit() -> None:
    seen: list[Any] = []

    class Provider:
        async def chat(self, *, ctx: Any, request: Any) -> str:
            seen.append((request["big"], request["small"], request["text"]))
            return "ok"

    async def work() -> None:
        async with client(providers={"p": Provider()}) as c:
            await c.ai.chat(chat("x", big=2**64 - 1, small=-(2**63), text='99999999999999999999999 \\" 1e400'))

    run(work())
    assert seen == [(2**64 - 1, -(2**63), '99999999999999999999999 \\" 1e400')]


def test_random_values_never_crash() -> None:
    pick = random.Random(7)
    leaves: list[Any] = [None, True, 0, -1, 2**70, 1.5, math.nan, "", "x", "\ud800", b"", (), [], {}, object(), {1}]

    def value(depth: int) -> Any:
        roll = pick.random()
        if depth == 0 or roll < 0.5:
            return pick.choice(leaves)
        if roll < 0.75:
            return [value(depth - 1) for _ in range(pick.randrange(4))]
        names: list[Any] = ["messages", "role", "content", "model", "type", "text", 1, None, (1,)]
        return {pick.choice(names): value(depth - 1) for _ in range(pick.randrange(5))}

    async def work() -> None:
        async with client() as c:
            for _ in range(1_500):
                made = value(4)
                method = pick.choice([c.ai.chat, c.ai.generate, c.ai.route, c.attribution.track_click, c.execution.queue, c.ai.spend])
                with contextlib.suppress(xynergy.XynergyError):
                    await method(made)  # type: ignore[operator]

    run(work())
