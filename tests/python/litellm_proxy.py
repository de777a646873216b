"""This library against LiteLLM's proxy with mock models, in the place of a provider.

`python3 tests/python/litellm_proxy.py`, in an environment with PyPI's `litellm[proxy]`, once `cargo build --example ai_wire` has
been done. The proxy runs on a free port of loopback; behind it stand its own mocks, and for what they cannot do (streamed tool
calls, streams that end too soon) a server of this file. Part of `tests/run full`.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
MASTER = "sk-" + secrets.token_hex(20)
WRONG = "sk-" + secrets.token_hex(20)
START_SECONDS = 180
TEXT = "Hello from the mock, in a few more words than one."
CALLS = [("call_1", "weather", '{"city": "Paris"}'), ("call_2", "weather", '{"city": "Rome"}')]

ON_PURPOSE = {
    "n": "The proxy's stream of two answers gives a reason to end for the first alone: without one, nothing is called complete.",
    "embeddings": "The proxy's mock gives one vector for any number of texts: that is an error, not a short list.",
}

# What the mocks of LiteLLM say that is an error, and the kind that it has here.
FAULTS = {
    "limited": "throttled",
    "broken": "unavailable",
    "overloaded": "unavailable",
    "away": "unavailable",
    "timed_out": "unavailable",
    "slow": "timeout",
    "too_long": "context_too_long",
    "filtered": "content_filtered",
    "nowhere": "not_found",
}
# Those that another model of the same route answers; the others have a list of their own.
NEXT = [name for name, kind in FAULTS.items() if kind not in ("context_too_long", "content_filtered")]


def config(upstream: str) -> dict[str, Any]:
    """The proxy's configuration."""

    def model(name: str, kind: str = "openai/gpt-4o-mini", **params: Any) -> dict[str, Any]:
        return {"model_name": name, "litellm_params": {"model": kind, "api_key": "x", "api_base": f"{upstream}/v1"} | params}

    call = CALLS[0]
    return {
        "model_list": [
            model("gpt-4o-mini", mock_response=TEXT),
            model("claude", "anthropic/claude-haiku-4-5", mock_response="Bonjour."),
            model("limited", mock_response="litellm.RateLimitError"),
            model("broken", mock_response="litellm.InternalServerError"),
            model("overloaded", mock_response="Exception: mock_streaming_error"),
            model("too_long", mock_response="litellm.ContextWindowExceededError"),
            model("filtered", "azure/gpt-4o-mini", mock_response="Exception: content_filter_policy"),
            model("timed_out", mock_timeout=True, timeout=0.2),
            model("slow", mock_response="Late.", mock_delay=8),
            model("away", api_base="http://127.0.0.1:9/v1"),
            model(
                "one_tool",
                mock_response="",
                mock_tool_calls=[{"id": call[0], "type": "function", "function": {"name": call[1], "arguments": call[2]}}],
            ),
            model("embed", "openai/text-embedding-3-small", mock_response=[0.25, -0.5, 0.125]),
            *(model(name, f"openai/{name}") for name in ("tools", "cut", "failing")),
        ],
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        "litellm_settings": {"num_retries": 0},
        "general_settings": {"master_key": MASTER},
    }


class Upstream(BaseHTTPRequestHandler):
    """Streams that the proxy's mocks do not have."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for event in self.events(asked["model"]):
            data = b"data: " + (event if isinstance(event, bytes) else json.dumps(event).encode()) + b"\n\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()
        if asked["model"] == "cut":
            # What came before the end is read before it is seen.
            time.sleep(0.3)
        else:
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    @staticmethod
    def events(model: str) -> Iterator[dict[str, Any] | bytes]:
        def chunk(delta: dict[str, Any], **more: Any) -> dict[str, Any]:
            choice = {"index": 0, "delta": delta, "finish_reason": None} | more
            return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": [choice]}

        if model != "tools":
            yield from (chunk({"role": "assistant", "content": word}) for word in ("One ", "two ", "three "))
            if model == "failing":
                yield {"error": {"message": "The server had an error", "type": "server_error", "code": None, "param": None}}
            return
        for index, (call, name, arguments) in enumerate(CALLS):
            head = {"index": index, "id": call, "type": "function", "function": {"name": name, "arguments": ""}}
            yield chunk({"role": "assistant", "content": None, "tool_calls": [head]})
            for letter in arguments:
                yield chunk({"tool_calls": [{"index": index, "function": {"arguments": letter}}]})
        yield chunk({}, finish_reason="tool_calls")
        usage = {"prompt_tokens": 11, "completion_tokens": 22, "total_tokens": 33}
        yield chunk({}) | {"choices": [], "usage": usage}
        yield b"[DONE]"

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def upstream() -> Iterator[str]:
    """The server behind the proxy."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()


