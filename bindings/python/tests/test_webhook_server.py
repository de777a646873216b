"""The example of a server of webhooks, started as its users start it, and called as HubSpot and a backend of one's own call it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from test_examples import EXAMPLES

import xynergy

from conftest import run
from test_process import free_port

SECRET = "hubspot-secret"
KEY = b"0123456789abcdef01234567"
PUBLIC = "https://hooks.example/webhooks/hubspot"


def mac(key: bytes, text: str) -> str:
    return base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()


def by_hubspot(body: str, secret: str = SECRET) -> dict[str, str]:
    stamp = str(int(time.time() * 1000))
    return {
        "X-HubSpot-Signature-v3": mac(secret.encode(), f"POST{PUBLIC}{body}{stamp}"),
        "X-HubSpot-Request-Timestamp": stamp,
    }


def by_own(body: str, key: bytes = KEY) -> dict[str, str]:
    stamp = str(int(time.time()))
    signature = mac(key, f"msg_1.{stamp}.{body}")
    return {"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": f"v1,{signature}"}


def send(url: str, body: str, headers: dict[str, str]) -> tuple[int, Any]:
    request = urllib.request.Request(url, body.encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """The server on a free port; its end has to be a graceful one."""
    port = free_port()
    (folder / "xynergy.toml").write_text(f"""
version = 1
[store]
type = "sqlite"
path = "{folder / "x.db"}"
[hubspot]
client_secret = {{ env = "HUBSPOT_CLIENT_SECRET" }}
webhook_urls = ["{PUBLIC}"]
[webhooks]
secrets = [{{ env = "WEBHOOK_SECRET" }}]
""")
    env = {
        "PATH": "/usr/bin:/bin",
        "XYNERGY_TOML": str(folder / "xynergy.toml"),
        "HUBSPOT_CLIENT_SECRET": SECRET,
        "WEBHOOK_SECRET": "whsec_" + base64.b64encode(KEY).decode(),
    }
    command = [sys.executable, "-m", "uvicorn", "webhook_server:app", "--port", str(port), "--log-level", "warning"]
    process = subprocess.Popen(command, cwd=EXAMPLES, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{base}/openapi.json", timeout=5).close()
                break
            except OSError:
                time.sleep(0.05)
        yield base
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            said, _ = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            pytest.fail("it did not end")
    assert "Traceback" not in said and "panicked" not in said, said


def test_deliveries_are_stored_and_refused_as_they_should_be(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn")
    deal = {"type": "deal.updated", "timestamp": datetime.now(timezone.utc).isoformat(), "data": {"deal_id": "D-1", "stage": "closedwon"}}
    own = json.dumps(deal)
    event = {
        "eventId": 1, "portalId": 1, "subscriptionType": "contact.creation", "objectId": 7,
        "occurredAt": int(time.time() * 1000),
    }
    body = json.dumps([event])
    with server(tmp_path) as base:
        hubspot, deals = f"{base}/webhooks/hubspot", f"{base}/webhooks/deals"
        status, answer = send(hubspot, body, by_hubspot(body))
        assert (status, answer["events"]) == (200, 1), answer
        assert send(hubspot, body, by_hubspot(body))[1]["duplicates"] == 1
        assert send(deals, own, by_own(own))[1]["events"] == 1
        assert send(hubspot, body, by_hubspot(body, "another"))[0] == 401
        assert send(f"{hubspot}?else", body, by_hubspot(body))[0] == 401
        assert send(deals, own, by_own(own, b"another secret, 24 bytes"))[0] == 401
        assert send(deals, own, {})[0] == 401
        assert send(hubspot, "{}", by_hubspot("{}"))[0] == 400
        long = "x" * (8 * 1024 * 1024 + 1)
        assert send(deals, long, by_own(long))[0] == 413

    # What was accepted outlives the server, and whoever comes next finds it.
    async def stored() -> tuple[int, int]:
        config = {"version": 1, "store": {"type": "sqlite", "path": str(tmp_path / "x.db")}, "webhooks": {"secrets": [{"env": "W"}]}}
        async with xynergy.Client(config) as client:
            await client.webhooks.process()
            return await client.hubspot.count_events(), len(await client.attribution.deals())

    assert run(stored()) == (2, 1)
