"""Judges the safety of a finished run from outside: by the platform's own log and the database, not by what the run says.

    python3 invariants.py STORE.sqlite [--ads FILE] [--report FILE] [--landing-ms N]

`STORE.sqlite.sandbox` is what really happened on the platform; `pending_ad_changes` and `ad_change_history` are what the
executor wrote. `problems` returns one line for each invariant that does not hold; the rules are written anew here from
the promises, without looking at how the executor keeps them:

* once: a change has at most one effect, and all of its requests carry the same bytes;
* audit first: each request has an earlier intent of the same change, attempt, value and request id; an attempt follows
  only on the outcome of the one before; at rest each has exactly one outcome; rows have no gap and each row's hash is
  recomputed here from its fields;
* completed means landed with that value, and what landed is completed, unless a person's edit made it undecidable;
* rate: at most 3 effects an hour an ad set, 15 a campaign;
* velocity: over every suffix of 6 hours up to an effect, own moves and edits that were read add up to at most a fifth of
  the value at the suffix's start;
* floor and ceiling; the account's total after a raise, but for what people added after the total was read;
* no raise before a cut of the same allocation; no request at or after its change's expiry;
* the counts of the report are those of the database, and its platform is that of the log.

An effect that lands later than `landing_ms` after its request is outside of the promise and is only counted as a raise
of the total by somebody else.
"""

from __future__ import annotations

import argparse
import collections
import datetime
import hashlib
import json
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

Line = dict[str, Any]
Row = dict[str, Any]

SECOND = 1_000_000
HOUR = 3_600 * SECOND
RATE_WINDOW, ADSET_CHANGES, CAMPAIGN_CHANGES = HOUR, 3, 15
VELOCITY_WINDOW, VELOCITY_PART = 6 * HOUR, 5
LANDING_MS = 180_000
"""The lease and the time that a request may still take to land after it, of every preset."""

OPEN = ("pending", "claimed", "executing")
READ_BY_GUARD = {
    None, "above_ceiling", "account_cap", "awaiting_cuts", "below_floor", "drifted", "rate_limit_campaign",
    "rate_limit_owner", "velocity",
}


class Limits(NamedTuple):
    """What the account allows, in minor units."""

    total: int | None = None
    least: int | None = None
    most: int | None = None


class Move(NamedTuple):
    """A value that moved, as far as the executor can know it."""

    seq: int
    at: int
    before: int
    after: int


def micros(text: str) -> int:
    """A time of the log in microseconds since 1970."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    seconds = datetime.datetime.strptime(whole + "+0000", "%Y-%m-%dT%H:%M:%S%z").timestamp()
    return int(seconds) * SECOND + int(fraction.ljust(6, "0")[:6] or 0)


def read_log(store: Path) -> list[Line]:
    """The lines of the platform's log, whole ones only, with their time in microseconds."""
    text = Path(f"{store}.sandbox").read_text()
    lines: list[Line] = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
    for line in lines:
        line["at"] = micros(line["at"])
    return lines


def read_table(store: Path, query: str) -> list[Row]:
    with sqlite3.connect(store) as database:
        database.row_factory = sqlite3.Row
        rows = [dict(row) for row in database.execute(query)]
    database.close()
    return rows


def seal(row: Row) -> str:
    """The SHA-256 of the previous hash and the row's fields, each after its length in 8 bytes; absent ones all ones."""
    names = [
        "tenant_id", "account_id", "seq", "kind", "change_id", "attempt", "campaign_id", "owner_level", "owner_id",
        "field", "from_value", "to_value", "status", "reason", "retry_at", "detail", "duration_ms", "allocation_id",
        "causation_id", "purpose", "actor", "request_id", "at",
    ]
    digest = hashlib.sha256(row["prev_hash"].encode())
    for value in ["xynergy.ad_change_history.1", *(row[name] for name in names)]:
        if value is None:
            digest.update(b"\xff" * 8)
        else:
            field = str(value).encode()
            digest.update(len(field).to_bytes(8, "big") + field)
    return digest.hexdigest()


