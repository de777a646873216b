"""The programs of the README. They run, and pass mypy --strict and pyright."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import xynergy


# region: first
async def main() -> None:
    async with xynergy.sandbox.start() as sandbox, sandbox.client() as client:
        answer = await client.ai.generate("Name three uses of a paper clip.")
        print(answer.text, answer.provider, answer.cost)

        acme = client.scope("acme", actor="nightly job")
        async for chunk in acme.ai.stream({"messages": [{"role": "user", "content": "Count to three."}]}):
            for choice in chunk.choices:
                print(choice.delta.content or "", end="")


# endregion: first


# region: config
CONFIG: xynergy.ConfigDict = {
    "version": 1,
    "store": {"type": "sqlite", "path": "xynergy.sqlite"},
    "ai": {
        "providers": {"openai": {"api_key": {"env": "OPENAI_API_KEY"}, "model": "gpt-4o-mini"}},
        "limits": [{"window": "day", "amount_nano_usd": 20_000_000_000}],
    },
}
# endregion: config


# region: blocking
def ask(prompt: str) -> str:
    with xynergy.sandbox.start() as sandbox, sandbox.client() as client:
        return client.ai.generate(prompt).text


# endregion: blocking


# region: openai
async def as_before(client: xynergy.Client) -> None:
    response = await client.chat.completions.create(
        model="gpt-4o-mini",
        messages=[{"role": "user", "content": "Hello!"}],
    )
    print(response.choices[0].message.content)
    stream = await client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Again."}], stream=True)
    async for chunk in stream:
        print(chunk.choices[0].delta.content or "", end="")


# endregion: openai


# region: errors
async def careful(client: xynergy.Client) -> str:
    try:
        return (await client.ai.generate("Hello!", timeout=20)).text
    except xynergy.LimitExceededError as error:
        return f"no more today: {error.message}"
    except xynergy.XynergyError as error:
        logging.warning("%s failed: %s (try again: %s)", error.operation, error.kind, error.retryable)
        raise


# endregion: errors


# region: loop
async def close_the_loop(client: xynergy.Client, account: Any, request: Any) -> None:
    # In the webhook's handler, on the raw bytes: verified and stored when it returns.
    await client.hubspot.accept("POST", request.url, request.headers, request.body)
    # In a worker: the deals behind the events, the next budgets, and every change that is due.
    tick = await client.closed_loop.tick(account, "2026-04-01", 7)
    print(tick.deals, tick.next_due)
    print(tick.allocation.rows.to_pandas())


# endregion: loop


# region: provider
class Mine:
    default_model = "mine-1"

    async def chat(self, *, ctx: xynergy.CallContext, request: xynergy.ChatRequest) -> str:
        return f"{ctx.tenant} asked: {request.messages[-1].content}"


async def with_my_own() -> None:
    async with xynergy.Client({"version": 1}, providers={"mine": Mine()}) as client:
        print((await client.ai.generate("Hello!")).text)


# endregion: provider


# region: cache
class MyCache:
    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], tuple[xynergy.ChatResponse, str]] = {}

    async def get(self, *, tenant: str, key: str, now: str) -> xynergy.ChatResponse | None:
        found = self.kept.get((tenant, key))
        return found[0] if found and found[1] > now else None

    async def put(self, *, tenant: str, key: str, response: xynergy.ChatResponse, expires_at: str) -> None:
        self.kept[tenant, key] = (response, expires_at)

    async def invalidate(self, *, tenant: str, pattern: str) -> int:
        import fnmatch

        def names(place: tuple[str, str]) -> list[str]:
            report = self.kept[place][0].xynergy
            return [place[1], f"{report.provider}/{report.model}"]

        mine = [place for place in self.kept if place[0] == tenant]
        gone = [place for place in mine if any(fnmatch.fnmatchcase(name, pattern) for name in names(place))]
        for place in gone:
            del self.kept[place]
        return len(gone)


# endregion: cache


# region: testing
def test_my_cache() -> None:
    xynergy.testing.check_cache(MyCache())


def test_my_prompt() -> None:
    fake = xynergy.testing.FakeProvider("forty-two")
    with xynergy.blocking.Client({"version": 1}, providers={"fake": fake}) as client:
        assert client.ai.generate("What is the answer?").text == "forty-two"
    assert fake.requests[0].messages[0].content == "What is the answer?"


def test_against_the_sandbox(xynergy_client: xynergy.blocking.Client) -> None:
    assert xynergy_client.ai.generate("hello").outcome == "complete"


# endregion: testing


if __name__ == "__main__":
    asyncio.run(main())
