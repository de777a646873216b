"""Computes what deals are worth a second time, from the rules of docs/revenue.md, and compares with a vector file.

    ledger_oracle.py                  every `attribution.deals` of tests/vectors/revenue_values.json; exit 1 and name each difference
    ledger_oracle.py --write          writes the expectations instead
    ledger_oracle.py --ledgers FILE   the events and ledgers that a test of the library wrote (`XYNERGY_LEDGERS=FILE cargo test -p
                                      xynergy-attribution a_hundred_thousand`)

It shares no code with the library and is written for reading: the state of a deal is made anew from all events up to each one, with
exact fractions, and a line of the ledger is the difference of two such states.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

Row = dict[str, Any]
# What each stage of a pipeline is worth.
Table = dict[tuple[str | None, str], Row]

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "revenue_values.json"
LISTED = {
    "appointmentscheduled": (150_000, Fraction(2, 10)), "qualifiedtobuy": (150_000, Fraction(4, 10)),
    "presentationscheduled": (150_000, Fraction(6, 10)), "decisionmakerboughtin": (150_000, Fraction(8, 10)),
    "contractsent": (150_000, Fraction(9, 10)), "closedwon": (500_000, Fraction(1)), "closedlost": (0, Fraction(0)),
}
KINDS = {"creation": "created", "deletion": "deleted", "restore": "restored", "merge": "merged"}
PROPERTIES = {"dealstage": "stage", "pipeline": "pipeline", "amount": "amount", "deal_currency_code": "currency"}


def whole(number: Fraction) -> int:
    """To the nearest, halves away from zero."""
    down = abs(number).__floor__()
    nearest = down + (abs(number) - down >= Fraction(1, 2))
    return -nearest if number < 0 else nearest


def shown(millis: int) -> str:
    seconds, rest = divmod(millis, 1000)
    from datetime import UTC, datetime
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:03}".rstrip("0") + "Z" if rest else f"{text}Z"


def millis(text: str) -> int:
    from datetime import datetime
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def key_of(event: Row, others: list[str]) -> str:
    """The documented hash: each part preceded by whether it is there and by its length."""
    object_id = event.get("objectId", event.get("newObjectId", event.get("primaryObjectId")))
    parts = [event.get("portalId"), event["subscriptionType"], event.get("objectTypeId"), object_id, event.get("propertyName"),
             event["eventId"], event["occurredAt"], event.get("propertyValue")]
    if event["subscriptionType"].endswith(".merge"):
        parts.append(",".join(others))
    hashed = hashlib.sha256()
    for part in parts:
        data = b"" if part is None else str(part).encode()
        hashed.update(bytes([part is not None]) + len(data).to_bytes(8, "big") + data)
    return hashed.hexdigest()[:32]


WEBHOOK_FIELDS = ["deal_id", "stage", "pipeline", "amount", "currency", "created_at"]


def read_own(delivery: str, body: str, recorded: int) -> list[Row]:
    """The events of a signed webhook: one for each thing that an element says, with the documented hash of what is kept of it."""
    rows = []
    told = json.loads(body)
    for index, element in enumerate(told if isinstance(told, list) else [told]):
        kind, data, at = element["type"], dict(element["data"]), millis(element["timestamp"])
        data.pop("contacts", None)
        for name in ("amount", "currency"):
            data[name] = data[name].upper() if name == "currency" and data.get(name) else data.get(name, 0)
            if data[name] == 0:
                del data[name]
        if "created_at" in data:
            data["created_at"] = shown(millis(data["created_at"]))
        data = dict(sorted(data.items(), key=lambda item: WEBHOOK_FIELDS.index(item[0]) if item[0] in WEBHOOK_FIELDS else 9))
        changes: list[tuple[str, str, int]] = []
        if kind == "deal.updated":
            changes = [(cause, cause, at) for cause in ("pipeline", "currency", "amount", "stage") if cause in data]
            if "created_at" in data:
                changes.append(("created", "created", millis(data["created_at"])))
        elif kind in ("deal.deleted", "deal.restored"):
            changes = [(kind.split(".")[1], "", at)]
        else:
            changes = [{"deal.refunded": ("refund", "refund", at), "deal.merged": ("merged", "merged", at)}[kind]]
        for cause, field, when in changes:
            raw = json.dumps({"type": kind, "timestamp": shown(when), "data": data}, separators=(",", ":"), ensure_ascii=False)
            hashed = hashlib.sha256(b"webhooks")
            for part in (delivery, str(index), kind, field, raw):
                hashed.update(len(part.encode()).to_bytes(8, "big") + part.encode())
            rows.append({
                "key": hashed.hexdigest()[:32], "at": when, "id": f"{delivery}.{index}", "cause": cause, "deal": str(data["deal_id"]),
                "others": [str(other) for other in data.get("merged_deal_ids", [])],
                "value": data["amount"] if cause == "refund" else data.get(cause), "currency": data.get("currency"),
                "recorded": recorded,
            })
    return rows


def read(body: str, recorded: int) -> list[Row]:
    rows = []
    for event in json.loads(body):
        what = event["subscriptionType"].split(".")[1]
        cause = PROPERTIES.get(event.get("propertyName", "")) if what == "propertyChange" else KINDS.get(what)
        others: list[str] = []
        about = str(event.get("objectId"))
        if cause == "merged":
            about = str(event.get("newObjectId", event["primaryObjectId"]))
            others = sorted({str(event["primaryObjectId"]), *map(str, event["mergedObjectIds"])} - {about})
        rows.append({
            "key": key_of(event, others), "at": event["occurredAt"], "id": str(event["eventId"]), "cause": cause, "deal": about,
            "others": others, "value": event.get("propertyValue") or None, "recorded": recorded,
        })
    return rows


class Rules:
    def __init__(self, config: Row) -> None:
        self.use_amounts = config.get("use_amounts", False)
        self.pipelines = {pipeline["id"]: pipeline["stages"] for pipeline in config.get("pipelines", [])}
        currencies = config.get("currencies", {})
        self.base, self.rates = currencies.get("base", "USD"), currencies.get("rates", [])

    def stage(self, pipeline: str | None, stage: str) -> tuple[str | None, int, Fraction, str | None]:
        """(configured pipeline, value, probability, what is wrong)."""
        candidates = [pipeline] if pipeline else list(self.pipelines)
        for name in candidates:
            for row in self.pipelines.get(name, []):
                if row["id"] == stage:
                    chance = Fraction(row["probability_permille"], 1000)
                    own = row.get("value_minor")
                    return name, whole(500_000 * chance) if own is None else own, chance, None
        value, chance = LISTED.get(stage, (50_000, Fraction(1, 10)))
        wrong = None
        if self.pipelines:
            wrong = "pipeline" if pipeline and pipeline not in self.pipelines else "stage"
        return (pipeline if pipeline in self.pipelines else None), value, chance, wrong

    def convert(self, amount: str, currency: str | None, at: int, less: Fraction = Fraction(0)) -> tuple[int | None, str | None]:
        if number(amount) is None:
            return None, "amount"
        rate = Fraction(1)
        if currency not in (None, self.base):
            fitting = [row for row in self.rates if row["currency"] == currency and (not row.get("since") or millis(row["since"]) <= at)]
            if not fitting:
                return None, "currency"
            rate = Fraction(max(fitting, key=lambda row: millis(row["since"]) if row.get("since") else -1)["rate"])
        return whole(max(Fraction(amount) - less, Fraction(0)) * rate * 100), None


def number(amount: str) -> Fraction | None:
    """A decimal number that is not below zero."""
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", amount):
        return None
    return Fraction(amount) if Fraction(amount) >= 0 else None


def state(events: list[Row], deal: str) -> Row:
    """A deal as it stands after `events`, made from nothing."""
    own: dict[str, Row] = {}
    into: dict[str, str] = {}
    taken: dict[str, list[str]] = {}

    def end(name: str) -> str:
        while name in into:
            name = into[name]
        return name

    for event in events:
        for name in [event["deal"], *event["others"]]:
            own.setdefault(name, {"deleted": False, "refunds": []})
        fields = own[event["deal"]]
        if event["cause"] in ("stage", "pipeline", "amount", "currency"):
            if event["cause"] == "stage" and fields.get("stage") != event["value"]:
                fields["entered"] = event["at"]
            fields[event["cause"]] = event["value"]
        elif event["cause"] in ("deleted", "restored"):
            fields["deleted"] = event["cause"] == "deleted"
        elif event["cause"] == "refund":
            fields["refunds"].append((event["value"], event["currency"], event["at"]))
        elif event["cause"] == "merged":
            survivor = end(event["deal"])
            for name in event["others"]:
                gone = end(name)
                if gone != survivor:
                    into[gone] = survivor
                    taken.setdefault(survivor, []).extend([gone, *taken.get(gone, [])])
    everyone = [own.get(name, {}) for name in [deal, *taken.get(deal, [])]]
    staged = next((fields for fields in everyone if fields.get("stage")), {})
    money = next((fields for fields in everyone if fields.get("amount")), everyone[0])
    refunds = []
    for fields in everyone:
        # In the money of the deal that it is of, or, where that never had any, of the one that counts.
        home = fields if fields.get("amount") or fields.get("currency") else money
        refunds += [(amount, currency or home.get("currency"), at) for amount, currency, at in fields.get("refunds", [])]
    return {
        "refunds": refunds,
        "stage": staged.get("stage"), "pipeline": staged.get("pipeline"), "entered": staged.get("entered", 0),
        "amount": money.get("amount"), "currency": money.get("currency"),
        "deleted": own.get(deal, {}).get("deleted", False), "into": end(deal) if deal in into else None,
    }


def worth(found: Row, rules: Rules, table: Table | None, at: int) -> tuple[int, int | None, str | None]:
    back, back_wrong = 0, None
    for refund in found["refunds"]:
        minor, what = rules.convert(*refund)
        back, back_wrong = back + (minor or 0), back_wrong or (what and "refund")
    amount, wrong = None, None
    if found["amount"] is not None:
        # What went back in the amount's own money goes from it before it is converted, the rest as what it was worth then.
        same = [refund for refund in found["refunds"] if (refund[1] or rules.base) == (found["currency"] or rules.base)]
        other = [rules.convert(*refund) for refund in found["refunds"] if refund not in same]
        whole_amount, wrong = rules.convert(found["amount"], found["currency"], at, sum((number(r[0]) or Fraction(0) for r in same), Fraction(0)))
        paid_wrong = "refund" if any(number(refund[0]) is None for refund in same) or any(what for _, what in other) else None
        if whole_amount is not None:
            amount = max(0, whole_amount - sum(minor or 0 for minor, _ in other))
        back_wrong = paid_wrong if rules.use_amounts and amount is not None else back_wrong or paid_wrong
    wrong = wrong or back_wrong
    if found["stage"] is None:
        return 0, amount, wrong
    pipeline, value, chance, unknown = rules.stage(found["pipeline"], found["stage"])
    if found["deleted"] or found["into"] or chance == 0:
        return 0, amount, wrong or unknown
    learned = (table or {}).get((pipeline, found["stage"]))
    if learned:
        value, chance = learned["value"], Fraction(learned["chance"], 1_000_000)
    if rules.use_amounts and amount is not None:
        return whole(amount * chance), amount, wrong or unknown
    return max(0, value - back), amount, wrong or unknown


def learn(events: list[Row], rules: Rules, cut: int) -> Table:
    """The values of the stages by the events up to the cut; none of these vectors has the 200 closed deals from which age counts."""
    before = [event for event in events if event["at"] <= cut]
    rows: Table = {}
    for deal in sorted({event["deal"] for event in before}):
        found = state(before, deal)
        if found["stage"] is None or found["deleted"] or found["into"]:
            continue
        value, amount, _ = worth(found, rules, None, cut)
        chance = rules.stage(found["pipeline"], found["stage"])[2]
        visited = {event["value"] for event in before if event["deal"] == deal and event["cause"] == "stage"}
        for stage in visited:
            pipeline = rules.stage(found["pipeline"], stage)[0]
            row = rows.setdefault((pipeline, stage), {"closed": 0, "won": 0, "brought": 0})
            if chance in (0, 1):
                row["closed"] += 1
                row["won"] += chance == 1
                row["brought"] += (value if amount is None else amount) if chance == 1 else 0
    for (pipeline, stage), row in rows.items():
        _, value, chance, _ = rules.stage(pipeline, stage)
        total = 20 + row["closed"]
        row["value"] = 0 if chance == 0 else whole(Fraction(20 * value + row["brought"], total))
        mean = whole((20 * chance + row["won"]) * 1_000_000 / total)
        row["chance"] = {0: 0, 1: 1_000_000}.get(chance, mean)  # type: ignore[call-overload]
    return rows


def order(event: Row) -> tuple[Any, ...]:
    """By time, then id (whole numbers by value and before all others), then what it says, then key."""
    is_whole = re.fullmatch("[0-9]+", event["id"]) is not None
    said = ["stage", "pipeline", "amount", "currency", "created", "deleted", "restored", "merged", "refund"].index(event["cause"])
    return (event["at"], not is_whole, int(event["id"]) if is_whole else 0, "" if is_whole else event["id"], said,
            event["value"] or "", event.get("currency") or "", event["key"])


def deals(events: list[Row], config: Row, cuts: list[int]) -> list[Row]:
    rules = Rules(config)
    unique = sorted({event["key"]: event for event in events if event["cause"]}.values(), key=order)
    tables = [(cut, learn(unique, rules, cut)) for cut in sorted(set(cuts))]
    steps: list[tuple[int, int, Row | None]] = [(event["at"], 0, event) for event in unique]
    steps += [(cut, 1, None) for cut, _ in tables]
    steps.sort(key=lambda step: (step[0], step[1]))
    answer = []
    for deal in sorted({name for event in unique for name in [event["deal"], *event["others"]]}):
        entries: list[Row] = []
        done: list[Row] = []
        table, last, stage, problem, amount = None, 0, None, None, None
        for at, _, event in steps:
            if event is None:
                table = dict(tables)[at]
                if not any(deal in (e["deal"], *e["others"]) for e in done):
                    continue
            else:
                done.append(event)
            found = state(done, deal)
            concerned = event is None or deal in (event["deal"], *event["others"])
            if event and event["cause"] == "merged":
                # Of a deal that was merged away before, the one that has taken it up is merged in its place.
                goes = found["into"] is not None and state(done[:-1], deal)["into"] is None
                concerned = goes or deal == (state(done, event["deal"])["into"] or event["deal"])
            if not concerned and not any(state(done, e["deal"])["into"] == deal for e in [event] if e):
                continue
            value, amount, problem = worth(found, rules, table, at)
            moved = event is not None and event["cause"] == "stage" and event["deal"] == deal
            if found["stage"] and (moved or value != last):
                key = event["key"] if event else b"revalued".hex() + (at * 1000).to_bytes(8, "big").hex()
                entries.append({"event": key, "occurred_at": shown(at), "cause": event["cause"] if event else "revalued",
                                "stage_from": stage, "stage_to": found["stage"], "delta_minor": value - last})
            last, stage = value, found["stage"]
        final = state(unique, deal)
        if final["stage"] is None:
            continue
        seen = sum(deal in (event["deal"], *event["others"]) for event in unique)
        counted = sum(1 + sum(event["at"] <= cut for event in unique) for cut, _ in tables)
        answer.append({
            "deal_id": deal, "stage": final["stage"], "pipeline": final["pipeline"], "value_minor": last, "amount_minor": amount,
            "merged_into": final["into"], "problem": problem, "entries": entries, "events_seen": seen, "values_seen": counted,
        })
    return answer


def plain(expected: list[Row]) -> list[Row]:
    """The expectations without what this program does not compute: of a problem only the field."""
    rows = []
    for row in expected:
        told = row["problem"]
        told = told["$contains"].split(":")[0] if isinstance(told, dict) else told
        rows.append({**{name: value for name, value in row.items() if name not in ("matched", "facts")}, "problem": told})
    return rows


def expectation(row: Row) -> Row:
    told = row["problem"] and {"$contains": f"{row['problem']}: "}
    facts = {"pipeline": None, "amount": None, "currency": None}
    return {**row, "problem": told, "facts": facts, "matched": {"$any": "object"}}


def groups(events: list[Row]) -> list[list[Row]]:
    """The events of deals that hang together by merges."""
    root: dict[str, str] = {}

    def find(name: str) -> str:
        while root.setdefault(name, name) != name:
            name = root[name]
        return name

    for event in events:
        for other in event["others"]:
            root[find(other)] = find(event["deal"])
    together: dict[str, list[Row]] = {}
    for event in events:
        together.setdefault(find(event["deal"]), []).append(event)
    return list(together.values())


def compare(path: Path) -> int:
    """Many events, in any order and some of them again, beside the ledgers that the library made of them."""
    config, *rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    events = [row["said"] for row in rows if "said" in row]
    expected = {row["ledger"]["deal_id"]: row["ledger"] for row in rows if "ledger" in row}
    found: dict[str, Row] = {}
    for together in groups(events):
        found.update({row["deal_id"]: row for row in deals(together, config, [])})
    wrong = 0
    for deal in sorted(expected.keys() | found.keys()):
        own = {name: value for name, value in found.get(deal, {}).items() if name in expected.get(deal, {})}
        if own != expected.get(deal):
            wrong += 1
            if wrong <= 5:
                print(f"{deal}: the rules give {json.dumps(own)}, the library {json.dumps(expected.get(deal))}", file=sys.stderr)
    print(f"{len(events)} events, {len(expected)} ledgers, {wrong} differ")
    return 1 if wrong or not expected else 0


def main() -> int:
    parser = argparse.ArgumentParser(description="Compute what deals are worth a second time.")
    parser.add_argument("--vectors", type=Path, default=VECTORS)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--ledgers", type=Path)
    options = parser.parse_args()
    if options.ledgers:
        return compare(options.ledgers)
    text = options.vectors.read_text(encoding="utf-8")
    file = json.loads(text)
    wrong = compared = 0
    for case in file["cases"]:
        config = case.get("client", {}).get("config", {}).get("attribution", {})
        events: list[Row] = []
        cuts: list[int] = []
        for step in case["steps"]:
            arguments = step.get("args", {})
            if step.get("call") == "hubspot.accept":
                events += read(arguments["body"], millis(arguments["received_at"]))
            elif step.get("call") == "webhooks.accept" and "expect_error" not in step:
                own = arguments["headers"]["webhook-id"], arguments["body"]
                events += read_own(*own, millis(arguments.get("received_at", file["setup"]["now"])))
            elif step.get("call") == "attribution.revalue" and "expect_error" not in step:
                cuts.append(millis(arguments["cut"]))
            elif step.get("call") == "attribution.deals":
                known = events
                if "as_of" in arguments:
                    known = [event for event in events if event["recorded"] <= millis(arguments["as_of"])]
                found = deals(known, config, [] if "as_of" in arguments else cuts)
                compared += 1
                if options.write:
                    step["expect"] = [expectation(row) for row in found]
                elif plain(step["expect"]) != found:
                    wrong += 1
                    print(f"{case['name']}: the rules give {json.dumps(found)}, the file has {json.dumps(plain(step['expect']))}", file=sys.stderr)
    if options.write:
        options.vectors.write_text(json.dumps(file, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{compared} ledgers, {wrong} differ")
    return 1 if wrong or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
