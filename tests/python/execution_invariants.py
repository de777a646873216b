"""Judges safe execution from outside: by the platform's own log, and by the database for intents and outcomes alone.

    python3 execution_invariants.py SANDBOX_LOG DATABASE --policy JSON [--kills FILE] [--json]

DATABASE is the path of an SQLite file or a postgres:// URL (schema xynergy unless --schema says another; needs psycopg).
SANDBOX_LOG is what the stand-in for the ad platform wrote: each request that it received, each effect, each edit by a person.
The rules are written anew here from what is promised, without looking at how it is kept:

I1   what a change may move: over every suffix of the window up to an own effect, own moves add up to at most the part
     of the value at the suffix's start that the policy allows
I2   once: a change has at most one effect, and all of its requests carry the same
I3   audit first: each request has an earlier intent of the same change, attempt and value; each intent has one outcome;
     no gap, each hash recomputed, heads; what is completed landed, what landed is not denied
I4   rate: own effects of an ad set and of a campaign in any window
I5   exclusive: no intent while another of the same owner has no outcome
I7   no blind resend: an attempt follows only on the outcome of the one before, and that says that it had no effect
I9   bounds: whole positive amounts within the account's floor and ceiling, in the direction that was decided
I10  kill: nothing starts while a switch is on; of each owner at most one that had started arrives
I12  freshness: nothing is sent after its expiry, nor from another value than the one decided on
I13  clock: the time of a history never goes back
I14  order: what was superseded or cancelled is never sent afterwards; raises come after the cuts of their allocation
I15  isolation: a change is refused for its credentials only where the platform refused them
I16  no request without a change behind it

An effect that lands after the lease and the landing time of the policy are over is outside of the promise: it is counted as
`overdue`, and only I2, I3 and I16 look at the request behind it.
"""

from __future__ import annotations

import argparse
import collections
import json
import sqlite3
import sys
from pathlib import Path
from typing import Any, NamedTuple

from invariants import micros, seal

Line = dict[str, Any]
Row = dict[str, Any]
Key = tuple[Any, Any]
MS = 1_000
NO_EFFECT = {"blocked", "failed", "pending"}


class Tables(NamedTuple):
    """What the database holds, row by row."""

    history: list[Row]
    heads: list[Row]
    changes: list[Row]
    limits: list[Row]


HISTORY = "SELECT * FROM ad_change_history ORDER BY tenant_id, account_id, seq"
CHANGES = "SELECT * FROM pending_ad_changes"
SQLITE = (HISTORY, "SELECT * FROM ad_change_heads", CHANGES, "SELECT * FROM ad_account_limits")
POSTGRES = (
    HISTORY,
    "SELECT tenant_id, account_id, head_seq AS seq, head_hash AS hash FROM ad_accounts WHERE head_seq > 0",
    CHANGES,
    "SELECT tenant_id, account_id, min_minor, max_minor FROM ad_accounts WHERE currency IS NOT NULL",
)


def read_database(address: str, schema: str) -> Tables:
    """Reads what the executor wrote."""
    if "://" not in address:
        with sqlite3.connect(address) as database:
            database.row_factory = sqlite3.Row
            return Tables(*([dict(row) for row in database.execute(query)] for query in SQLITE))
    import psycopg
    from psycopg.rows import dict_row

    with psycopg.connect(address, options=f"-c search_path={schema}", row_factory=dict_row) as server:
        return Tables(*(list(server.execute(query.encode())) for query in POSTGRES))


def read_lines(path: Path) -> list[Line]:
    """The whole lines of a file of JSON lines; none when it is absent."""
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


