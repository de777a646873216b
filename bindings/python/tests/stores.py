"""Stores and an ad platform of a user's own, in memory: what one would write for a database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import xynergy
from xynergy import to_micros


def in_bytes(text: str) -> bytes:
    return text.encode()


def counted(sources: dict[str, int], source: str | None) -> int:
    return sum(sources.values()) if source is None else sources.get(source, 0)


DAY = 24 * 60 * 60 * 1_000_000


def day_of(at: str) -> int:
    return to_micros(at) // DAY


class Clicks:
    """A store of clicks."""

    def __init__(self) -> None:
        self.clicks: dict[str, dict[tuple[int, str], xynergy.Click]] = {}
        self.by_ad: dict[str, dict[tuple[int, str, str, str], int]] = {}
        self.sources: dict[str, dict[str, int]] = {}

    async def track(self, *, tenant: str, clicks: list[xynergy.Click], source: str) -> Any:
        stored, by_ad = self.clicks.setdefault(tenant, {}), self.by_ad.setdefault(tenant, {})
        inserted = 0
        for click in clicks:
            day = day_of(click.at)
            if (day, click.key) in stored:
                continue
            stored[day, click.key] = click
            inserted += 1
            ad = (day, click.ad_id, click.adset_id, click.campaign_id)
            by_ad[ad] = by_ad.get(ad, 0) + 1
        sources = self.sources.setdefault(tenant, {})
        sources[source] = sources.get(source, 0) + inserted
        return {"inserted": inserted, "duplicates": len(clicks) - inserted}

    def candidates(self, *, tenant: str, keys: list[str], from_: str, to: str) -> Any:
        found: dict[tuple[str, str, int], dict[str, Any]] = {}
        wanted = set(keys)
        latest: dict[str, list[xynergy.Click]] = {}
        for click in self._within(tenant, from_, to):
            for key in wanted & set(self._keys(click)):
                best = latest.setdefault(key, [])
                if best and to_micros(click.at) > to_micros(best[0].at):
                    best.clear()
                if not best or click.at == best[0].at:
                    best.append(click)
        for key, clicks in latest.items():
            for click in clicks:
                found[key, click.key, day_of(click.at)] = self._candidate(key, click)
        return sorted(found.values(), key=lambda row: (in_bytes(row["matched"]), to_micros(row["at"]), in_bytes(row["id"]), row["key"]))

    async def around(self, *, tenant: str, networks: list[str], from_: str, to: str, limit: int) -> Any:
        found = []
        for click in self._within(tenant, from_, to):
            device = click.personal.device if click.personal else None
            if device and device.network in networks:
                found.append((to_micros(click.at), click.key, device.network, click))
        found.sort(key=lambda row: row[:3], reverse=True)
        return {"clicks": [self._candidate(network, click) for _, _, network, click in found[:limit]], "total": len(found)}

    async def prune(self, *, tenant: str, before: str) -> Any:
        stored = self.clicks.get(tenant, {})
        gone = [place for place in stored if place[0] < day_of(before)]
        for place in gone:
            del stored[place]
        return {"clicks": len(gone)}

    async def erase(self, *, tenant: str, keys: list[str]) -> Any:
        stored, meant = self.clicks.get(tenant, {}), set(keys)
        gone = [place for place, click in stored.items() if meant & {click.key, *self._keys(click)}]
        erased = [{"key": click.key, "id": self._id(click)} for click in map(stored.pop, gone)]
        return {"clicks": sorted(erased, key=lambda click: (click["key"], in_bytes(click["id"])))}

    async def clicks_by_ad(self, *, tenant: str, from_: str, to: str) -> Any:
        days = range(day_of(from_), day_of(to) + 1)
        rows = sorted((ad, clicks) for ad, clicks in self.by_ad.get(tenant, {}).items() if ad[0] in days)
        return [
            {
                "day": datetime.fromtimestamp(day * 86_400, timezone.utc).isoformat(),
                "ad_id": ad, "adset_id": adset, "campaign_id": campaign, "clicks": clicks,
            }
            for (day, ad, adset, campaign), clicks in rows
        ]  # fmt: skip

    async def count(self, *, tenant: str, source: str | None) -> int:
        return counted(self.sources.get(tenant, {}), source)

    def _within(self, tenant: str, from_: str, to: str) -> list[xynergy.Click]:
        moments = range(to_micros(from_), to_micros(to) + 1)
        return [click for click in self.clicks.get(tenant, {}).values() if to_micros(click.at) in moments]

    @staticmethod
    def _id(click: xynergy.Click) -> str:
        return click.personal.click_id if click.personal else click.key

    def _candidate(self, matched: str, click: xynergy.Click) -> dict[str, Any]:
        row = {name: click[name] for name in ("at", "key", "ad_id", "adset_id", "campaign_id", "utm")}
        return {"matched": matched, "id": self._id(click), "device": click.personal.device if click.personal else None, **row}

    @staticmethod
    def _keys(click: xynergy.Click) -> list[Any]:
        personal = click.personal
        keys = [*click.id_keys, *([personal.fingerprint, personal.address] if personal else [])]
        if personal and personal.device:
            keys.append(personal.device.network)
        return [key for key in keys if key is not None]


class Revenue:
    """An inbox of CRM events and a ledger."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, xynergy.CrmEvent]] = {}
        self.booked: dict[str, dict[str, xynergy.DealRevenue]] = {}
        self.tables: dict[str, dict[str, xynergy.Revaluation]] = {}
        self.sources: dict[str, dict[str, int]] = {}

    async def append_events(self, *, tenant: str, events: list[xynergy.CrmEvent], source: str) -> Any:
        stored = self.kept.setdefault(tenant, {})
        inserted = 0
        for event in events:
            there = stored.get(event.key)
            inserted += there is None
            if there is None:
                stored[event.key] = event
            else:
                least = {
                    "raw": min(there.raw, event.raw, key=in_bytes),
                    "recorded_at": min(there.recorded_at, event.recorded_at, key=to_micros),
                }
                stored[event.key] = xynergy.CrmEvent({**there.to_dict(), **least})
        sources = self.sources.setdefault(tenant, {})
        sources[source] = sources.get(source, 0) + inserted
        return {"inserted": inserted, "duplicates": len(events) - inserted}

    async def pending_deals(self, *, tenant: str, limit: int) -> Any:
        ids = {deal for event in self.kept.get(tenant, {}).values() for deal in event.deals}
        values = sum(one.events_seen + 1 for one in self.tables.get(tenant, {}).values())
        return sorted((deal for deal in ids if self._waits(tenant, deal, values)), key=in_bytes)[:limit]

    async def events(self, *, tenant: str, deal_id: str) -> Any:
        return self._events(tenant, deal_id)

    async def events_after(self, *, tenant: str, after: str | None, limit: int) -> Any:
        concern = (event for event in self.kept.get(tenant, {}).values() if event.deals and (after is None or event.key > after))
        return sorted(concern, key=lambda event: in_bytes(event.key))[:limit]

    async def count_until(self, *, tenant: str, until: str) -> int:
        concern = (event for event in self.kept.get(tenant, {}).values() if event.deals)
        return sum(to_micros(event.occurred_at) <= to_micros(until) for event in concern)

    async def put_deals(self, *, tenant: str, deals: list[xynergy.DealRevenue]) -> bool:
        booked = self.booked.setdefault(tenant, {})
        for deal in deals:
            events = len(self._events(tenant, deal.deal_id))
            if events == 0 or deal.events_seen > events:
                raise xynergy.InvalidInputError("events_seen: it is not what the inbox has")
        for deal in deals:
            there = booked.get(deal.deal_id)
            if there and (there.events_seen > deal.events_seen or there.values_seen > deal.values_seen):
                return False
        booked.update((deal.deal_id, deal) for deal in deals)
        return True

    async def deals(self, *, tenant: str) -> Any:
        booked = self.booked.get(tenant, {}).values()
        return sorted((deal for deal in booked if deal.stage is not None), key=lambda deal: in_bytes(deal.deal_id))

    async def find_deals(self, *, tenant: str, ids: list[str]) -> Any:
        booked = self.booked.get(tenant, {})
        return [booked[deal_id] for deal_id in sorted(set(ids), key=in_bytes) if deal_id in booked]

    async def totals(self, *, tenant: str) -> Any:
        matches = dict.fromkeys(("layer1", "layer2", "layer3", "none"), 0)
        by_ad: dict[str, int] = {}
        unattributed = 0
        for deal in self.booked.get(tenant, {}).values():
            if deal.stage is None or deal.merged_into is not None:
                continue
            found = deal.matched.found
            matches[found.layer if found else "none"] += 1
            if found:
                by_ad[found.ad_id] = self._fits(by_ad.get(found.ad_id, 0) + deal.value_minor)
            else:
                unattributed = self._fits(unattributed + deal.value_minor)
        return {"by_ad": by_ad, "unattributed_minor": unattributed, "matches": matches}

    async def count_events(self, *, tenant: str, source: str | None) -> int:
        return counted(self.sources.get(tenant, {}), source)

    async def put_revaluation(self, *, tenant: str, revaluation: xynergy.Revaluation) -> bool:
        tables = self.tables.setdefault(tenant, {})
        there = tables.get(revaluation.cut)
        if there and there.events_seen > revaluation.events_seen:
            return False
        if there:
            earliest = min(there.recorded_at, revaluation.recorded_at, key=to_micros)
            revaluation = xynergy.Revaluation({**revaluation.to_dict(), "recorded_at": earliest})
        tables[revaluation.cut] = revaluation
        return True

    async def revaluations(self, *, tenant: str) -> Any:
        return sorted(self.tables.get(tenant, {}).values(), key=lambda one: to_micros(one.cut))

    def _waits(self, tenant: str, deal_id: str, values: int) -> bool:
        deal = self.booked.get(tenant, {}).get(deal_id)
        seen = (deal.events_seen, deal.values_seen) if deal else (0, 0)
        return seen[0] < len(self._events(tenant, deal_id)) or seen[1] < values

    @staticmethod
    def _fits(amount: int) -> int:
        if not -(2**63) <= amount < 2**63:
            raise xynergy.LimitExceededError("the revenue passes 64 bits")
        return amount

    def _events(self, tenant: str, deal_id: str) -> list[xynergy.CrmEvent]:
        events = self.kept.get(tenant, {}).values()
        return sorted((e for e in events if deal_id in e.deals), key=lambda e: in_bytes(e.key))


