"""HTTPS to a provider: whom the operating system trusts is trusted, by the right name, and nobody else."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from conftest import clean

ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1700000000,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "over TLS"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}

ASK = """
import asyncio, sys, xynergy
async def main():
    provider = {'type': 'openai_compatible', 'base_url': sys.argv[1], 'model': 'm', 'price': {'per_request_nano_usd': 1}}
    async with xynergy.Client({'version': 1, 'ai': {'providers': {'p': provider}, 'retry': {'max_retries': 0}}}) as c:
        try:
            answer = await c.ai.generate('hi')
            print(answer.text)
        except xynergy.XynergyError as error:
            print(error.kind, error)
asyncio.run(main())
"""


class Answering(BaseHTTPRequestHandler):
    """Answers every POST alike."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps(ANSWER).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    """A server whose clients may go in the middle of the handshake."""

    def handle_error(self, request: object, client_address: object) -> None:
        pass


@pytest.fixture(params=["localhost", "elsewhere.example"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str, Path]]:
    """The name in the certificate, the address, and the file of the authority."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(request.param).configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    server = Quiet(("127.0.0.1", 0), Answering)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield request.param, f"https://localhost:{server.server_port}/v1", tmp_path / "ca.pem"
    server.shutdown()
    server.server_close()


def test_the_name_and_the_authority_are_checked(served: tuple[str, str, Path], tmp_path: Path) -> None:
    name, address, authority = served
    nobody = tmp_path / "nobody.pem"
    trustme.CA().cert_pem.write_to_path(str(nobody))
    trusted = clean(ASK, address, env={"SSL_CERT_FILE": str(authority)})
    if name == "localhost":
        assert trusted.strip() == "over TLS"
    else:
        assert trusted.startswith("unavailable") and "certificate" in trusted, trusted
    untrusted = clean(ASK, address, env={"SSL_CERT_FILE": str(nobody)})
    assert untrusted.startswith("unavailable") and "certificate" in untrusted, untrusted
