"""Records with pydantic, FastAPI, pandas, pickle, notebooks and copies."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import xynergy
from conftest import chat, client, run

GENERATION: Any = {
    "text": "hi",
    "provider": "p",
    "model": "m",
    "tokens_used": 3,
    "cost": None,
    "cost_nano_usd": 2**60 + 1,
    "cache_hit": False,
    "routed_via": "complexity",
    "request_id": "r",
    "token_optimization": {"original_limit": 512, "optimized_limit": 256, "complexity": "simple", "savings_percent": 50},
    "finish": "stop",
    "outcome": "complete",
    "attempts": [{"provider": "p", "model": "m", "status": "answered", "latency_ms": 3}],
}


def test_records_are_values() -> None:
    made = xynergy.Generation(GENERATION)
    assert made.text == made["text"] == "hi" and made == GENERATION and made == xynergy.Generation(GENERATION)
    assert made.token_optimization.complexity == "simple" and made.attempts[0].latency_ms == 3
    assert made["attempts"][0]["status"] == "answered" and made.get("nothing", 5) == 5
    assert dict(made)["text"] == "hi" and {**made.to_dict()} == GENERATION and "text" in made and len(made) == len(GENERATION)
    assert xynergy.Generation(text="x").text == "x" and xynergy.Generation(text="x").finish is None
    with pytest.raises(AttributeError, match="txt.*it has text"):
        made.txt  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(AttributeError, match="cannot be changed"):
        made.text = "y"
    with pytest.raises(KeyError):
        made["txt"]
    plain = made.to_dict()
    plain["attempts"][0]["latency_ms"] = 99
    assert made.attempts[0].latency_ms == 3
    for restored in (pickle.loads(pickle.dumps(made)), copy.copy(made), copy.deepcopy(made)):
        assert restored == made and type(restored) is xynergy.Generation
    listed = pickle.loads(pickle.dumps(made.attempts))
    assert listed == made.attempts and type(listed).__name__ == "Records"
    assert "text='hi'" in repr(made) and repr(xynergy.Attempt(provider="p")) == "Attempt(provider='p')"
    assert made.attempts[0] != xynergy.Attempt(provider="p") and (made == 3) is False
    with pytest.raises(TypeError):
        hash(made)
    assert xynergy.PlannedOutcome(from_=3).from_ == 3 and xynergy.PlannedOutcome({"from": 4}).to_dict() == {"from": 4}
    assert {"text", "to_pandas"} <= set(dir(made))


def test_unknown_fields_are_kept() -> None:
    made = xynergy.ChatResponse({"id": "x", "choices": [], "system_fingerprint": "fp", "extra": {"deep": [{"a": 1}]}})
    assert made.system_fingerprint == "fp" and made.extra.deep[0].a == 1
    with pytest.raises(AttributeError):
        made.nothing  # noqa: B018


def test_errors_pickle_and_show() -> None:
    error = xynergy.ThrottledError("slow", operation="ai.chat", retryable=True, retry_after_ms=5, context={"a": 1})
    restored = pickle.loads(pickle.dumps(error))
    assert type(restored) is xynergy.ThrottledError and restored.to_dict() == error.to_dict() and str(error) == "ai.chat: slow"
    late = pickle.loads(pickle.dumps(xynergy.TimeoutError("late")))
    assert isinstance(late, TimeoutError) and late.message == "late" and str(late) == "host: late"


def test_a_notebook_shows_tables() -> None:
    shown = xynergy.Generation({**GENERATION, "text": "<script>"})._repr_html_()
    assert shown.startswith("<table>") and "&lt;script&gt;" in shown and "<script>" not in shown and "token_optimization.complexity" in shown
    many = xynergy.Records([xynergy.Attempt(provider=str(i)) for i in range(300)])._repr_html_()
    assert "100 more rows" in many and many.count("<tr>") == 201


def test_pandas_keeps_integers() -> None:
    pytest.importorskip("pandas")
    frame = xynergy.Generation(GENERATION).to_pandas()
    assert int(frame["cost_nano_usd"][0]) == 2**60 + 1 and frame["token_optimization.complexity"][0] == "simple"
    rows = xynergy.Records([xynergy.Attempt(latency_ms=2**60 + 1), xynergy.Attempt(latency_ms=None), xynergy.Attempt()])
    column = rows.to_pandas()["latency_ms"]
    assert column[0] == 2**60 + 1 and len(column) == 3 and column.isna().sum() == 2


def test_pydantic() -> None:
    pydantic = pytest.importorskip("pydantic")

    class Holder(pydantic.BaseModel):  # type: ignore[misc, name-defined]
        answer: xynergy.Generation
        attempts: list[xynergy.Attempt] = []

    held = Holder(answer=GENERATION)
    assert type(held.answer) is xynergy.Generation and held.model_dump()["answer"] == GENERATION
    assert Holder(answer=xynergy.Generation(GENERATION)).model_dump_json() == held.model_dump_json()
    assert Holder.model_validate_json(held.model_dump_json()) == held
    with pytest.raises(pydantic.ValidationError, match="tokens_used"):
        Holder(answer={**GENERATION, "tokens_used": "many"})
    with pytest.raises(pydantic.ValidationError, match="text"):
        Holder(answer={"provider": "p"})
    schema = Holder.model_json_schema()["properties"]["answer"]
    assert schema["properties"]["tokens_used"]["type"] == "integer" and "text" in schema["required"], schema
    for name in dir(xynergy):
        record = getattr(xynergy, name)
        if isinstance(record, type) and issubclass(record, xynergy.Record):
            assert pydantic.TypeAdapter(record).json_schema(), name


def test_fastapi_response_model() -> None:
    fastapi = pytest.importorskip("fastapi")
    pytest.importorskip("httpx")
    from fastapi.testclient import TestClient

    app = fastapi.FastAPI()

    @app.get("/ask", response_model=xynergy.Generation)
    async def ask() -> Any:
        async with client() as c:
            return await c.ai.generate("hi")

    @app.get("/chat")
    async def talk() -> xynergy.ChatResponse:
        async with client() as c:
            return await c.ai.chat(chat("hi"))

    @app.get("/list", response_model=list[xynergy.Attempt])
    async def several() -> Any:
        return xynergy.Records([xynergy.Attempt(GENERATION["attempts"][0])])

    @app.post("/take")
    async def take(given: xynergy.Generation = fastapi.Body()) -> str:  # noqa: B008
        assert isinstance(given, xynergy.Generation)
        return given.text

    http = TestClient(app)
    asked = http.get("/ask").json()
    assert asked["text"] == "default said hi" and asked["outcome"] == "complete" and isinstance(asked["cost_nano_usd"], (int, type(None)))
    assert http.get("/chat").json()["choices"][0]["message"]["content"] == "default said hi"
    assert http.get("/list").json() == GENERATION["attempts"]
    assert http.post("/take", json=GENERATION).json() == "hi"
    assert http.post("/take", json={"text": 3}).status_code == 422
    schema = http.get("/openapi.json").json()
    answer = schema["paths"]["/ask"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert "text" in str(answer) and "tokens_used" in str(answer)


def test_pydantic_values_as_arguments() -> None:
    pydantic = pytest.importorskip("pydantic")

    class Message(pydantic.BaseModel):  # type: ignore[misc, name-defined]
        role: str
        content: str

    async def work() -> None:
        async with client() as c:
            request: Any = {"messages": (Message(role="user", content="x"),)}
            assert (await c.ai.chat(request)).choices[0].message.content == "default said x"

    run(work())
