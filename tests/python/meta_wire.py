"""The requests of this library's Meta client beside those of the official SDK (PyPI `facebook_business`) for the same operations.

Both speak to one recording server on loopback: `python3 tests/python/meta_wire.py`, in an environment with the SDK, once
`cargo build --example meta_wire` has been done. Method, path and parameters have to be the same; what differs on purpose stands in
`ON_PURPOSE`, with the reason. That the token is in the header alone and a create has its tag is checked.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "TOKEN"
VERSION = "v26.0"

ON_PURPOSE = {
    "token": "The SDK sends access_token and appsecret_proof in the address, where proxies log them; here the token is a header.",
    "slash": "The SDK ends the path of an object with a slash, which Graph ignores.",
    "tag": "A created object's name has the tag behind it by which it is found again after a lost answer.",
    "limit": "Lists are read in pages of 200, the greatest that Meta takes without trouble, where the SDK leaves Meta's 25.",
    "fields": "In the body of a report's order the SDK writes fields as JSON; here they are as everywhere else, with commas.",
    "summary": "The SDK asks every list for a summary of counts, which nobody reads here.",
}

OWNER = {
    "id": "77", "account_id": "1", "name": "Set", "status": "ACTIVE", "daily_budget": "2400", "lifetime_budget": "0",
    "bid_amount": 100, "campaign_id": "5", "optimization_goal": "LEAD_GENERATION",
}  # fmt: skip


@dataclass
class Seen:
    """A request as it came."""

    method: str
    path: str
    params: dict[str, str]
    bearer: str | None
    in_address: set[str]


@dataclass
class Recorder:
    """What came since it was last asked, and whether answers to writes are lost."""

    seen: list[Seen] = field(default_factory=list)
    lose_writes: bool = False

    def take(self) -> list[Seen]:
        """Everything that came, and nothing of it again."""
        seen, self.seen = self.seen, []
        return seen


def answer(method: str, path: str) -> Any:
    """What the server says, just enough for both clients to go on."""
    last = path.rsplit("/", 1)[-1]
    if method == "POST":
        if last == "insights":
            return {"report_run_id": "99"}
        return {"success": True} if last == "77" else {"id": "123"}
    if path == f"/{VERSION}/99":
        return {"id": "99", "async_status": "Job Completed", "async_percent_completion": 100}
    if last == "77":
        return OWNER
    if last == "act_1":
        return {"id": "act_1", "account_id": "1", "currency": "USD"}
    return {"data": [OWNER] if last == "adsets" else []}


def serve(recorder: Recorder) -> ThreadingHTTPServer:
    """A server on a free port that writes everything down."""

    class Handler(BaseHTTPRequestHandler):
        def handle_request(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = self.rfile.read(length).decode()
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            path = parts.path.rstrip("/")
            token = self.headers.get("authorization")
            params = query | dict(parse_qsl(body, keep_blank_values=True))
            recorder.seen.append(Seen(self.command, path, params, token, set(query)))
            if recorder.lose_writes and self.command == "POST":
                self.close_connection = True
                self.connection.close()
                return
            text = json.dumps(answer(self.command, path)).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = handle_request

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def of_sdk(address: str) -> dict[str, Callable[[], Any]]:
    """Each operation by the official SDK."""
    session = importlib.import_module("facebook_business.session").FacebookSession
    session.GRAPH = address
    api = importlib.import_module("facebook_business.api").FacebookAdsApi
    objects = {
        name: getattr(importlib.import_module(f"facebook_business.adobjects.{name.lower()}"), name)
        for name in ("AdAccount", "AdSet")
    }
    api.init("42", "secret", TOKEN, crash_log=False, account_id="act_1")
    account, ad_set = objects["AdAccount"]("act_1"), objects["AdSet"]("77")
    insights = {"level": "ad", "time_range": {"since": "2026-03-01", "until": "2026-03-07"}, "time_increment": 1}
    figures = ["ad_id", "adset_id", "campaign_id", "impressions", "clicks", "spend"]
    log = ["event_time", "event_type", "object_id", "application_id", "extra_data"]
    story = {"page_id": "7", "link_data": {"link": "https://example.com", "message": "Buy"}}

    def report() -> None:
        job = account.get_insights(fields=figures, params=insights, is_async=True)
        job.api_get(fields=["async_status", "async_percent_completion"])
        job.get_result()

    return {
        "budget": lambda: ad_set.api_update(params={"daily_budget": 2500}),
        "bid": lambda: ad_set.api_update(params={"bid_amount": 105}),
        "pause": lambda: ad_set.api_update(params={"status": "PAUSED"}),
        "dry_run": lambda: ad_set.api_update(params={"daily_budget": 2500, "execution_options": ["validate_only"]}),
        "activities": lambda: account.get_activities(fields=log, params={"since": "1772884000"}),
        "create_campaign": lambda: account.create_campaign(
            params={"name": "C é", "objective": "OUTCOME_LEADS", "status": "PAUSED", "special_ad_categories": []}
        ),
        "create_ad_set": lambda: account.create_ad_set(
            params={
                "name": "S", "campaign_id": "1", "daily_budget": 1000, "billing_event": "IMPRESSIONS", "bid_amount": 2,
                "optimization_goal": "LEAD_GENERATION", "targeting": {"geo_locations": {"countries": ["US"]}},
                "status": "PAUSED",
            }
        ),
        "create_ad": lambda: account.create_ad(
            params={"name": "A", "adset_id": "1", "creative": {"creative_id": "9"}, "status": "PAUSED"}
        ),
        "create_creative": lambda: account.create_ad_creative(params={"name": "T", "object_story_spec": story}),
        "create_video": lambda: account.create_ad_video(params={"title": "V", "file_url": "https://example.com/v.mp4"}),
        "update": lambda: ad_set.api_update(params={"name": "Other", "targeting": {"age_min": 21}}),
        "list": lambda: account.get_campaigns(
            fields=["id", "name", "account_id", "status", "objective", "daily_budget"], params={"limit": 50}
        ),
        "insights": lambda: account.get_insights(fields=figures, params=insights),
        "report": report,
    }


def relevant(operation: str, seen: list[Seen]) -> list[Seen]:
    """The requests that are the operation itself, not the readings around it."""
    if operation in ("insights", "report"):
        return [r for r in seen if r.path.endswith("/insights") or r.path == f"/{VERSION}/99"]
    if operation == "activities":
        return [r for r in seen if r.path.endswith("/activities")]
    if operation == "list":
        return [r for r in seen if r.path.endswith("/campaigns")]
    return [r for r in seen if r.method == "POST"]


def plain(params: dict[str, str], operation: str) -> dict[str, Any]:
    """Parameters as values, without what differs on purpose."""
    left_out = {"access_token", "appsecret_proof", "summary"}
    if operation != "list":
        left_out.add("limit")
    values: dict[str, Any] = {}
    for name, text in params.items():
        if name in left_out:
            continue
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        if name == "fields":
            value = set(value if isinstance(value, list) else text.split(","))
        values[name] = value
    if operation == "activities":
        # A time to the second: that of the lost write, less how far the clocks may be apart.
        values["since"] = "a time in whole seconds" if str(values["since"]).isdigit() else values["since"]
    return values


def untagged(values: dict[str, Any], operation: str) -> dict[str, Any]:
    """The name without the tag, which has to be there."""
    if not operation.startswith("create_"):
        return values
    name = "title" if operation == "create_video" else "name"
    text, _, tag = values[name].rpartition(" [xy:")
    assert text and len(tag) == 17 and tag.endswith("]"), f"{values[name]!r} has no tag"
    return values | {name: text}


def ours(address: str, operation: str) -> None:
    """The operation by this library."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    command = [str(target / "debug" / "examples" / "meta_wire"), address, operation]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, f"{operation}: {ran.stderr}"