class Ads:
    """An ad platform with one ad set."""

    def __init__(self, now: Callable[[], str] = lambda: datetime.now(timezone.utc).isoformat()) -> None:
        self.now = now
        self.budget = 6_000
        self.edits: list[dict[str, Any]] = []

    def shown(self) -> dict[str, Any]:
        return {
            "owner": {"level": "adset", "id": "11"},
            "account_id": "act_1",
            "campaign_id": "1",
            "name": "one",
            "currency": "USD",
            "daily_budget_minor": self.budget,
            "bid_minor": None,
            "status": "active",
            "read_at": self.now(),
        }

    async def account(self, *, ctx: Any, account_id: str) -> Any:
        return {"account_id": account_id, "currency": "USD", "minimum_daily_minor": None}

    async def owner(self, *, ctx: Any, owner: xynergy.Owner) -> Any:
        if owner.id != "11" or owner.level != "adset":
            raise xynergy.NotFoundError(f"there is no {owner.level} {owner.id}")
        return self.shown()

    async def owners(self, *, ctx: Any, account_id: str) -> Any:
        return [self.shown()]

    async def set(self, *, ctx: Any, write: xynergy.AdWrite) -> None:
        await self.validate(ctx=ctx, write=write)
        self.edits.append({"at": self.now(), "field": write.field, "before": self.budget, "after": write.value, "own": True})
        self.budget = write.value

    async def validate(self, *, ctx: Any, write: xynergy.AdWrite) -> None:
        await self.owner(ctx=ctx, owner=write.owner)
        if write.value <= 0:
            raise xynergy.RejectedError("a budget is above 0")

    async def activities(self, *, ctx: Any, account_id: str, owner: Any, since: str) -> Any:
        return [edit for edit in self.edits if to_micros(edit["at"]) >= to_micros(since)]

    async def insights(self, *, ctx: Any, account_id: str, since: str, until: str) -> Any:
        return []
