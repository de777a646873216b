"""What this library reads off the bytes of the Messages API, and what it sends there, beside Anthropic's official SDK (PyPI `anthropic`).

Both speak to one replaying server on loopback: `python3 tests/python/anthropic_wire.py`, in an environment with the SDK, once
`cargo build --example ai_wire` has been done. Answers, whole and streamed in pieces of random sizes, have to say the same;
requests in Anthropic's own words have to be the same; those in OpenAI's have to be valid by the SDK's types. The recorded exchanges
are read where they are. What differs on purpose stands in `ON_PURPOSE`, with the reason.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import subprocess
import sys
import threading
import warnings
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT / ".." / "shared" / "data" / "exchanges"
HELLO = {"model": "claude-haiku-4-5", "max_tokens": 99, "messages": [{"role": "user", "content": "Hi"}]}

ON_PURPOSE = {
    "cut": "A stream that ends without a stop reason is a message to the SDK; here it is an error.",
    "text": "A text is a list of one block here, which means the same.",
}

FINISH = {
    "end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "model_context_window_exceeded": "length",
    "tool_use": "tool_calls", "refusal": "content_filter", "pause_turn": "pause_turn",
}  # fmt: skip

KINDS = {
    "invalid_request_error": {"rejected", "context_too_long"}, "authentication_error": {"unauthorized"},
    "billing_error": {"unauthorized"}, "permission_error": {"unauthorized"}, "not_found_error": {"not_found"},
    "request_too_large": {"context_too_long"}, "rate_limit_error": {"throttled"}, "api_error": {"unavailable"},
    "timeout_error": {"unavailable"}, "overloaded_error": {"unavailable"},
}  # fmt: skip


@dataclass
class Case:
    """An answer, and the request that it is the answer to."""

    name: str
    body: bytes
    status: int = 200
    stream: bool = False
    request: dict[str, Any] = field(default_factory=lambda: dict(HELLO))
    seen: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


def message(content: list[dict[str, Any]], stop: str | None, usage: dict[str, Any]) -> dict[str, Any]:
    """A message as the API answers."""
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5", "content": content,
        "stop_reason": stop, "stop_sequence": None, "usage": usage,
    }  # fmt: skip


def events(answer: dict[str, Any], cut: bool = False) -> list[dict[str, Any]]:
    """The same message, streamed."""
    usage = answer["usage"]
    begun = answer | {"content": [], "stop_reason": None, "usage": usage | {"output_tokens": 1}}
    made: list[dict[str, Any]] = [{"type": "message_start", "message": begun}, {"type": "ping"}]
    for index, block in enumerate(answer["content"]):
        deltas: list[dict[str, Any]] = []
        start = dict(block)
        for name, kind in (("text", "text_delta"), ("thinking", "thinking_delta"), ("signature", "signature_delta")):
            if name in block:
                start[name] = ""
                pieces = [block[name]] if name == "signature" else list(block[name])
                deltas += [{"type": kind, name: piece} for piece in pieces]
        if block.get("citations"):
            start["citations"] = []
            deltas += [{"type": "citations_delta", "citation": one} for one in block["citations"]]
        if block.get("input"):
            start["input"] = {}
            written = json.dumps(block["input"])
            deltas += [{"type": "input_json_delta", "partial_json": piece} for piece in ["", *written]]
        made.append({"type": "content_block_start", "index": index, "content_block": start})
        made += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        made.append({"type": "content_block_stop", "index": index})
    if cut:
        return made
    reported = {key: value for key, value in usage.items() if key != "cache_creation"}
    end = {"stop_reason": answer["stop_reason"], "stop_sequence": None}
    # Totals that come twice count once.
    made.append({"type": "message_delta", "delta": {"stop_reason": None, "stop_sequence": None}, "usage": reported | {"output_tokens": 2}})
    made.append({"type": "message_delta", "delta": end, "usage": reported})
    return [*made, {"type": "message_stop"}]


def sse(parts: list[dict[str, Any]]) -> bytes:
    """Events as they are on the wire."""
    return "".join(f"event: {part['type']}\ndata: {json.dumps(part, ensure_ascii=False)}\n\n" for part in parts).encode()


def written() -> list[Case]:
    """What no recording has."""
    usage = {
        "input_tokens": 7, "cache_creation_input_tokens": 300, "cache_read_input_tokens": 1200, "output_tokens": 55,
        "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
        "output_tokens_details": {"thinking_tokens": 20},
    }  # fmt: skip
    page = {"type": "web_search_result", "url": "https://x.example", "title": "X", "encrypted_content": "e", "page_age": None}
    quoted = {
        "type": "char_location", "cited_text": "so", "document_index": 0, "document_title": None, "file_id": None,
        "start_char_index": 0, "end_char_index": 2,
    }  # fmt: skip
    many: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": "Hmm, é😀\n", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "b3BhcXVl"},
        {"type": "text", "text": "I \"look\"\\."},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "é"}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [page]},
        {"type": "text", "text": "It is so.", "citations": [quoted]},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"b": [1, 2.5, {"é": None}], "a": "\n"}},
        {"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}},
    ]
    cases = []
    for stop in FINISH:
        answer = message([{"type": "text", "text": "x"}], stop, usage)
        cases += [Case(stop, json.dumps(answer).encode()), Case(f"{stop}, streamed", sse(events(answer)), stream=True)]
    answer = message(many, "tool_use", usage)
    cases += [Case("blocks", json.dumps(answer).encode()), Case("blocks, streamed", sse(events(answer)), stream=True)]
    cases.append(Case("cut", sse(events(answer, cut=True)), stream=True))
    for status, kind in (
        (400, "invalid_request_error"), (401, "authentication_error"), (402, "billing_error"), (403, "permission_error"),
        (404, "not_found_error"), (413, "request_too_large"), (429, "rate_limit_error"), (500, "api_error"),
        (504, "timeout_error"), (529, "overloaded_error"),
    ):  # fmt: skip
        error = {"type": "error", "error": {"type": kind, "message": "it says why"}, "request_id": "req_1"}
        cases.append(Case(f"{status}", json.dumps(error).encode(), status))
        broken = sse([*events(answer, cut=True)[:-3], error])
        cases.append(Case(f"{kind} in a stream", broken, stream=True))
    return cases


def recorded() -> list[Case]:
    """The recorded exchanges with Anthropic."""
    if not RECORDED.is_dir():
        print("skipped: ../shared/data/exchanges is absent")
        return []
    cases = []
    for folder in sorted(RECORDED.iterdir()):
        meta = json.loads((folder / "meta.json").read_text())
        if "api.anthropic.com/v1/messages" not in meta["url"]:
            continue
        request = json.loads((folder / "request.json").read_text())
        body = (folder / "response.body").read_bytes()
        request.pop("stream", None)
        cases.append(Case(folder.name, body, meta["status"], bool(meta["sse"]), request))
    assert cases, f"nothing of Anthropic's in {RECORDED}"
    return cases


def openai_requests() -> list[Case]:
    """Requests in OpenAI's words, to be valid in Anthropic's."""
    tool = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}}}
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    rich = {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [
                {"type": "text", "text": "Look", "cache_control": {"type": "ephemeral"}},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}},
                {"type": "image_url", "image_url": {"url": "https://x.example/a.jpg"}},
                {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBE", "filename": "a.pdf"}},
            ]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": "7"},
        ],
        "tools": [tool], "tool_choice": "required", "parallel_tool_calls": False, "stop": "END", "user": "u", "seed": 1,
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
    }  # fmt: skip
    plain = {"messages": [{"role": "user", "content": "Hi"}], "max_completion_tokens": 4000, "temperature": 1.7}
    answer = json.dumps(message([{"type": "text", "text": "x"}], "end_turn", {"input_tokens": 1, "output_tokens": 1})).encode()
    asked = {
        "rich": rich,
        "plain": plain,
        "effort": plain | {"reasoning_effort": "high"},
        "effort of a newer model": plain | {"reasoning_effort": "xhigh", "model": "claude-opus-4-7"},
        "named tool": plain | {"tools": [tool], "tool_choice": {"type": "function", "function": {"name": "f"}}},
    }
    cases = [Case(name, answer, request=request) for name, request in asked.items()]
    if RECORDED.is_dir():
        for folder in sorted(RECORDED.iterdir()):
            if "openai_chat" in folder.name and "n2" not in folder.name and (folder / "request.json").exists():
                request = json.loads((folder / "request.json").read_text())
                if "functions" not in request:
                    cases.append(Case(folder.name, answer, request=request | {"model": "claude-haiku-4-5"}))
    return cases


def serve(cases: list[Case]) -> ThreadingHTTPServer:
    """A server on a free port that answers `/NUMBER/v1/messages` with a case, streams in pieces of random sizes."""
    pieces = random.Random(5)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            case = cases[int(self.path.split("/")[1])]
            length = int(self.headers.get("content-length") or 0)
            case.seen.append(json.loads(self.rfile.read(length)) | {"path": self.path})
            case.headers.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(case.status)
            self.send_header("content-type", "text/event-stream" if case.stream and case.status == 200 else "application/json")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            rest = case.body
            while rest:
                size = pieces.randint(1, 400)
                piece, rest = rest[:size], rest[size:]
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def of_sdk(sdk: Any, address: str, number: int, case: Case) -> dict[str, Any]:
    """What the official SDK reads."""
    client = sdk.Anthropic(api_key="KEY", base_url=f"{address}/{number}", max_retries=0, timeout=30)
    try:
        if case.stream:
            with client.messages.stream(**case.request) as stream:
                return dict(stream.get_final_message().to_dict())
        return dict(client.messages.create(**case.request).to_dict())
    except sdk.APIStatusError as error:
        return {"error": error.body["error"]["type"]}


def of_ours(address: str, cases: list[Case]) -> list[dict[str, Any]]:
    """What this library reads."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    lines = []
    for number, case in enumerate(cases):
        model = case.request.get("model")
        request = case.request | {"model": f"anthropic/{model}" if model else ""}
        provider = {"base_url": f"{address}/{number}/v1", "api_key": {"env": "KEY"}}
        ai = {"providers": {"anthropic": provider}, "retry": {"max_retries": 0}}
        call = "stream" if case.stream else "chat"
        lines.append(json.dumps({"ai": ai, "secrets": {"KEY": "KEY"}, "call": call, "request": request}))
    command = [str(target / "debug" / "examples" / "ai_wire")]
    ran = subprocess.run(command, input="\n".join(lines), check=False, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def differences(case: Case, theirs: dict[str, Any], mine: dict[str, Any]) -> list[str]:
    """How the two readings of one answer differ that should not."""
    if case.name == "cut":
        assert theirs["stop_reason"] is None, "the SDK notices a cut by now: drop that from ON_PURPOSE"
        return [] if mine.get("error", {}).get("kind") == "unavailable" else [f"cut: {mine}"]
    if "error" in theirs or "error" in mine:
        kind = mine.get("error", {}).get("kind")
        return [] if kind in KINDS.get(theirs.get("error", ""), {}) else [f"{case.name}: SDK {theirs}, here {mine}"]
    blocks = theirs["content"]
    choice = mine["choices"][0]
    said = choice["message"]
    usage, counted = theirs["usage"], mine["usage"]
    cached = usage.get("cache_read_input_tokens") or 0
    made = usage.get("cache_creation_input_tokens") or 0
    pairs = {
        "id": (theirs["id"], mine["id"]),
        "model": (theirs["model"], mine["model"]),
        "text": ("".join(block["text"] for block in blocks if block["type"] == "text"), said.get("content") or ""),
        "thinking": (
            "".join(block["thinking"] for block in blocks if block["type"] == "thinking"),
            said.get("reasoning_content", ""),
        ),
        "tools": (
            [(block["id"], block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"],
            [
                (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
                for call in said.get("tool_calls", [])
            ],
        ),
        "finish": (FINISH[theirs["stop_reason"]], choice["finish_reason"]),
        "outcome": (theirs["stop_reason"] in ("end_turn", "stop_sequence", "tool_use"), mine["outcome"] == "complete"),
        "prompt": (usage["input_tokens"] + cached + made, counted["prompt_tokens"]),
        "cached": (cached, counted["prompt_tokens_details"]["cached_tokens"]),
        "written": (made, counted["prompt_tokens_details"]["cache_write_tokens"]),
        "output": (usage["output_tokens"], counted["completion_tokens"]),
        "periods": (usage.get("cache_creation"), counted.get("cache_creation")),
    }
    if any(block["type"] not in ("text", "tool_use") for block in blocks):
        # The SDK writes absent fields of blocks as null.
        pairs["blocks"] = (bare(blocks), bare(said["anthropic_content"]))
    return [f"{case.name}: {what}: SDK {one!r}, here {other!r}" for what, (one, other) in pairs.items() if one != other]


def bare(value: Any) -> Any:
    """The same without what is null or empty, and without what the SDK itself adds."""
    if isinstance(value, dict):
        return {key: bare(part) for key, part in value.items() if part not in (None, []) and key != "parsed_output"}
    return [bare(part) for part in value] if isinstance(value, list) else value


def as_blocks(request: dict[str, Any]) -> dict[str, Any]:
    """The request with each text as a list of one block."""

    def blocks(content: Any) -> Any:
        return [{"type": "text", "text": content}] if isinstance(content, str) else content

    messages = [turn | {"content": blocks(turn["content"])} for turn in request["messages"]]
    made = {key: value for key, value in request.items() if key != "path" and value is not None}
    made["messages"] = messages
    if "system" in made:
        made["system"] = blocks(made["system"])
    if not made.get("stream"):
        made.pop("stream", None)
    return made


def invalid(sdk: Any, body: dict[str, Any]) -> str | None:
    """Why a request is not valid by the SDK's types, if it is not."""
    pydantic = importlib.import_module("pydantic")
    kind = importlib.import_module("anthropic.types.message_create_params").MessageCreateParamsNonStreaming
    asked = {key: value for key, value in body.items() if key != "path"}
    unknown = set(asked) - set(kind.__annotations__) - set(kind.__mro__[0].__annotations__) - {"temperature", "top_p", "top_k"}
    if unknown:
        return f"unknown fields {unknown}"
    # It has to live until the lists are read.
    adapter = pydantic.TypeAdapter(kind)
    try:
        exhaust(adapter.validate_python(asked))
    except pydantic.ValidationError as error:
        return str(error)
    return None


def exhaust(value: Any) -> None:
    """Lists are validated as they are read."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, (str, bytes)) and hasattr(value, "__iter__"):
        for part in value:
            exhaust(part)


def main() -> int:
    """Compares every case; 1 when one differs."""
    warnings.simplefilter("ignore", DeprecationWarning)
    sdk = importlib.import_module("anthropic")
    answers = recorded() + written()
    asked = openai_requests()
    cases = answers + asked
    server = serve(cases)
    address = f"http://127.0.0.1:{server.server_address[1]}"
    ours = of_ours(address, cases)
    assert len(ours) == len(cases), ours
    problems = []
    for number, (case, mine) in enumerate(zip(answers, ours, strict=False)):
        problems += differences(case, of_sdk(sdk, address, number, case), mine)
        sent, expected = as_blocks(case.seen[0]), as_blocks(case.seen[1])
        if sent != expected:
            problems.append(f"{case.name}: the request: SDK {expected}, here {sent}")
        if case.seen[0]["path"] != case.seen[1]["path"].split("?")[0]:
            problems.append(f"{case.name}: the path: SDK {case.seen[1]['path']}, here {case.seen[0]['path']}")
        for header in ("anthropic-version", "x-api-key", "content-type"):
            if case.headers[0].get(header) != case.headers[1].get(header):
                problems.append(f"{case.name}: {header}: SDK {case.headers[1].get(header)}, here {case.headers[0].get(header)}")
    for case, mine in zip(asked, ours[len(answers) :], strict=True):
        why = invalid(sdk, case.seen[0]) if case.seen else f"not sent: {mine}"
        if why:
            problems.append(f"{case.name}: {why}")
    broken = {key: value for key, value in asked[0].seen[0].items() if key != "max_tokens"}
    assert invalid(sdk, broken), "the SDK's types refuse nothing"
    wrong = asked[0].seen[0] | {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}
    assert invalid(sdk, wrong), "the SDK's types refuse no block"
    for problem in problems:
        print(f"differs: {problem}")
    if not problems:
        print(f"{len(answers)} answers are read the same and {len(asked)} requests are valid, but for: {', '.join(ON_PURPOSE)}")
    server.shutdown()
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