class Judge:
    """One run: its platform, its database, its policy, and when which tenant was switched off."""

    def __init__(self, log: list[Line], tables: Tables, policy: dict[str, int], kills: list[Line]) -> None:
        self.policy, self.kills, self.tables = policy, kills, tables
        self.log = [{**line, "at": micros(line["at"])} for line in log]
        self.history = tables.history
        self.changes = {row["id"]: row for row in tables.changes}
        self.found: list[str] = []
        self.intents = {(r["change_id"], r["attempt"]): r for r in self.history if r["kind"] == "intent"}
        self.outcomes = {(r["change_id"], r["attempt"]): r for r in self.history if r["kind"] == "outcome"}
        self.late = {(r["change_id"], r["attempt"]) for r in self.history if r["kind"] == "late"}
        self.posts = [
            line for line in self.log
            if line["kind"] == "request" and line["method"] == "POST" and line["surface"] == "graph"
        ]
        self.effects = [line for line in self.log if line["kind"] == "effect"]
        self.own = [line for line in self.effects if line["actor"] == "app"]
        self.overdue = [line for line in self.own if self.is_overdue(line)]
        late = {line["seq"] for line in self.overdue}
        self.timely = [line for line in self.own if line["seq"] not in late and self.key(line) in self.intents]
        self.values: dict[str, list[tuple[int, Any]]] = collections.defaultdict(list)
        for line in self.effects:
            if line["field"] == "daily_budget":
                history = self.values[line["object_id"]]
                if not history:
                    history.append((0, line["before"]))
                history.append((line["seq"], line["after"]))
        # A request that was held up arrived when its fault began, not when it was taken up.
        self.held_up: dict[tuple[Any, str], int] = {}
        for line in self.log:
            if line["kind"] == "fault" and line["method"] == "POST":
                self.held_up.setdefault((line["request_id"], line["path"]), line["at"])

    @staticmethod
    def key(line: Line) -> Key:
        return line.get("change_id"), line.get("attempt")

    def is_overdue(self, effect: Line) -> bool:
        """Whether an effect landed later than is promised for."""
        intent = self.intents.get(self.key(effect))
        wait = (self.policy["lease_ms"] + self.policy["landing_ms"]) * MS
        return intent is not None and effect["at"] > intent["at"] + wait

    def arrived(self, post: Line) -> int:
        return self.held_up.get((post["request_id"], post["path"]), int(post["at"]))

    def expect(self, holds: bool, code: str, why: str) -> None:
        if not holds:
            self.found.append(f"{code}: {why}")

    def judge(self) -> list[str]:
        """One line for each thing that does not hold."""
        for check in (
            self.log_is_whole, self.chain, self.once, self.audit_first, self.one_outcome, self.completed_means_landed,
            self.velocity, self.rate, self.exclusive, self.no_blind_resend, self.bounds, self.kill, self.freshness,
            self.order, self.cuts_first, self.isolation,
        ):
            check()
        return self.found

    def log_is_whole(self) -> None:
        values: dict[tuple[str, str], Any] = {}
        previous = 0
        for number, line in enumerate(self.log, 1):
            self.expect(line["seq"] == number, "log", f"line {number} has seq {line['seq']}")
            self.expect(line["at"] >= previous, "log", f"time goes back at line {number}")
            previous = line["at"]
            if line["kind"] == "effect":
                key = (line["object_id"], line["field"])
                self.expect(values.get(key, line["before"]) == line["before"], "log", f"line {number}: another before")
                values[key] = line["after"]

    def chain(self) -> None:
        last: dict[tuple[str, str], Row] = {}
        for row in self.history:
            key = (row["tenant_id"], row["account_id"])
            before, name = last.get(key), f"history {row['tenant_id']}/{row['account_id']}#{row['seq']}"
            self.expect(row["seq"] == (before["seq"] if before else 0) + 1, "I3", f"{name}: a gap before it")
            self.expect(row["prev_hash"] == (before["hash"] if before else "0" * 64), "I3", f"{name}: prev_hash")
            self.expect(row["hash"] == seal(row), "I3", f"{name}: its hash is not that of its fields")
            self.expect(before is None or before["at"] <= row["at"], "I13", f"{name}: time goes back")
            last[key] = row
        heads = {(head["tenant_id"], head["account_id"]): (head["seq"], head["hash"]) for head in self.tables.heads}
        expected = {key: (row["seq"], row["hash"]) for key, row in last.items()}
        self.expect(heads == expected, "I3", f"the heads are {heads}, not {expected}")

    def once(self) -> None:
        counts = collections.Counter(effect["change_id"] for effect in self.timely)
        for change, count in counts.items():
            self.expect(count == 1, "I2", f"{change} took effect {count} times")
        sent: dict[str, set[str]] = collections.defaultdict(set)
        attempts: collections.Counter[Key] = collections.Counter()
        for post in self.posts:
            if "change_id" in post:
                sent[post["change_id"]].add(json.dumps([post["path"], post["sent"], post["body_bytes"]]))
                attempts[self.key(post)] += 1
        for change, bodies in sent.items():
            self.expect(len(bodies) == 1, "I2", f"{change}: its requests differ: {sorted(bodies)}")
        for key, count in attempts.items():
            self.expect(count == 1, "I7", f"{key}: sent {count} times")

    def audit_first(self) -> None:
        for post in self.posts:
            where = f"line {post['seq']} of {post.get('change_id')}, attempt {post.get('attempt')}"
            if "change_id" not in post:
                self.found.append(f"I16: line {post['seq']}: a request without a change")
                continue
            intent = self.intents.get(self.key(post))
            if intent is None:
                self.found.append(f"I3: {where}: no intent")
                continue
            value = post["sent"].get("daily_budget")
            self.expect(value == str(intent["to_value"]), "I3", f"{where}: {value}, not {intent['to_value']}")
            owner = post["path"].rsplit("/", 1)[1]
            self.expect(owner == intent["owner_id"], "I3", f"{where}: {owner}, not {intent['owner_id']}")
            self.expect(intent["at"] <= self.arrived(post), "I3", f"{where}: before its intent")
        for effect in self.own:
            intent = self.intents.get(self.key(effect))
            where = f"line {effect['seq']}: the effect of {effect.get('change_id')}"
            self.expect(intent is not None, "I3", f"{where} has no intent")
            same = intent is None or effect["after"] == intent["to_value"]
            self.expect(same, "I3", f"{where} is not what was intended")

    def one_outcome(self) -> None:
        kinds = collections.Counter((r["change_id"], r["attempt"], r["kind"]) for r in self.history)
        for change, attempt in self.intents:
            self.expect(kinds[(change, attempt, "intent")] == 1, "I3", f"{change}: attempt {attempt} intended twice")
            row = self.changes.get(change)
            if row is None:
                self.found.append(f"I3: {change}: an intent without a change")
                continue
            flying = row["status"] in ("claimed", "executing") and attempt == row["attempt"]
            count = kinds[(change, attempt, "outcome")]
            self.expect(count == (0 if flying else 1), "I3", f"{change}: attempt {attempt} has {count} outcomes")
        for key in self.outcomes:
            self.expect(key in self.intents, "I3", f"{key}: an outcome without an intent")

    def completed_means_landed(self) -> None:
        landed = {effect["change_id"] for effect in self.own if "change_id" in effect}
        for row in self.changes.values():
            if row["status"] == "completed" and row["id"] not in landed and row["reason"] != "resolved":
                shown = any(self.shows(post, row["sent_value"]) for post in self.posts if self.of(post, row["id"]))
                self.expect(shown, "I3", f"{row['id']} is completed ({row['reason']}) and never landed")
        for effect in self.timely:
            key = self.key(effect)
            outcome = self.outcomes.get(key)
            if outcome is None:
                continue
            known = outcome["status"] == "completed" or outcome["reason"] == "conflict" or key in self.late
            why = f"{key} landed, and its outcome is {outcome['status']} ({outcome['reason']})"
            self.expect(known, "I3", why)

    @staticmethod
    def of(line: Line, change: str) -> bool:
        return line.get("change_id") == change

    def shows(self, post: Line, value: Any) -> bool:
        """Whether the platform showed a value when a request came, or somebody else set it until its outcome."""
        history = self.values.get(post["path"].rsplit("/", 1)[1], [])
        before = [after for seq, after in history if seq < post["seq"]]
        later = [after for seq, after in history if seq > post["seq"]]
        return value in later or bool(before) and before[-1] == value

    def velocity(self) -> None:
        window, part = self.policy["velocity_window_ms"] * MS, self.policy["velocity_per_mille"]
        for owner, effects in self.by(lambda effect: effect["object_id"]).items():
            for end, last in enumerate(effects):
                total = 0
                for effect in reversed(effects[: end + 1]):
                    if effect["at"] <= last["at"] - window:
                        break
                    start = self.intents[self.key(effect)]["from_value"]
                    total += abs(effect["after"] - start)
                    why = f"{owner}: {total} in the window up to line {last['seq']}, from {start}"
                    self.expect(total * 1_000 <= start * part, "I1", why)

    def by(self, name: Any) -> dict[str, list[Line]]:
        """The own effects on budgets that landed in time, by some name."""
        found: dict[str, list[Line]] = collections.defaultdict(list)
        for effect in self.timely:
            if effect["field"] == "daily_budget":
                found[name(effect)].append(effect)
        return found

    def rate(self) -> None:
        window = self.policy["rate_window_ms"] * MS
        campaign_of = {key: row["campaign_id"] for key, row in self.intents.items()}
        adsets = {e["object_id"] for e in self.timely if e["object_type"] == "adset"}
        limits = [
            (self.by(lambda effect: effect["object_id"]), self.policy["adset_budget_changes"], adsets),
            (self.by(lambda effect: campaign_of[self.key(effect)]), self.policy["campaign_changes"], None),
        ]
        for groups, most, only in limits:
            for name, effects in groups.items():
                times = [effect["at"] for effect in effects]
                worst = max(sum(at - window < t <= at for t in times) for at in times)
                counts = only is None or name in only
                self.expect(not counts or worst <= most, "I4", f"{name}: {worst} changes in a window, not {most}")

    def exclusive(self) -> None:
        flying: dict[tuple[str, ...], Key] = {}
        for row in self.history:
            owner = (row["tenant_id"], row["account_id"], row["owner_level"], row["owner_id"])
            key = (row["change_id"], row["attempt"])
            if row["kind"] == "intent":
                other = flying.get(owner)
                self.expect(other is None, "I5", f"{owner[-1]}: {key} is intended while {other} is in flight")
                flying[owner] = key
            elif row["kind"] == "outcome" and flying.get(owner) == key:
                del flying[owner]

    def no_blind_resend(self) -> None:
        for (change, attempt), intent in self.intents.items():
            if attempt == 1:
                continue
            before = self.outcomes.get((change, attempt - 1))
            known = before is not None and before["seq"] < intent["seq"] and before["status"] in NO_EFFECT
            human = any(
                r["kind"] == "resolved" and self.of(r, change) and r["status"] == "failed" for r in self.history
            )
            unsure = before is not None and before["reason"] == "conflict" and not human
            self.expect(known and not unsure, "I7", f"{change}: attempt {attempt} without a verdict on the one before")

    def bounds(self) -> None:
        limits = {(row["tenant_id"], row["account_id"]): row for row in self.tables.limits}
        for post in self.posts:
            value, intent = post["sent"].get("daily_budget", ""), self.intents.get(self.key(post))
            where = f"line {post['seq']}: {value}"
            self.expect(value.isdecimal() and int(value) > 0, "I9", f"{where} is no amount")
            if intent is None or not value.isdecimal():
                continue
            row = self.changes.get(intent["change_id"])
            if row is not None:
                wanted = (row["target"] > row["expected_from"]) == (int(value) > row["expected_from"])
                self.expect(wanted, "I9", f"{where} is in the other direction than {row['target']}")
            bound = limits.get((intent["tenant_id"], intent["account_id"]), {})
            least, most = bound.get("min_minor"), bound.get("max_minor")
            self.expect(least is None or int(value) >= least, "I9", f"{where} is below the floor {least}")
            self.expect(most is None or int(value) <= most, "I9", f"{where} is above the ceiling {most}")

    def kill(self) -> None:
        patience = 2 * self.policy["send_timeout_ms"] * MS
        for kill in self.kills:
            start, end = micros(kill["from"]), micros(kill["until"])
            owners: collections.Counter[str] = collections.Counter()
            for post in self.posts:
                intent, at = self.intents.get(self.key(post)), self.arrived(post)
                if intent is None or intent["tenant_id"] != kill["tenant"] or not start <= at < end:
                    continue
                owners[intent["owner_id"]] += 1
                self.expect(at <= start + patience, "I10", f"line {post['seq']} was sent under a kill switch")
            for owner, count in owners.items():
                self.expect(count <= 1, "I10", f"{owner}: {count} requests under a kill switch")
            for key, intent in self.intents.items():
                under = start <= intent["at"] < end and intent["tenant_id"] == kill["tenant"]
                self.expect(not under, "I10", f"{key} was intended under a kill switch")

    def freshness(self) -> None:
        patience = 2 * self.policy["send_timeout_ms"] * MS
        for post in self.posts:
            row = self.changes.get(post.get("change_id", ""))
            fresh = row is None or self.arrived(post) < row["expires_at"] + patience
            self.expect(fresh, "I12", f"line {post['seq']} was sent after its expiry")
        for key, intent in self.intents.items():
            row = self.changes.get(key[0])
            if row is not None:
                same = intent["from_value"] == row["expected_from"]
                self.expect(same, "I12", f"{key}: from {intent['from_value']}, decided on {row['expected_from']}")
                self.expect(intent["at"] < row["expires_at"], "I12", f"{key}: intended after its expiry")

    def order(self) -> None:
        ended: dict[str, Row] = {}
        for row in self.history:
            if row["kind"] == "blocked" and row["reason"] in ("superseded", "cancelled"):
                ended[row["change_id"]] = row
            if row["kind"] == "intent" and row["change_id"] in ended:
                reason = ended[row["change_id"]]["reason"]
                self.found.append(f"I14: {row['change_id']} is sent after it was {reason}")

    def cuts_first(self) -> None:
        raised: set[tuple[str, str]] = set()
        for effect in self.timely:
            intent = self.intents[self.key(effect)]
            if intent["allocation_id"] is None:
                continue
            allocation = (intent["tenant_id"], intent["allocation_id"])
            if intent["to_value"] > intent["from_value"]:
                raised.add(allocation)
            else:
                why = f"line {effect['seq']}: a cut lands after a raise of its allocation"
                self.expect(allocation not in raised, "I14", why)

    def isolation(self) -> None:
        refused = {
            line["request_id"] for line in self.log
            if line["kind"] == "request" and (line.get("error") or {}).get("code") in (190, 104, 10, 200)
        }
        for row in self.history:
            if row["reason"] == "unauthorized" and row["detail"] is not None:
                why = f"history {row['tenant_id']}#{row['seq']}: the platform did not refuse its credentials"
                self.expect(row["request_id"] in refused, "I15", why)

    def unnoticed(self) -> list[str]:
        """Effects outside of the promise that the history still denies: worth a look, and no violation."""
        found = []
        for effect in self.overdue:
            change, outcome = self.changes[effect["change_id"]], self.outcomes.get(self.key(effect), {})
            if self.key(effect) not in self.late and change["status"] != "completed":
                found.append(
                    f"{self.key(effect)} landed at line {effect['seq']} and is denied: outcome {outcome.get('status')} "
                    f"({outcome.get('reason')}), change {change['status']} ({change['reason']}), attempt {change['attempt']}"
                )
        return found

    def paths(self) -> dict[str, int]:
        """How often which way was gone."""
        counts: collections.Counter[str] = collections.Counter()
        for row in self.history:
            counts[row["kind"]] += 1
            if row["reason"] is not None:
                counts[row["reason"]] += 1
            counts["sent_again"] += row["kind"] == "intent" and row["attempt"] > 1
            counts["completed"] += row["kind"] == "outcome" and row["status"] == "completed" and row["reason"] is None
        counts["abandoned"] = counts.pop("not_sent", 0)
        counts["landed_late"] = len(self.late)
        counts["edit"] = sum(effect["actor"] == "human" for effect in self.effects)
        counts["effect"] = len(self.own)
        counts["request"] = len(self.posts)
        counts["overdue"] = len(self.overdue)
        counts["overdue_unnoticed"] = len(self.unnoticed())
        for line in self.log:
            if line["kind"] == "fault":
                counts[f"fault {next(iter(line['fault']))}"] += 1
        return dict(sorted(counts.items()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("log", type=Path)
    parser.add_argument("database")
    parser.add_argument("--policy", type=json.loads, required=True, help="the figures of the guards, as JSON")
    parser.add_argument("--kills", type=Path, help="lines of {tenant, from, until}: when a kill switch was surely on")
    parser.add_argument("--schema", default="xynergy")
    parser.add_argument("--json", action="store_true", help="print {problems, paths, notes}")
    options = parser.parse_args()
    kills = read_lines(options.kills) if options.kills else []
    judge = Judge(read_lines(options.log), read_database(options.database, options.schema), options.policy, kills)
    found, paths = judge.judge(), judge.paths()
    if options.json:
        print(json.dumps({"problems": found, "paths": paths, "notes": judge.unnoticed()}))
        return 0
    for name, count in paths.items():
        print(f"{count:8} {name}")
    print("\n".join(found) or "every invariant holds")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
