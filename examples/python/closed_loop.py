"""The whole loop on one command: ad clicks and CRM webhooks in, guarded budget changes out.

`python closed_loop.py` needs no keys, no servers and no network: the AI providers, the ad platform and the CRM are a sandbox on this
machine. With `--json` it prints the same bytes as the Rust example does for the same inputs and seed, from a store that is new.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import re
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import xynergy

DATA = Path(__file__).resolve().parents[1] / "data"
DRAW_KEY = "XYNERGY_EXAMPLE_DRAW_KEY"
BATCH = 1_000
HORIZON_MICROS = 3_600_000_000
"""How far ahead the simulated clock looks for something to do."""

TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")
BECAUSE = {
    "above_ceiling": "because it is above the ceiling that was set for it",
    "account_cap": "because the account's daily total would be exceeded",
    "awaiting_cuts": "because the cuts that make room for it are not done yet",
    "below_floor": "because it is below the floor that was set for it",
    "conflict": "because what became of it cannot be told without a person looking",
    "drifted": "because somebody had changed the budget by hand since it was proposed",
    "edited": "because somebody edited the object by hand after it was proposed",
    "expired": "because it had waited for too long",
    "kill_switch": "because changes are switched off",
    "landed_late": "although its reply was lost and it took effect later than expected",
    "learning_phase": "because it would start the platform's learning phase anew",
    "rate_limit_account": "because too many changes were made within the hour",
    "rate_limit_campaign": "because too many changes were made within the hour",
    "rate_limit_owner": "because too many changes were made within the hour",
    "reconciled": "although the reply was lost: reading the platform showed that it had happened",
    "throttled": "because the ad platform asked to slow down",
    "velocity": "because the budget would have moved by more than 20 % within six hours",
}


def micros(text: str) -> int:
    """A time in microseconds since 1970, exactly."""
    found = TIME.fullmatch(text)
    if found is None:
        raise ValueError(text)
    whole, part, zone = found.groups()
    seconds = datetime.fromisoformat(whole + ("+00:00" if zone == "Z" else zone)).timestamp()
    return int(seconds) * 1_000_000 + int((part or "0").ljust(6, "0")[:6])


class Inputs:
    """The input files of a run."""

    def __init__(self, options: argparse.Namespace) -> None:
        contents = [path.read_bytes() for path in (options.clicks, options.webhooks, options.crm, options.ads)]
        self.clicks = [line for line in map(bytes.strip, contents[0].removeprefix(b"\xef\xbb\xbf").split(b"\n")) if line]
        self.deliveries: list[dict[str, Any]] = []
        self.broken = 0
        for line in filter(None, map(bytes.strip, contents[1].removeprefix(b"\xef\xbb\xbf").split(b"\n"))):
            try:
                delivery = json.loads(line)
                micros(delivery["received_at"])
                self.deliveries.append({name: delivery[name] for name in ("received_at", "method", "url", "headers", "body")})
            except (ValueError, KeyError, TypeError):
                self.broken += 1
        times = [delivery["received_at"] for delivery in self.deliveries]
        for line in self.clicks:
            try:
                micros(ts := json.loads(line)["ts"])
                times.append(ts)
            except (ValueError, KeyError, TypeError):
                pass  # It is reported when it is ingested.
        self.newest = max(times, key=micros)
        self.digest = hashlib.sha256()
        for content in contents:
            self.digest.update(len(content).to_bytes(8, "little") + content)

    def run_id(self, seed: int) -> str:
        """The same inputs, seed and start give the same."""
        digest = self.digest.copy()
        digest.update(seed.to_bytes(8, "little") + micros(self.newest).to_bytes(8, "little", signed=True))
        return digest.digest()[:16].hex()


class Run:
    """One run, from the first click to the last change."""

    def __init__(
        self, client: xynergy.Client, sandbox: xynergy.sandbox.Sandbox, clock: xynergy.ManualClock, inputs: Inputs, seed: int
    ) -> None:
        self.client, self.sandbox, self.clock, self.inputs, self.seed = client, sandbox, clock, inputs, seed
        self.id = inputs.run_id(seed)
        self.counts: Counter[str] = Counter(refused=inputs.broken)
        self.lines: dict[str, str] = {}

    async def go(self) -> dict[str, Any]:
        await self.ingest_clicks()
        await self.accept_webhooks()
        while await self.client.closed_loop.process(self.sandbox.account):
            pass
        allocation = await self.client.closed_loop.allocate(self.sandbox.account, self.id, self.seed)
        changes = await self.client.closed_loop.changes(self.sandbox.account, self.id, allocation)
        await self.client.execution.queue(changes)
        await self.execute()
        return await self.report(allocation)

    async def ingest_clicks(self) -> None:
        texts = []
        for line in self.inputs.clicks:
            try:
                texts.append(line.decode())
            except UnicodeDecodeError:
                self.counts["rejected"] += 1
        for start in range(0, len(texts), BATCH):
            tracked = await self.client.attribution.track_clicks(texts[start : start + BATCH], self.id)
            self.counts["clicks"] += tracked.inserted + tracked.duplicates
            self.counts["rejected"] += len(tracked.rejected)

    async def accept_webhooks(self) -> None:
        for delivery in self.inputs.deliveries:
            try:
                accepted = await self.client.hubspot.accept(**delivery, source=self.id)
            except (xynergy.UnauthorizedError, xynergy.InvalidInputError):
                self.counts["refused"] += 1
                continue
            self.counts["verified"] += 1
            self.counts["events"] += accepted.events + accepted.duplicates

    async def execute(self) -> None:
        """Does what is due, moves the clock to what is due next, and ends when nothing is due within an hour."""
        while True:
            while await self.client.execution.run_once() is not None:
                pass
            due = [at for at in (await self.client.execution.next_due(), await self.sandbox.next_due()) if at is not None]
            at = min(due, key=micros, default=None)
            if at is None or micros(at) > micros(self.clock.now()) + HORIZON_MICROS:
                return
            self.clock.set(at)
            await self.sandbox.apply_due()

    async def explain(self, changes: list[Any]) -> dict[str, Any]:
        """One plain sentence on each applied or blocked change, and what the sentences cost."""
        ai: dict[str, Any] = {"requests": 0, "cache_hits": 0, "cost_nano_usd": 0, "by_provider": {}}
        for row in changes:
            if row.status not in ("completed", "blocked"):
                continue
            answer = await self.client.ai.generate(prompt(row), temperature=0.0)
            self.lines[row.change.owner.id] = " ".join(answer.text.split())
            ai["requests"] += 1
            ai["cost_nano_usd"] += answer.cost_nano_usd or 0
            if answer.cache_hit:
                ai["cache_hits"] += 1
            else:
                used = ai["by_provider"].setdefault(answer.provider, {"requests": 0, "cost_nano_usd": 0})
                used["requests"] += 1
                used["cost_nano_usd"] += answer.cost_nano_usd or 0
        return ai

    async def report(self, allocation: Any) -> dict[str, Any]:
        """What the run did, read back through the client."""
        client, counts = self.client, self.counts
        changes = sorted(await client.execution.list(allocation_id=self.id), key=lambda row: row.change.owner.id)
        ai = await self.explain(changes)
        ingested = await client.attribution.count_clicks(self.id)
        events = await client.hubspot.count_events(self.id)
        totals = (await client.attribution.totals()).to_dict()
        audit = await client.execution.verify_audit()
        ads = self.sandbox.account["ads"]
        by_ad: Counter[str] = Counter({ad["ad_id"]: 0 for ad in ads} | totals["by_ad"])
        by_ad["unattributed"] += totals["unattributed_minor"]
        owners = {ad["adset_id" if ad["level"] == "adset" else "campaign_id"] for ad in ads}
        live = await client.execution.owners(self.sandbox.account["account_id"])
        status = Counter(row.status for row in changes)
        return {
            "clicks": {"ingested": ingested, "duplicates": counts["clicks"] - ingested, "rejected": counts["rejected"]},
            "webhooks": {
                "received": counts["verified"] + counts["refused"],
                "verified": counts["verified"],
                "rejected": counts["refused"],
                "events": events,
                "duplicates": counts["events"] - events,
            },
            "matches": totals["matches"],
            "revenue": {"total_minor": sum(by_ad.values()), "by_ad": dict(by_ad)},
            "allocation": [{name: row[name] for name in row if name != "level"} for row in allocation.to_dict()["rows"]],
            "changes": {
                "queued": len(changes),
                **{name: status[name] for name in ("completed", "blocked", "failed")},
                "by_reason": await self.reasons(changes),
            },
            "platform": {o.owner.id: o.daily_budget_minor for o in live if o.owner.id in owners and o.daily_budget_minor is not None},
            "audit": {"rows": audit.rows, "chain_ok": audit.chain_ok},
            "ai": ai,
        }

    async def reasons(self, changes: list[Any]) -> dict[str, int]:
        """How many changes met each reason on the way, whatever became of them."""
        met = set()
        for row in changes:
            rows = await self.client.execution.history(row.change.account_id, row.change.id)
            met |= {(found.reason, row.change.id) for found in [row, *rows] if found.reason is not None}
        return dict(Counter(reason for reason, _ in met))


def prompt(row: Any) -> str:
    """It has the reason and a rounded percentage and no name, so that equal cases are one prompt and the second comes from the cache."""
    before, target = row.change.expected_from, row.change.target
    percent = (abs(target - before) * 40 // max(before, 1) + 1) // 2 * 5
    done = "was applied" if row.status == "completed" else "was blocked"
    because = "" if row.reason is None else ", " + BECAUSE.get(row.reason, f"because of {str(row.reason).replace('_', ' ')}")
    direction = "cut" if target < before else "raise"
    return f"Tell an advertiser in one plain sentence: a {direction} of the daily budget by about {percent} % {done}{because}."


def show(report: dict[str, Any], lines: dict[str, str]) -> None:
    """The report for a person."""
    for name in ("clicks", "webhooks", "matches"):
        print(f"{name:10}", ", ".join(f"{key} {value}" for key, value in report[name].items()))
    print(f"{'revenue':10} {report['revenue']['total_minor'] / 100:,.2f}")
    print(f"\n{'owner':20} {'now':>10} {'proposed':>10} {'live':>10}")
    for row in report["allocation"]:
        live = report["platform"].get(row["owner_id"], 0)
        money = " ".join(f"{minor / 100:10.2f}" for minor in (row["current_minor"], row["proposed_minor"], live))
        print(f"{row['owner_id']:20} {money}  {lines.get(row['owner_id'], '')}")
    changes, audit = report["changes"], report["audit"]
    print(f"\n{changes['completed']} of {changes['queued']} changes applied, {changes['blocked']} blocked, {changes['failed']} failed")
    print(f"audit: {audit['rows']} rows, chain {'verified' if audit['chain_ok'] else 'BROKEN'}")


async def run(options: argparse.Namespace) -> Run:
    """Starts the sandbox and the client in one simulated time, and runs the loop."""
    inputs = Inputs(options)
    clock = xynergy.ManualClock(inputs.newest)
    faults = [] if options.faults == "none" else options.faults
    async with xynergy.sandbox.start(ads=options.ads, crm=options.crm, faults=faults, clock=clock) as sandbox:
        config = {**sandbox.config, "execution": {"preset": options.preset, "draw_key": {"env": DRAW_KEY}}}
        if options.store != "memory":
            config["store"] = {"type": "sqlite", "path": options.store.removeprefix("sqlite:")}
        secrets = {**sandbox.secrets, DRAW_KEY: f"closed loop, seed {options.seed}"}
        # The first process on a store; a later one must draw other ids.
        entropy = options.seed ^ (1 << 32)
        async with xynergy.Client(config, secrets=secrets, clock=clock, seed=entropy) as client:
            run = Run(client, sandbox, clock, inputs, options.seed)
            report = await run.go()
            if options.json:
                sys.stdout.write(xynergy.to_json(report))
            else:
                show(report, run.lines)
            return run


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, file in (("clicks", "clicks.ndjson"), ("webhooks", "webhooks.ndjson"), ("crm", "crm.json"), ("ads", "ads.json")):
        parser.add_argument(f"--{name}", type=Path, metavar="FILE", default=DATA / file)
    parser.add_argument("--faults", metavar="FILE", default=str(DATA / "faults.json"), help="faults of the sandbox, or none")
    parser.add_argument("--store", default="memory", help="a new sqlite:PATH, or memory")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--preset", choices=("standard", "seed", "exact"), default="seed")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser.parse_args(arguments)


def main() -> int:
    try:
        asyncio.run(run(parse()))
    except (OSError, ValueError, xynergy.XynergyError) as error:
        print(f"closed_loop: {error}", file=sys.stderr)
        return 2 if isinstance(error, (OSError, ValueError)) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