@contextmanager
def proxy(behind: str) -> Iterator[str]:
    """LiteLLM's proxy on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        # Every JSON is YAML.
        Path(folder, "config.yaml").write_text(json.dumps(config(behind)))
        told = Path(folder, "log")
        command = [str(Path(sys.executable).parent / "litellm"), "--config", "config.yaml"]
        with told.open("wb") as log:
            running = subprocess.Popen(
                [*command, "--host", "127.0.0.1", "--port", str(port)],
                cwd=folder,
                # The map of prices comes with the package.
                env=os.environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "PYTHONUNBUFFERED": "1"},
                stdout=log,
                stderr=log,
            )
        try:
            until = time.monotonic() + START_SECONDS
            while not answers(f"http://127.0.0.1:{port}/health/liveliness"):
                ended = running.poll() is not None or time.monotonic() > until
                assert not ended, f"the proxy does not start:\n{told.read_text()[-4000:]}"
                time.sleep(0.3)
            yield f"http://127.0.0.1:{port}"
        finally:
            running.terminate()
            running.wait(30)


def answers(url: str) -> bool:
    """Whether a server is there."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@dataclass
class Case:
    """A call, and what is wrong with its answer."""

    name: str
    line: dict[str, Any]
    wrong: Callable[[dict[str, Any]], str | None]


@dataclass
class Cases:
    """What is asked of the proxy at this address."""

    address: str
    all: list[Case] = field(default_factory=list)

    def ask(
        self,
        name: str,
        call: str,
        model: str,
        wrong: Callable[[dict[str, Any]], str | None],
        *,
        provider: dict[str, Any] | None = None,
        request: dict[str, Any] | None = None,
        **ai: Any,
    ) -> None:
        """One call of this provider's model, or of a route."""
        settings = {"type": "openai_compatible", "base_url": f"{self.address}/v1", "api_key": {"env": "KEY"}, "model": "none"}
        asked: dict[str, Any] = {"model": model if "routes" in ai else f"proxy/{model}"}
        asked |= {"input": ["a"]} if call == "embed" else {"messages": [{"role": "user", "content": "hi"}]}
        whole = {"providers": {"proxy": settings | (provider or {})}, "retry": {"max_retries": 0}} | ai
        line = {"ai": whole, "secrets": {"KEY": MASTER, "WRONG": WRONG}, "call": call, "request": asked | (request or {})}
        self.all.append(Case(f"{name}, {call}", line, wrong))


def fails(kind: str) -> Callable[[dict[str, Any]], str | None]:
    """Expects an error of this kind."""

    def wrong(answer: dict[str, Any]) -> str | None:
        got = (answer.get("error") or {}).get("kind") if "shown" in answer else None
        return None if got == kind else f"expected {kind}, got {json.dumps(answer)[:600]}"

    return wrong


