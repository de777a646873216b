"""What this library reads of recorded answers beside what the official SDK (PyPI `openai`) reads of the same bytes.

Both speak to one replaying server on loopback: `python3 tests/python/chat_wire.py`, in an environment with the SDK, once
`cargo build --example chat_wire` has been done. Ids, models, texts, refusals, tool calls, log probabilities, reasons to end and
usage have to be the same, and errors of the same class; what differs on purpose stands in `ON_PURPOSE`, with the reason.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
EXCHANGES = ROOT.parent / "shared" / "data" / "exchanges"

ON_PURPOSE = {
    "cut": "A stream that ends without a reason is an error here, where the SDK ends as if all were well.",
    "too_long": "A prompt that is too long has a kind of its own, where the SDK has one class for every status 400.",
    "first": "Azure's first chunk has an empty id and model; the SDK keeps them, here the first that says something counts.",
    "usage": "Where the server tells no usage, it is counted here and said to be estimated.",
}

KINDS = {
    "AuthenticationError": {"unauthorized"},
    "PermissionDeniedError": {"unauthorized"},
    "NotFoundError": {"not_found"},
    "RateLimitError": {"throttled"},
    "BadRequestError": {"rejected", "context_too_long"},
    "InternalServerError": {"unavailable"},
    # An error on the way of a stream has no status of its own.
    "APIError": {"rejected", "unavailable"},
}


@dataclass
class Exchange:
    """A recorded answer."""

    status: int
    headers: dict[str, str]
    body: bytes


def recorded() -> dict[str, Exchange]:
    """The answers to chat completions by name, those that are streams begin with `stream-`; and each stream cut."""
    found = {}
    for folder in sorted(EXCHANGES.iterdir()):
        meta = json.loads((folder / "meta.json").read_text())
        if "chat/completions" not in meta.get("url", ""):
            continue
        body = (folder / "response.body").read_bytes()
        kind = "text/event-stream" if meta["sse"] else "application/json"
        exchange = Exchange(meta["status"], {"content-type": kind}, body)
        if not meta["sse"]:
            found[folder.name] = exchange
            continue
        found[f"stream-{folder.name}"] = exchange
        events = body.split(b"data: ")
        if len(events) > 5:
            found[f"stream-cut-{folder.name}"] = Exchange(200, exchange.headers, b"data: ".join(events[: len(events) // 2]))
    return found


def serve(exchanges: dict[str, Exchange]) -> ThreadingHTTPServer:
    """A server on a free port that answers `/NAME/chat/completions` as recorded."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            exchange = exchanges[self.path.split("/")[1]]
            self.send_response(exchange.status)
            for name, value in exchange.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(exchange.body)))
            self.end_headers()
            self.wfile.write(exchange.body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def by_sdk(address: str, name: str) -> dict[str, Any]:
    """What the SDK reads."""
    openai = importlib.import_module("openai")
    streaming = importlib.import_module("openai.lib.streaming.chat")
    client = openai.OpenAI(base_url=f"{address}/{name}", api_key="k", max_retries=0)
    messages = [{"role": "user", "content": "Hi"}]
    try:
        if not name.startswith("stream-"):
            return {"answer": client.chat.completions.create(model="m", messages=messages).model_dump(), "error": None}
        state = streaming.ChatCompletionStreamState()
        error = None
        try:
            for chunk in client.chat.completions.create(model="m", messages=messages, stream=True):
                state.handle_chunk(chunk)
        except openai.APIError as problem:
            error = type(problem).__name__
        except openai.LengthFinishReasonError:
            pass
        return {"answer": state.current_completion_snapshot.model_dump(), "error": error}
    except openai.APIError as problem:
        return {"answer": None, "error": type(problem).__name__}


def by_library(address: str, names: list[str]) -> dict[str, dict[str, Any]]:
    """What this library reads."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    command = [str(target / "debug" / "examples" / "chat_wire"), address, *names]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return {line["name"]: line["read"] for line in map(json.loads, ran.stdout.splitlines())}


def plain(answer: dict[str, Any]) -> dict[str, Any]:
    """What both have to agree on."""
    usage = answer.get("usage") or {}
    prompt = usage.get("prompt_tokens_details") or {}
    completion = usage.get("completion_tokens_details") or {}
    return {
        "id": answer["id"],
        "model": answer["model"],
        "choices": [choice(each) for each in answer["choices"]],
        "usage": [
            usage.get("prompt_tokens"), usage.get("completion_tokens"),
            prompt.get("cached_tokens") or 0, completion.get("reasoning_tokens") or 0,
        ],
    }  # fmt: skip


def choice(value: dict[str, Any]) -> dict[str, Any]:
    """One answer of it."""
    message = value.get("message") or {}
    logprobs = value.get("logprobs") or {}
    return {
        "index": value["index"],
        "content": message.get("content") or "",
        "refusal": message.get("refusal") or "",
        "reasoning": message.get("reasoning") or "",
        "tools": [
            (call["id"], call["type"], call["function"]["name"], call["function"]["arguments"])
            for call in message.get("tool_calls") or []
        ],
        "finish": value.get("finish_reason"),
        "logprobs": [[one["token"] for one in logprobs.get(part) or []] for part in ("content", "refusal")],
    }


def compare(name: str, sdk: dict[str, Any], own: dict[str, Any]) -> list[str]:
    """How the two differ that should not."""
    kind = own["error"]["kind"] if own.get("error") else None
    if name.startswith("stream-cut-"):
        if sdk["error"] is None and kind != "unavailable":
            return [f"{name}: a cut stream is {kind} here"]
    elif sdk["error"] is None and kind is not None:
        return [f"{name}: the SDK reads an answer, here {kind}"]
    elif sdk["error"] is not None and kind not in KINDS[sdk["error"]]:
        return [f"{name}: SDK {sdk['error']}, here {kind}"]
    if sdk["answer"] is None:
        return []
    theirs, mine = plain(sdk["answer"]), plain(own["answer"])
    if sdk["answer"].get("usage") is None:
        theirs["usage"] = mine["usage"]
    for part in ("id", "model"):
        theirs[part] = theirs[part] or mine[part]
    return [f"{name}: {part}: SDK {theirs[part]}, here {mine[part]}" for part in theirs if theirs[part] != mine[part]]


def main() -> int:
    """Compares every exchange; 1 when one differs."""
    if not EXCHANGES.is_dir():
        print("skipped: ../shared/data/exchanges is absent")
        return 0
    exchanges = recorded()
    server = serve(exchanges)
    address = f"http://127.0.0.1:{server.server_address[1]}"
    own = by_library(address, list(exchanges))
    problems = []
    for name in exchanges:
        problems += compare(name, by_sdk(address, name), own[name])
    for problem in problems:
        print(f"differs: {problem}")
    if not problems:
        print(f"{len(exchanges)} answers are read as by the SDK, but for: {', '.join(ON_PURPOSE)}")
    server.shutdown()
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
