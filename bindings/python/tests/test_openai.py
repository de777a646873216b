"""The openai package's calls, against its own client and against ours, on the same sandbox."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import xynergy
from xynergy import blocking

from conftest import Echo, chat, client, run

openai = pytest.importorskip("openai")

MESSAGES: Any = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say hello to me please."}]

CALLS: list[dict[str, Any]] = [
    {"model": "gpt-4o-mini", "messages": MESSAGES},
    {"model": "gpt-4o-mini", "messages": MESSAGES, "temperature": 0.1, "top_p": 0.5, "n": 1, "max_tokens": 100},
    {"model": "gpt-4o-mini", "messages": MESSAGES, "max_completion_tokens": 100, "seed": 3, "stop": ["\n\n"]},
    {"model": "gpt-4o-mini", "messages": MESSAGES, "user": "u-1", "logit_bias": {"50256": -100}, "presence_penalty": 0.5},
    {"model": "gpt-4o-mini", "messages": MESSAGES, "response_format": {"type": "json_object"}, "metadata": {"a": "b"}},
    {"model": "gpt-4o-mini", "messages": MESSAGES, "extra_body": {"anything": {"nested": [1, 2]}}, "timeout": 20},
    {
        "model": "gpt-4o-mini",
        "messages": [
            *MESSAGES,
            {"role": "assistant", "content": "Hello."},
            {"role": "user", "content": [{"type": "text", "text": "Again."}]},
        ],
    },
]


def theirs(sandbox: Any) -> Any:
    base = sandbox.config["ai"]["providers"]["openai"]["base_url"]
    return openai.OpenAI(base_url=base, api_key="sandbox", max_retries=0)


def ours(sandbox: Any) -> Any:
    providers = {"openai": sandbox.config["ai"]["providers"]["openai"]}
    config = {"version": 1, "ai": {"providers": providers, "cache": {"enabled": False}, "tokens": {"optimize": False}}}
    return blocking.Client(config, secrets=sandbox.secrets)


def shape(value: Any) -> Any:
    """What stays the same from one call to the next."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items() if item is not None and key not in ("id", "created", "xynergy", "outcome")}
    return [shape(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("call", CALLS, ids=range(len(CALLS)))
def test_the_same_answer(sandbox: Any, call: dict[str, Any]) -> None:
    their = theirs(sandbox).chat.completions.create(**call)
    with ours(sandbox) as c:
        our = c.chat.completions.create(**call)
    assert shape(our.model_dump()) == shape(their.model_dump())
    assert our.choices[0].message.content == their.choices[0].message.content
    assert our.choices[0].message.role == "assistant" and our.choices[0].finish_reason == their.choices[0].finish_reason
    assert our.choices[0].message.tool_calls is None and our.choices[0].logprobs is None
    assert (our.usage.prompt_tokens, our.usage.completion_tokens, our.usage.total_tokens) == (
        their.usage.prompt_tokens,
        their.usage.completion_tokens,
        their.usage.total_tokens,
    )
    assert our.object == their.object == "chat.completion" and our.model == their.model and our.id and our.created is not None
    assert "choices" in our.model_dump_json() and "choices" in our.to_json()


@pytest.mark.parametrize("options", [{}, {"stream_options": {"include_usage": True}}])
def test_the_same_stream(sandbox: Any, options: dict[str, Any]) -> None:
    call = {"model": "gpt-4o-mini", "messages": MESSAGES, "stream": True, **options}
    their = list(theirs(sandbox).chat.completions.create(**call))
    with ours(sandbox) as c:
        our = list(c.chat.completions.create(**call))

    def content(chunks: Any) -> str:
        return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)

    assert content(our) == content(their) and content(our)
    assert [bool(chunk.choices) for chunk in our].count(False) == (1 if options else 0)
    if options:
        assert our[-1].usage.total_tokens == their[-1].usage.total_tokens
    assert our[0].object == their[0].object == "chat.completion.chunk"
    reasons = [[choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason] for chunks in (our, their)]
    assert reasons[0] == reasons[1]


@pytest.mark.parametrize(
    "call", [{"input": "one"}, {"input": ["one", "two"], "dimensions": 4}, {"input": ["a"], "encoding_format": "float"}]
)
def test_the_same_vectors(sandbox: Any, call: dict[str, Any]) -> None:
    call = {"model": "text-embedding-3-small", **call}
    their = theirs(sandbox).embeddings.create(**call)
    with ours(sandbox) as c:
        our = c.embeddings.create(**call)
    assert len(our.data) == len(their.data)
    for mine, other in zip(our.data, their.data, strict=True):
        assert (mine.index, mine.object) == (other.index, other.object)
        assert list(mine.embedding) == pytest.approx(other.embedding, rel=1e-6)
    assert (our.object, our.model, our.usage.total_tokens) == (their.object, their.model, their.usage.total_tokens)
    assert our.xynergy.provider == "openai" and "embedding" in our.to_json()


def test_vectors_asked_wrongly(sandbox: Any) -> None:
    async def work() -> None:
        async with xynergy.Client(sandbox.config, secrets=sandbox.secrets) as c:
            found = await c.embeddings.create(model="openai", input=(text for text in ("x", "y")), dimensions=openai.omit, timeout=20)
            assert [each.index for each in found.data] == [0, 1]
            for wrong, message in (({"encoding_format": "base64"}, "encoding_format"), ({"user": "u"}, "user")):
                with pytest.raises(xynergy.UnsupportedError, match=message):
                    await c.embeddings.create(input="x", **wrong)
            for texts in (3, [], [[1, 2]]):
                with pytest.raises(xynergy.InvalidInputError, match="input"):
                    await c.embeddings.create(input=texts)  # type: ignore[arg-type]

    run(work())


def test_the_asynchronous_one(sandbox: Any) -> None:
    async def work() -> None:
        async with xynergy.Client(sandbox.config, secrets=sandbox.secrets) as c:
            response = await c.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
            again = [*MESSAGES, response.choices[0].message, {"role": "user", "content": "And again."}]
            second = await c.chat.completions.create(model="gpt-4o-mini", messages=again)
            assert second.usage is not None and second.usage.total_tokens > 0
            stream = await c.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True)
            said = [chunk.choices[0].delta.content async for chunk in stream]
            assert any(said) and stream.final is not None and stream.final.outcome == "complete"
            async with await c.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True) as left:
                await left.__anext__()
            with pytest.raises(StopAsyncIteration):
                await left.__anext__()
            create = c.chat.completions.create
            both = await asyncio.gather(*(create(model="gpt-4o-mini", messages=chat(str(i))["messages"]) for i in range(8)))
            assert len({r.id for r in both}) == 8

    run(work())