def says(text: str, **expected: Any) -> Callable[[dict[str, Any]], str | None]:
    """Expects a complete answer of this text, with this usage, calls and number of attempts."""

    def wrong(answer: dict[str, Any]) -> str | None:
        if "shown" in answer:
            return json.dumps(answer["error"])
        choices, usage = answer["choices"], answer["usage"]
        calls = choices[0]["message"].get("tool_calls") or []
        pairs = {
            "outcome": (answer["outcome"], "complete"),
            "texts": ({choice["message"].get("content") or "" for choice in choices}, {text}),
            "reasons": (all(choice.get("finish_reason") for choice in choices), True),
            "count": (len(choices), expected.get("count", 1)),
            "usage": (
                (usage["prompt_tokens"], usage["completion_tokens"]),
                expected.get("usage", (usage["prompt_tokens"] or 1, usage["completion_tokens"])),
            ),
            "estimated": (usage.get("estimated"), None),
            "calls": (
                [(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in calls],
                expected.get("calls", []),
            ),
            "attempts": (len(answer["xynergy"]["attempts"]), expected.get("attempts", 1)),
        }
        found = [f"{name}: {got!r}, not {wanted!r}" for name, (got, wanted) in pairs.items() if got != wanted]
        return "; ".join(found) or None

    return wrong


def cases(address: str) -> list[Case]:
    """Everything that is asked."""
    made = Cases(address)
    anthropic, responses = {"type": "anthropic"}, {"type": "openai_responses"}
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    parameters = {
        "stop": ["x"], "max_tokens": 30, "temperature": 0, "top_p": 1, "seed": 4, "user": "u", "tools": [tool],
        "response_format": {"type": "json_object"}, "presence_penalty": 0.5, "metadata": {"a": "b"}, "service_tier": "auto",
    }  # fmt: skip
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    for call in ("chat", "stream"):
        # What the mock counts of a whole answer is fixed; of a stream it counts itself.
        usage = (10, 20) if call == "chat" else (8, 13)
        plain = says(TEXT, usage=usage)
        for dialect in (
            "openai", "openrouter", "groq", "mistral", "deepseek", "ollama", "vllm", "llama_cpp", "abacus", "internal",
        ):  # fmt: skip
            made.ask(f"dialect {dialect}", call, "gpt-4o-mini", plain, provider={"dialect": dialect})
        azure = {"dialect": "azure", "base_url": address, "api_version": "2024-10-21"}
        made.ask("dialect azure", call, "gpt-4o-mini", plain, provider=azure)
        made.ask("every parameter", call, "gpt-4o-mini", plain, request=parameters)
        said = [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, image]}]
        made.ask("an image", call, "gpt-4o-mini", says(TEXT), request={"messages": said})
        made.ask("anthropic", call, "claude", says("Bonjour.", usage=(2095, 503)), provider=anthropic)
        made.ask("a wrong key", call, "gpt-4o-mini", fails("unauthorized"), provider={"api_key": {"env": "WRONG"}})
        wrong = anthropic | {"api_key": {"env": "WRONG"}}
        made.ask("a wrong key, anthropic", call, "claude", fails("unauthorized"), provider=wrong)
        lists = {"fallbacks": {"context_too_long": ["proxy/claude"], "content_filtered": ["proxy/claude"]}}
        for fault, kind in FAULTS.items():
            short = {"timeouts": {"attempt_ms": 2_000, "first_token_ms": 2_000}} if fault == "slow" else {}
            made.ask(fault, call, fault, fails(kind), **short)
            route: dict[str, Any] = {"routes": {"best": [f"proxy/{fault}", "proxy/gpt-4o-mini"]}} | short
            if fault in NEXT:
                made.ask(f"{fault}, the next", call, "best", says(TEXT, usage=usage, attempts=2), **route)
            else:
                made.ask(f"{fault}, its list", call, "best", says("Bonjour.", attempts=2), **route, **lists)
                made.ask(f"{fault}, no list", call, "best", fails(kind), **route)
        for fault in ("limited", "broken", "too_long", "nowhere"):
            made.ask(f"{fault}, anthropic", call, fault, fails(FAULTS[fault]), provider=anthropic)
    made.ask("responses", "chat", "gpt-4o-mini", says(TEXT, usage=(36, 87)), provider=responses)
    # The proxy's own stream of mocked Responses is broken.
    made.ask("responses", "stream", "gpt-4o-mini", fails("unavailable"), provider=responses)
    made.ask("responses, a wrong key", "chat", "x", fails("unauthorized"), provider=responses | {"api_key": {"env": "WRONG"}})
    made.ask("two answers", "chat", "gpt-4o-mini", says(TEXT, count=2), request={"n": 2})
    made.ask("two answers", "stream", "gpt-4o-mini", fails("unavailable"), request={"n": 2})
    made.ask("a tool call", "chat", "one_tool", says("", calls=CALLS[:1]), request={"tools": [tool]})
    made.ask("tool calls", "stream", "tools", says("", calls=CALLS, usage=(11, 22)), request={"tools": [tool]})
    for fault in ("cut", "failing"):
        made.ask(f"a stream that is {fault}", "stream", fault, partly("One two three "))
    embeds = {"embeddings": {"model": "proxy/embed"}}
    made.ask("embeddings", "embed", "embed", embedded, **embeds)
    made.ask("embeddings of two texts", "embed", "embed", fails("corrupt"), request={"input": ["a", "b"]}, **embeds)
    made.ask("embeddings, unknown model", "embed", "nowhere", fails("not_found"), **embeds)
    wrong = {"api_key": {"env": "WRONG"}}
    made.ask("embeddings, a wrong key", "embed", "embed", fails("unauthorized"), provider=wrong, **embeds)
    return made.all


def partly(text: str) -> Callable[[dict[str, Any]], str | None]:
    """Expects an error that carries what had come."""

    def wrong(answer: dict[str, Any]) -> str | None:
        error = answer.get("error") or {}
        whole = error.get("kind") == "unavailable" and error.get("partial_text") == text
        return None if whole else json.dumps(answer)[:600]

    return wrong


def embedded(answer: dict[str, Any]) -> str | None:
    """Expects the mock's vector."""
    whole = answer.get("vectors") == [[0.25, -0.5, 0.125]] and answer.get("tokens_used") == 10
    return None if whole else json.dumps(answer)[:600]


def run(asked: list[Case]) -> list[dict[str, Any]]:
    """What this library makes of each."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    lines = "\n".join(json.dumps(case.line) for case in asked)
    command = [str(target / "debug" / "examples" / "ai_wire")]
    ran = subprocess.run(command, input=lines, check=False, capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stderr
    assert MASTER not in ran.stderr + ran.stdout, "the master key is shown"
    assert WRONG not in ran.stderr + ran.stdout, "the wrong key is shown"
    return [json.loads(line) for line in ran.stdout.splitlines()]


def main() -> int:
    """Asks everything; 1 when one answer is wrong."""
    with upstream() as behind, proxy(behind) as address:
        asked = cases(address)
        got = run(asked)
    assert len(got) == len(asked), f"{len(got)} answers to {len(asked)} calls"
    problems = [f"{case.name}: {why}" for case, answer in zip(asked, got, strict=True) if (why := case.wrong(answer))]
    for problem in problems:
        print(f"differs: {problem}")
    if not problems:
        print(f"{len(asked)} calls of LiteLLM's proxy are answered as they should be, but for: {', '.join(ON_PURPOSE)}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
