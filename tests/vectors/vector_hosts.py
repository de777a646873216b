"""The scripted objects of a host."""

from __future__ import annotations

import asyncio
import fnmatch
from collections.abc import AsyncIterator, Callable
from typing import Any

import xynergy

METHODS = {
    "providers": ["chat"],
    "caches": ["get", "put", "invalidate"],
    "secrets": ["get"],
    "crms": ["deals", "contacts"],
    "ad_platforms": ["account", "owner", "owners", "set", "validate", "activities", "insights"],
    "stores.state": ["get", "put", "list"],
    "stores.clicks": ["track", "candidates", "around", "prune", "erase", "clicks_by_ad", "count"],
    "stores.revenue": ["append_events", "pending_deals", "events", "events_after", "count_until", "put_deals", "deals", "find_deals", "totals", "count_events", "put_revaluation", "revaluations"],
}


class Scripted:
    """An object that behaves as its script says."""

    def __init__(self, kind: str, script: dict[str, Any], clock: xynergy.ManualClock | None) -> None:
        self.kind, self.script, self.clock = kind, script, clock
        self.seen = {"calls": 0, "cancelled": 0}
        self.kept: dict[Any, Any] = {_owner(row["owner"]): dict(row) for row in script.get("owners", [])}
        traits = script.get("traits", {})
        for name in METHODS[kind]:
            setattr(self, name, self._method(name))
        if kind == "providers":
            for name, value in traits.items():
                if name != "streaming":
                    setattr(self, name, value)
            if traits.get("streaming"):
                self.stream = self._stream

    def _method(self, name: str) -> Callable[..., Any]:
        async def call(**arguments: Any) -> Any:
            self.seen["calls"] += 1
            return await self._behave(name, arguments)

        return call

    async def _behave(self, name: str, arguments: dict[str, Any]) -> Any:
        script = self.script["script"]
        if script == "echo":
            return f"echo: {arguments['request'].messages[-1].content}"
        if script == "throw":
            raise RuntimeError("boom")
        if script == "error":
            wait = self.script.get("retry_after_ms")
            raise xynergy.XynergyError(self.script["message"], kind=self.script["kind"], retry_after_ms=wait)
        if script == "hang":
            await self._hang()
        if script == "return":
            return self.script["value"]
        return getattr(self, f"_{self.kind.replace('.', '_')}")(name, **arguments)

    async def _hang(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.seen["cancelled"] += 1

    async def _stream(self, *, ctx: Any, request: Any) -> AsyncIterator[Any]:
        self.seen["calls"] += 1
        words = [f"{word} " for word in f"echo: {request.messages[-1].content}".split(" ")]
        words[-1] = words[-1][:-1]
        try:
            for piece in self.script.get("pieces", words):
                if isinstance(piece, dict) and "throw" in piece:
                    raise RuntimeError(piece["throw"])
                yield piece
            if self.script.get("then_hang"):
                await asyncio.Event().wait()
        finally:
            if self.script.get("then_hang"):
                self.seen["cancelled"] += 1

    def _caches(self, name: str, **given: Any) -> Any:
        if name == "get":
            entry = self.kept.get((given["tenant"], given["key"]))
            return entry["response"] if entry and entry["expires_at"] > given["now"] else None
        if name == "put":
            self.kept[given["tenant"], given["key"]] = given
            return None
        meant = [place for place, entry in self.kept.items() if place[0] == given["tenant"] and _is_meant(entry, given["pattern"])]
        for place in meant:
            del self.kept[place]
        return len(meant)

    def _secrets(self, name: str, *, tenant: str, reference: Any) -> Any:
        return self.script["values"].get(reference["env"])

    def _crms(self, name: str, *, ctx: Any, ids: Any) -> Any:
        return {id: value for id, value in self.script[name].items() if id in list(ids)}

    def _stores_state(self, name: str, **given: Any) -> Any:
        place = (given["tenant"], given["collection"])
        if name == "list":
            return [[key[2], self.kept[key]] for key in sorted(self.kept) if key[:2] == place]
        key = (*place, given["key"])
        if name == "get":
            return self.kept.get(key)
        stored = self.kept[key]["version"] if key in self.kept else 0
        if given["expected"] not in (None, stored):
            raise xynergy.ConflictError(f"version {stored} is stored")
        self.kept[key] = {"version": stored + 1, "value": given["value"]}
        return stored + 1

    def _ad_platforms(self, name: str, *, ctx: Any, **given: Any) -> Any:
        def read(row: dict[str, Any]) -> dict[str, Any]:
            assert self.clock is not None
            return {**row, "read_at": self.clock.now()}

        if name == "account":
            return {"account_id": given["account_id"], "currency": "USD", "minimum_daily_minor": None}
        if name == "owners":
            return [read(row) for row in self.kept.values()]
        if name == "owner":
            row = self.kept.get(_owner(given["owner"]))
            if row is None:
                raise xynergy.NotFoundError("there is no such object")
            return read(row)
        if name == "set":
            self.kept[_owner(given["write"]["owner"])]["daily_budget_minor"] = given["write"]["value"]
            if self.script.get("set") == "lost":
                raise RuntimeError("the answer is lost")
            return None
        if name == "activities":
            raise xynergy.UnsupportedError("there is no log")
        return [] if name == "insights" else None


def _owner(owner: Any) -> tuple[str, str]:
    return owner["level"], owner["id"]


def _is_meant(entry: dict[str, Any], pattern: str) -> bool:
    report = entry["response"]["xynergy"]
    return any(fnmatch.fnmatchcase(text, pattern) for text in (entry["key"], f"{report['provider']}/{report['model']}"))