def test_what_the_package_passes_for_nothing_is_nothing() -> None:
    async def work() -> None:
        async with client() as c:
            nothing = [openai.NOT_GIVEN, getattr(openai, "omit", None), None]
            for value in nothing:
                response = await c.chat.completions.create(messages=chat("x")["messages"], temperature=value, tools=value, stream=value)
                assert response.choices[0].message.content == "default said x"

    run(work())


def test_time_limits() -> None:
    import httpx

    async def work() -> None:
        async with client() as c:
            for limit in (0.05, httpx.Timeout(0.05)):
                with pytest.raises(xynergy.TimeoutError):
                    await c.chat.completions.create(messages=chat("sleep 30")["messages"], timeout=limit)
            await c.chat.completions.create(messages=chat("x")["messages"], timeout=httpx.Timeout(None))

    run(work())


def test_what_cannot_be_done_is_said() -> None:
    async def work() -> None:
        async with client() as c:
            with pytest.raises(xynergy.UnsupportedError, match="extra_headers"):
                await c.chat.completions.create(messages=[], extra_headers={"a": "b"})
            with pytest.raises(xynergy.InvalidInputError, match="messages"):
                await c.chat.completions.create(messages=3)  # type: ignore[call-overload]
            with pytest.raises(xynergy.InvalidInputError, match="extra_body"):
                await c.chat.completions.create(messages=[], extra_body=3)
            await c.chat.completions.create(messages=(m for m in chat("x")["messages"]), extra_headers=None)

    run(work())


def test_tool_calls_can_be_reached_into() -> None:
    class Calls:
        tools = True

        async def chat(self, *, ctx: Any, request: Any) -> Any:
            assert request.tools[0].function.name == "weather"
            call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
            return {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}

    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
    with blocking.Client({"version": 1}, providers={"p": Calls()}) as c:
        response = c.chat.completions.create(messages=chat("x")["messages"], tools=[tool])
        choice = response.choices[0]
        assert choice.finish_reason == "tool_calls" and choice.message.content is None and choice.message.tool_calls is not None
        assert choice.message.tool_calls[0].function.name == "weather" and choice.message.tool_calls[0].id == "c1"
        assert choice.message.model_dump(exclude_none=True)["tool_calls"][0]["function"]["name"] == "weather"


def test_errors_of_both() -> None:
    assert not issubclass(xynergy.XynergyError, openai.OpenAIError)
    with blocking.Client({"version": 1}, providers={"echo": Echo()}) as c, pytest.raises(xynergy.UnavailableError):
        c.chat.completions.create(messages=chat("throw")["messages"])