class Judge:
    """One store and its platform."""

    def __init__(self, store: Path, limits: Limits, landing_ms: int = LANDING_MS) -> None:
        self.limits, self.landing = limits, landing_ms * 1_000
        self.log = read_log(store)
        self.changes = {row["id"]: row for row in read_table(store, "SELECT * FROM pending_ad_changes")}
        self.history = read_table(store, "SELECT * FROM ad_change_history ORDER BY account_id, seq")
        self.heads = read_table(store, "SELECT * FROM ad_change_heads")
        self.found: list[str] = []
        self.intents = {(r["change_id"], r["attempt"]): r for r in self.history if r["kind"] == "intent"}
        self.outcomes = {(r["change_id"], r["attempt"]): r for r in self.history if r["kind"] == "outcome"}
        self.posts = [
            line for line in self.log
            if line["kind"] == "request" and line["method"] == "POST" and line["surface"] == "graph"
        ]
        self.effects = [line for line in self.log if line["kind"] == "effect"]
        first = {(line.get("change_id"), line.get("attempt")): line for line in reversed(self.posts)}
        self.sent_at = {key: line["at"] for key, line in first.items()}
        self.own = [line for line in self.effects if line["actor"] == "app" and not self.overdue(line)]

    def overdue(self, effect: Line) -> bool:
        """Whether an effect landed later than is promised for."""
        sent = self.sent_at.get((effect.get("change_id"), effect.get("attempt")))
        return effect["actor"] == "app" and sent is not None and effect["at"] - sent > self.landing

    def expect(self, holds: bool, why: str) -> None:
        if not holds:
            self.found.append(why)

    def judge(self) -> list[str]:
        self.log_is_whole()
        self.chain()
        self.once()
        self.audit_first()
        self.one_outcome()
        self.completed_means_landed()
        self.rate()
        self.velocity()
        self.bounds()
        self.cuts_first()
        return self.found

    def log_is_whole(self) -> None:
        values: dict[tuple[str, str], Any] = {}
        previous = 0
        for number, line in enumerate(self.log, 1):
            self.expect(line["seq"] == number, f"log: line {number} has seq {line['seq']}")
            self.expect(line["at"] >= previous, f"log: time goes back at line {number}")
            previous = line["at"]
            if line["kind"] == "effect":
                key = (line["object_id"], line["field"])
                self.expect(values.get(key, line["before"]) == line["before"], f"log: line {number} has another before")
                values[key] = line["after"]

    def chain(self) -> None:
        last: dict[tuple[str, str], Row] = {}
        for row in self.history:
            key = (row["tenant_id"], row["account_id"])
            before = last.get(key)
            name = f"history {row['account_id']}#{row['seq']}"
            self.expect(row["seq"] == (before["seq"] if before else 0) + 1, f"{name}: a gap before it")
            self.expect(row["prev_hash"] == (before["hash"] if before else "0" * 64), f"{name}: prev_hash")
            self.expect(row["hash"] == seal(row), f"{name}: its hash is not that of its fields")
            self.expect(before is None or before["at"] <= row["at"], f"{name}: time goes back")
            last[key] = row
        heads = {(head["tenant_id"], head["account_id"]): (head["seq"], head["hash"]) for head in self.heads}
        expected = {key: (row["seq"], row["hash"]) for key, row in last.items()}
        self.expect(heads == expected, f"history: the heads are {heads}, not {expected}")

    def once(self) -> None:
        counts = collections.Counter(e["change_id"] for e in self.effects if e["actor"] == "app")
        for change, count in counts.items():
            late = any(self.overdue(e) for e in self.effects if e.get("change_id") == change)
            self.expect(count == 1 or late, f"{change}: {count} effects")
        bodies: dict[str, set[str]] = collections.defaultdict(set)
        for post in self.posts:
            if "change_id" in post:
                bodies[post["change_id"]].add(json.dumps([post["path"], post["sent"], post["body_bytes"]]))
        for change, sent in bodies.items():
            self.expect(len(sent) == 1, f"{change}: requests differ: {sorted(sent)}")

    def audit_first(self) -> None:
        sent: collections.Counter[tuple[str, int]] = collections.Counter()
        for line in [*self.posts, *(e for e in self.effects if e["actor"] == "app")]:
            key = (line.get("change_id"), line.get("attempt"))
            where = f"line {line['seq']} of {key[0]}, attempt {key[1]}"
            intent = self.intents.get(key)
            if intent is None:
                self.found.append(f"{where}: no intent")
                continue
            owner = line["object_id"] if line["kind"] == "effect" else line["path"].rsplit("/", 1)[1]
            value = line["after"] if line["kind"] == "effect" else line["sent"].get("daily_budget")
            self.expect(int(value) == intent["to_value"], f"{where}: {value} was sent, {intent['to_value']} intended")
            self.expect(owner == intent["owner_id"], f"{where}: {owner}, not {intent['owner_id']}")
            self.expect(intent["at"] <= line["at"], f"{where}: before its intent")
            self.expect(intent["request_id"] == line["request_id"], f"{where}: request {line['request_id']}")
            if line["kind"] == "request":
                sent[(intent["change_id"], intent["attempt"])] += 1
                expires = self.changes[intent["change_id"]]["expires_at"]
                self.expect(line["at"] < expires, f"{where}: sent after its expiry")
        for key, count in sent.items():
            self.expect(count == 1, f"{key}: sent {count} times")

    def one_outcome(self) -> None:
        kinds = collections.Counter((r["change_id"], r["attempt"], r["kind"]) for r in self.history)
        for (change, attempt), intent in self.intents.items():
            self.expect(kinds[(change, attempt, "intent")] == 1, f"{change}: attempt {attempt} intended twice")
            row = self.changes.get(change)
            if row is None:
                self.found.append(f"{change}: an intent without a change")
                continue
            flying = row["status"] in ("claimed", "executing") and attempt == row["attempt"]
            outcomes = kinds[(change, attempt, "outcome")]
            self.expect(outcomes == (0 if flying else 1), f"{change}: attempt {attempt} has {outcomes} outcomes")
            if attempt > 1:
                before = self.outcomes.get((change, attempt - 1))
                known = before is not None and before["seq"] < intent["seq"] and before["status"] != "completed"
                self.expect(known, f"{change}: attempt {attempt} without a verdict on the one before")
        for row in self.changes.values():
            attempts = sum(change == row["id"] for change, _ in self.intents)
            self.expect(attempts == row["attempt"], f"{row['id']}: {attempts} intents, attempt {row['attempt']}")
            over = row["status"] in ("completed", "failed") or row["status"] == "blocked" and row["retry_at"] is None
            self.expect(over == (row["due_at"] is None), f"{row['id']}: {row['status']} with due_at {row['due_at']}")

    def completed_means_landed(self) -> None:
        landed = {e["change_id"]: e for e in self.own}
        late = {e["change_id"] for e in self.effects if self.overdue(e)}
        for row in self.changes.values():
            effect, name = landed.get(row["id"]), f"{row['id']} of {row['owner_id']}"
            if row["status"] == "completed" and effect is None:
                at_send = [self.value_at(row["owner_id"], p["seq"]) for p in self.posts if p.get("change_id") == row["id"]]
                same = row["sent_value"] in at_send
                self.expect(same or row["id"] in late, f"{name}: completed, but nothing landed ({row['reason']})")
            if effect is None or row["status"] in ("completed", "executing"):
                continue
            undecidable = row["reason"] == "conflict" and any(
                e["actor"] == "human" and e["object_id"] == row["owner_id"] for e in self.effects
            )
            self.expect(undecidable, f"{name}: landed, but it is {row['status']} ({row['reason']})")

    def value_at(self, owner: str, seq: int) -> Any:
        """The owner's budget just before a line; None where nothing ever changed it before."""
        before = [e for e in self.effects if e["object_id"] == owner and e["field"] == "daily_budget" and e["seq"] < seq]
        return before[-1]["after"] if before else None

    def rate(self) -> None:
        campaigns = {row["owner_id"]: row["campaign_id"] for row in self.changes.values()}
        for effect in self.own:
            window = [e for e in self.own if effect["at"] - RATE_WINDOW < e["at"] and e["seq"] <= effect["seq"]]
            owner = [e for e in window if e["object_id"] == effect["object_id"] and e["object_type"] == "adset"]
            campaign = [e for e in window if campaigns[e["object_id"]] == campaigns[effect["object_id"]]]
            self.expect(len(owner) <= ADSET_CHANGES, f"{len(owner)} changes an hour of ad set {effect['object_id']}")
            self.expect(len(campaign) <= CAMPAIGN_CHANGES, f"{len(campaign)} changes an hour of a campaign")

    def velocity(self) -> None:
        for owner in {effect["object_id"] for effect in self.own}:
            moves = self.moves(owner)
            for end, last in enumerate(moves):
                if last.seq not in {e["seq"] for e in self.own}:
                    continue
                total = 0
                for move in reversed(moves[: end + 1]):
                    if move.at <= last.at - VELOCITY_WINDOW:
                        break
                    total += abs(move.after - move.before)
                    self.expect(
                        total * VELOCITY_PART <= move.before,
                        f"velocity of {owner}: {total} in 6 h up to line {last.seq}, from {move.before}",
                    )

    def moves(self, owner: str) -> list[Move]:
        """The owner's moves that the executor can know of: its own, and what its readings differed by.

        The first value known is the one that the first decision was made on.
        """
        rows = sorted((r for r in self.changes.values() if r["owner_id"] == owner), key=lambda r: int(r["queued_at"]))
        edge = "/campaigns" if rows[0]["owner_level"] == "campaign" else "/adsets"
        flights = self.flights(owner)
        known: int = rows[0]["expected_from"]
        moves: list[Move] = []
        for seq, at, effect in self.readings(owner, edge):
            if effect is None and any(start < seq <= end for start, end in flights):
                continue
            if effect is not None:
                intent = self.intents.get((effect["change_id"], effect["attempt"]))
                before, value = intent["from_value"] if intent else effect["before"], effect["after"]
            else:
                before, value = known, self.value_before(owner, seq)
            if before != value and at >= rows[0]["queued_at"]:
                # Not every reading is written down: an edit may have been seen as soon as it was made.
                edits = [e["at"] for e in self.effects if e["object_id"] == owner and e["seq"] < seq and e not in self.own]
                moves.append(Move(seq, at if effect is not None else max(edits, default=at), before, value))
            known = value
        return moves

    def flights(self, owner: str) -> list[tuple[int, int]]:
        """The first and last line of each attempt of an owner, in which what is read is not taken for somebody's edit."""
        last: dict[str, int] = {line["request_id"]: line["seq"] for line in self.log if line.get("request_id")}
        found = []
        for key, intent in self.intents.items():
            if intent["owner_id"] == owner and intent["field"] == "budget":
                mine = [line["seq"] for line in self.log if line.get("request_id") == intent["request_id"]]
                outcome = self.outcomes.get(key)
                end = last.get(outcome["request_id"], mine[-1]) if outcome else len(self.log) + 1
                found.append((mine[0], max(mine[-1], end)))
        return found

    def readings(self, owner: str, edge: str) -> Iterator[tuple[int, int, Line | None]]:
        """Where the executor read the owner for a decision that it wrote down, and where its own effects landed.

        A resumed run gives the same request ids again: what cannot be told apart is left out.
        """
        decided = {
            r["request_id"] for r in self.history
            if r["kind"] == "intent" or r["kind"] == "blocked" and r["attempt"] == 0 and r["reason"] in READ_BY_GUARD
        }
        lines = [line for line in self.log if line.get("surface") == "graph" and line["method"] == "GET"]
        counts = collections.Counter((line["request_id"], line["path"], line["status"]) for line in lines)
        owners = {row["owner_id"] for row in self.changes.values()}
        guarded = {line["request_id"] for line in lines if line["path"].rsplit("/", 1)[1] in owners} & decided
        mine = {effect["seq"] for effect in self.own if effect["object_id"] == owner}
        for line in self.log:
            if line["seq"] in mine:
                yield line["seq"], line["at"], line
            if line["kind"] != "request" or line["method"] != "GET" or line["status"] != 200:
                continue
            path, request = line["path"], line["request_id"]
            own = path.endswith(f"/{owner}")
            if not own and not (path.endswith(edge) and "daily_budget" in line.get("query", "")):
                continue
            # A change reads its own owner twice, before the decision and before sending.
            once = counts[(request, path, 200)] <= (2 if own else 1)
            if request in guarded and once and not self.garbled(line):
                yield line["seq"], line["at"], None

    def garbled(self, line: Line) -> bool:
        """Whether a fault answered in the place of the platform."""
        return any(
            f["kind"] == "fault" and f["request_id"] == line["request_id"] and f["path"] == line["path"]
            for f in self.log
        )

    def value_before(self, owner: str, seq: int) -> int:
        """The owner's budget at a line."""
        value = self.value_at(owner, seq)
        if value is None:
            later = [e for e in self.effects if e["object_id"] == owner and e["field"] == "daily_budget"]
            value = later[0]["before"] if later else 0
        return int(value)

    def bounds(self) -> None:
        for effect in self.own:
            where, value = f"line {effect['seq']}", effect["after"]
            self.expect(self.limits.least is None or value >= self.limits.least, f"{where}: {value} is below the floor")
            self.expect(self.limits.most is None or value <= self.limits.most, f"{where}: {value} is above the ceiling")

    def cuts_first(self) -> None:
        raised: set[str] = set()
        for effect in self.own:
            row = self.changes[effect["change_id"]]
            if row["target"] > row["expected_from"]:
                raised.add(row["allocation_id"])
            else:
                why = f"line {effect['seq']}: a cut lands after a raise of its allocation"
                self.expect(row["allocation_id"] not in raised, why)

    def total(self, owners: dict[str, tuple[int, bool]]) -> list[str]:
        """Problems with the account's total. `owners` has the budget and whether it is on of each, at the start."""
        if self.limits.total is None:
            return []
        state, found = dict(owners), []
        added: list[tuple[int, int]] = []
        for effect in self.effects:
            budget, on = state.get(effect["object_id"], (0, False))
            before = budget if on else 0
            if effect["field"] == "daily_budget":
                budget = effect["after"]
            else:
                on = effect["after"] == "ACTIVE"
            if effect["object_id"] in state:
                state[effect["object_id"]] = (budget, on)
            grown = (budget if on else 0) - before
            if effect["actor"] == "human" or self.overdue(effect):
                added.append((effect["seq"], max(0, grown)))
                continue
            reads = [line["seq"] for line in self.log if line.get("request_id") == effect["request_id"]]
            unseen = sum(more for seq, more in added if seq > min(reads, default=0))
            total = sum(value for value, active in state.values() if active)
            if grown > 0 and total - unseen > self.limits.total:
                found.append(f"line {effect['seq']}: a raise takes the total to {total}, above {self.limits.total}")
        return found