def compare(operation: str, sdk: list[Seen], own: list[Seen]) -> list[str]:
    """How the requests differ that should not."""
    problems = []
    if [(r.method, r.path) for r in sdk] != [(r.method, r.path) for r in own]:
        return [f"{operation}: SDK {[(r.method, r.path) for r in sdk]}, here {[(r.method, r.path) for r in own]}"]
    for theirs, mine in zip(sdk, own, strict=True):
        wanted, sent = plain(theirs.params, operation), untagged(plain(mine.params, operation), operation)
        if operation == "report" and theirs.path.endswith("/99/insights"):
            # What the report is of was said when it was ordered.
            wanted = {name: value for name, value in wanted.items() if name in sent}
        if wanted != sent:
            problems.append(f"{operation}: {theirs.method} {theirs.path}: SDK {wanted}, here {sent}")
        if mine.bearer != f"Bearer {TOKEN}" or "access_token" in mine.params:
            problems.append(f"{operation}: the token is not in the header alone")
        if "access_token" not in theirs.in_address:
            problems.append(f"{operation}: the SDK no longer sends the token in the address: drop that from ON_PURPOSE")
        if mine.method == "POST" and mine.in_address:
            problems.append(f"{operation}: a write has parameters in its address: {mine.in_address}")
    return problems


def main() -> int:
    """Compares every operation; 1 when one differs."""
    recorder = Recorder()
    server = serve(recorder)
    address = f"http://127.0.0.1:{server.server_address[1]}"
    problems = []
    operations = of_sdk(address)
    for operation, by_sdk in operations.items():
        by_sdk()
        sdk = relevant(operation, recorder.take())
        recorder.lose_writes = operation == "activities"
        ours(address, operation)
        recorder.lose_writes = False
        own = relevant(operation, recorder.take())
        assert sdk, f"{operation}: the SDK sent nothing"
        problems += compare(operation, sdk, own)
    for problem in problems:
        print(f"differs: {problem}")
    if not problems:
        print(f"{len(operations)} operations are the same on the wire, but for: {', '.join(ON_PURPOSE)}")
    server.shutdown()
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