def owners_of(ads: dict[str, Any]) -> dict[str, tuple[int, bool]]:
    """The budget of each owner of an ads.json, and whether one of its ads is on."""
    owners: dict[str, tuple[int, bool]] = {}
    for ad in ads["ads"]:
        owner = ad["campaign_id"] if ad.get("budget_level", "adset") == "campaign" else ad["adset_id"]
        on = owners.get(owner, (0, False))[1] or ad["status"] == "ACTIVE"
        owners[owner] = (int(ad["daily_budget_minor"]), on)
    return owners


def problems(
    store: Path, ads: dict[str, Any], report: dict[str, Any] | None = None, landing_ms: int = LANDING_MS
) -> list[str]:
    """What is wrong with a run on `store` over the account of `ads`; `report` is the last run's own."""
    bounds = ads["constraints"]
    limits = Limits(bounds["total_daily_minor"], bounds["min_minor"], bounds["max_minor"])
    judge = Judge(store, limits, landing_ms)
    found = judge.judge() + judge.total(owners_of(ads))
    if report is not None:
        found += report_problems(judge, ads, report)
    return found


def report_problems(judge: Judge, ads: dict[str, Any], report: dict[str, Any]) -> list[str]:
    """Where the report of the last run differs from the log and the database."""
    found = []
    newest = max((row["queued_at"] for row in judge.changes.values()), default=0)
    mine = [row for row in judge.changes.values() if row["queued_at"] == newest] if report["changes"]["queued"] else []
    counts = collections.Counter(row["status"] for row in mine)
    told = report["changes"]
    for name, count in [("queued", len(mine)), *((s, counts[s]) for s in ("completed", "blocked", "failed"))]:
        if told[name] != count:
            found.append(f"report: changes.{name} is {told[name]}, the database has {count}")
    values = {owner: value for owner, (value, _) in owners_of(ads).items()}
    last_read = max((n["seq"] for n in judge.log if n.get("path", "").endswith("/adsets")), default=0)
    after_it: set[str] = set()
    for effect in judge.effects:
        if effect["field"] == "daily_budget":
            values[effect["object_id"]] = effect["after"]
            if effect["seq"] > last_read:
                after_it.add(effect["object_id"])
    for owner, value in report["platform"].items():
        if values.get(owner) != value and owner not in after_it:
            found.append(f"report: platform.{owner} is {value}, the log has {values.get(owner)}")
    if report["audit"] != {"rows": len(judge.history), "chain_ok": True}:
        found.append(f"report: audit is {report['audit']}, the database has {len(judge.history)} rows")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Judges a finished run by the platform's log and the database.")
    parser.add_argument("store", type=Path)
    parser.add_argument("--ads", type=Path, default=Path(__file__).resolve().parents[2] / "examples/data/ads.json")
    parser.add_argument("--report", type=Path, help="the --json of the last run")
    parser.add_argument("--landing-ms", type=int, default=LANDING_MS)
    arguments = parser.parse_args()
    report = json.loads(arguments.report.read_text()) if arguments.report else None
    found = problems(arguments.store, json.loads(arguments.ads.read_text()), report, arguments.landing_ms)
    print("\n".join(found) or "every invariant holds")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
