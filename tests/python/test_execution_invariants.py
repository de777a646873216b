"""The judge of safe execution is judged: a clean run passes, and each planted violation is found by its name.

    python3 -m unittest tests/python/test_execution_invariants.py
"""

from __future__ import annotations

import copy
import datetime
import sys
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import execution_invariants
from invariants import seal

START = 1_770_000_000_000_000
SECOND = 1_000_000
POLICY = {
    "lease_ms": 60_000, "landing_ms": 120_000, "send_timeout_ms": 30_000, "velocity_window_ms": 21_600_000,
    "velocity_per_mille": 200, "rate_window_ms": 3_600_000, "adset_budget_changes": 3, "campaign_changes": 15,
}
Row = dict[str, Any]


class Run:
    """A run in the making: the lines of the platform and the rows of the database."""

    def __init__(self) -> None:
        self.log: list[Row] = []
        self.history: list[Row] = []
        self.changes: dict[str, Row] = {}
        self.limits = [{"tenant_id": "t", "account_id": "act_1", "min_minor": 100, "max_minor": 5_000}]
        self.kills: list[Row] = []
        self.values: dict[str, int] = {}

    def line(self, second: float, kind: str, **fields: Any) -> Row:
        at = datetime.datetime.fromtimestamp(START / SECOND + second, datetime.UTC)
        line = {"seq": len(self.log) + 1, "at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "kind": kind, **fields}
        self.log.append(line)
        return line

    def row(self, second: float, kind: str, change: Row, **fields: Any) -> Row:
        row = {
            "tenant_id": "t", "account_id": "act_1", "seq": len(self.history) + 1, "kind": kind, "change_id": change["id"],
            "attempt": 1, "campaign_id": "c1", "owner_level": "adset", "owner_id": change["owner_id"], "field": "budget",
            "from_value": change["expected_from"], "to_value": change["target"], "status": "claimed", "reason": None,
            "retry_at": None, "detail": None, "duration_ms": None, "allocation_id": change["allocation_id"],
            "causation_id": None, "purpose": "", "actor": None, "request_id": f"req_{change['id']}",
            "at": START + int(second * SECOND), "prev_hash": "", "hash": "", **fields,
        }
        self.history.append(row)
        return row

    def change(self, name: str, owner: str, before: int, after: int, allocation: str | None = None) -> Row:
        self.changes[name] = {
            "id": name, "owner_id": owner, "expected_from": before, "target": after, "sent_value": after, "attempt": 1,
            "status": "completed", "reason": None, "expires_at": START + 86_400 * SECOND, "allocation_id": allocation,
        }
        return self.changes[name]

    def edit(self, second: float, owner: str, value: int) -> None:
        """A person edits."""
        self.effect(second, owner, value, actor="human")

    def effect(self, second: float, owner: str, value: int, **fields: Any) -> Row:
        before = self.values.get(owner, 1_000)
        self.values[owner] = value
        return self.line(
            second, "effect", object_id=owner, object_type="adset", field="daily_budget", before=before, after=value,
            request_id=None, **fields,
        )

    def send(self, second: float, change: Row, attempt: int = 1, lands: bool = True) -> Row:
        ids = {"change_id": change["id"], "attempt": attempt}
        if lands:
            self.effect(second, change["owner_id"], change["target"], actor="app", **ids)
        return self.line(
            second, "request", method="POST", surface="graph", path=f"/graph/v26.0/{change['owner_id']}", status=200,
            request_id=f"req_{change['id']}", body_bytes=17, sent={"daily_budget": str(change["target"])}, **ids,
        )

    def apply(self, second: float, name: str, owner: str, before: int, after: int, allocation: str | None = None) -> Row:
        """A change as it should go: intent, request with its effect, outcome."""
        change = self.change(name, owner, before, after, allocation)
        self.row(second, "intent", change)
        self.send(second + 1, change)
        self.row(second + 2, "outcome", change, status="completed")
        return change

    def judged(self) -> list[str]:
        """What the judge finds once the history is sealed as it stands."""
        before = "0" * 64
        for row in self.history:
            row["prev_hash"] = row["prev_hash"] or before
            row["hash"] = row["hash"] or seal(row)
            before = row["hash"]
        last = self.history[-1]
        heads = [{"tenant_id": "t", "account_id": "act_1", "seq": last["seq"], "hash": last["hash"]}]
        tables = execution_invariants.Tables(self.history, heads, list(self.changes.values()), self.limits)
        return execution_invariants.Judge(copy.deepcopy(self.log), tables, POLICY, self.kills).judge()


class JudgeTest(unittest.TestCase):
    """One test for each invariant, and one for what holds."""

    def finds(self, run: Run, code: str) -> None:
        found = run.judged()
        self.assertTrue(found and all(line.startswith(f"{code}: ") for line in found), found)

    def test_a_clean_run_passes(self) -> None:
        run = Run()
        run.apply(0, "one", "s1", 1_000, 1_100)
        run.apply(10, "two", "s1", 1_100, 1_200)
        lost = run.change("lost", "s2", 1_000, 1_010)
        lost["attempt"] = 2
        run.row(20, "intent", lost)
        run.send(21, lost, lands=False)
        run.row(210, "outcome", lost, status="pending", reason="not_applied")
        run.row(211, "intent", lost, attempt=2)
        run.send(212, lost, attempt=2)
        run.row(213, "outcome", lost, attempt=2, status="completed")
        run.edit(300, "s3", 900)
        self.assertEqual(run.judged(), [])

    def test_i1_velocity(self) -> None:
        run = Run()
        run.apply(0, "one", "s1", 1_000, 1_150)
        run.apply(10, "two", "s1", 1_150, 1_250)
        self.finds(run, "I1")

    def test_i1_an_own_move_after_the_window_is_fine(self) -> None:
        run = Run()
        run.apply(0, "one", "s1", 1_000, 1_150)
        run.apply(21_602, "two", "s1", 1_150, 1_250)
        self.assertEqual(run.judged(), [])

    def test_i2_two_effects(self) -> None:
        run = Run()
        change = run.apply(0, "one", "s1", 1_000, 1_100)
        run.edit(3, "s1", 1_050)
        run.effect(4, "s1", 1_100, actor="app", change_id="one", attempt=1)
        self.assertEqual(change["target"], 1_100)
        found = run.judged()
        self.assertTrue(any(line.startswith("I2: one took effect 2 times") for line in found), found)

    def test_i2_requests_that_differ(self) -> None:
        run = Run()
        lost = run.change("lost", "s2", 1_000, 1_010)
        lost["attempt"] = 2
        run.row(20, "intent", lost)
        run.send(21, lost, lands=False)
        run.row(210, "outcome", lost, status="pending", reason="not_applied")
        run.row(211, "intent", lost, attempt=2)
        run.send(212, lost, attempt=2)["body_bytes"] = 18
        run.row(213, "outcome", lost, attempt=2, status="completed")
        self.finds(run, "I2")

    def test_i3_no_intent(self) -> None:
        run = Run()
        run.apply(0, "one", "s1", 1_000, 1_100)
        run.send(5, run.change("two", "s2", 1_000, 1_100))
        self.finds(run, "I3")

    def test_i3_intent_after_the_request(self) -> None:
        run = Run()
        change = run.change("one", "s1", 1_000, 1_100)
        run.send(0, change)
        run.row(1, "intent", change)
        run.row(2, "outcome", change, status="completed")
        self.finds(run, "I3")

    def test_i3_another_value_than_intended(self) -> None:
        run = Run()
        change = run.change("one", "s1", 1_000, 1_100)
        run.row(0, "intent", change, to_value=1_090)
        run.send(1, change)
        run.row(2, "outcome", change, status="completed", to_value=1_090)
        self.finds(run, "I3")

    def test_i3_outcomes(self) -> None:
        for kinds in ([], ["outcome", "outcome"]):
            run = Run()
            change = run.change("one", "s1", 1_000, 1_100)
            run.row(0, "intent", change)
            run.send(1, change)
            for kind in kinds:
                run.row(2, kind, change, status="completed")
            self.finds(run, "I3")

    def test_i3_completed_without_an_effect(self) -> None:
        run = Run()
        change = run.change("one", "s1", 1_000, 1_100)
        run.row(0, "intent", change)
        run.send(1, change, lands=False)
        run.row(2, "outcome", change, status="completed")
        self.finds(run, "I3")

    def test_i3_an_effect_that_is_denied(self) -> None:
        run = Run()
        change = run.change("one", "s1", 1_000, 1_100)
        change.update(status="failed", reason="platform_rejected")
        run.row(0, "intent", change)
        run.send(1, change)
        run.row(2, "outcome", change, status="failed", reason="platform_rejected")
        self.finds(run, "I3")

    def test_i3_a_row_edited_by_hand(self) -> None:
        run = Run()
        run.apply(0, "one", "s1", 1_000, 1_100)
        run.apply(10, "two", "s2", 1_000, 1_100)
        self.assertEqual(run.judged(), [])
        run.history[1]["detail"] = "all is well"
        self.finds(run, "I3")

    def test_i3_a_row_removed(self) -> None:
        run = Run()
        run.apply(0, "one", "s1", 1_000, 1_100)
        blocked = run.change("two", "s2", 1_000, 1_300)
        blocked.update(status="blocked", reason="velocity")
        run.row(4, "blocked", blocked, attempt=0, status="blocked", reason="velocity")
        run.apply(10, "three", "s2", 1_000, 1_100)
        self.assertEqual(run.judged(), [])
        del run.history[2]
        self.finds(run, "I3")

    def test_i4_rate_of_an_ad_set(self) -> None:
        run = Run()
        for number in range(4):
            run.apply(number * 10, f"n{number}", "s1", 1_000 + number, 1_001 + number)
        self.finds(run, "I4")

    def test_i4_rate_of_a_campaign(self) -> None:
        run = Run()
        for number in range(16):
            run.apply(number * 10, f"n{number}", f"s{number}", 1_000, 1_001)
        self.finds(run, "I4")

    def test_i5_two_in_flight(self) -> None:
        run = Run()
        one, two = run.change("one", "s1", 1_000, 1_100), run.change("two", "s1", 1_000, 1_010)
        two.update(status="blocked", reason="drifted")
        run.row(0, "intent", one)
        run.row(0.5, "intent", two)
        run.send(1, one)
        run.row(2, "outcome", one, status="completed")
        run.row(3, "outcome", two, status="blocked", reason="drifted")
        self.finds(run, "I5")

    def test_i7_sent_again_without_a_verdict(self) -> None:
        for first in ({"status": "completed"}, {"status": "blocked", "reason": "conflict"}):
            run = Run()
            lost = run.change("lost", "s2", 1_000, 1_010)
            lost["attempt"] = 2
            run.row(20, "intent", lost)
            run.send(21, lost, lands=False)
            run.row(210, "outcome", lost, **first)
            run.row(211, "intent", lost, attempt=2)
            run.send(212, lost, attempt=2)
            run.row(213, "outcome", lost, attempt=2, status="completed")
            self.finds(run, "I7")

    def test_i7_an_attempt_sent_twice(self) -> None:
        run = Run()
        change = run.apply(0, "one", "s1", 1_000, 1_100)
        run.send(3, change, lands=False)
        self.finds(run, "I7")

    def test_i9_bounds(self) -> None:
        for after in (90, 6_000):
            run = Run()
            run.limits[0].update(min_minor=950, max_minor=1_150)
            before = 110 if after == 90 else 5_500
            run.values["s1"] = before
            run.apply(0, "one", "s1", before, after)
            self.finds(run, "I9")

    def test_i9_the_other_direction(self) -> None:
        run = Run()
        change = run.apply(0, "one", "s1", 1_000, 1_100)
        change["target"] = 900
        self.finds(run, "I9")

    def test_i10_sent_under_a_kill_switch(self) -> None:
        run = Run()
        run.apply(100, "one", "s1", 1_000, 1_100)
        run.kills.append({"tenant": "t", "from": "2026-02-02T02:40:00Z", "until": "2026-02-02T02:50:00Z"})
        self.finds(run, "I10")
        run.kills[0].update(tenant="other")
        self.assertEqual(run.judged(), [])

    def test_i12_sent_after_its_expiry(self) -> None:
        run = Run()
        change = run.apply(100, "one", "s1", 1_000, 1_100)
        change["expires_at"] = START + 30 * SECOND
        self.finds(run, "I12")

    def test_i12_from_another_value_than_decided_on(self) -> None:
        run = Run()
        run.apply(0, "one", "s1", 1_000, 1_100)["expected_from"] = 990
        self.finds(run, "I12")

    def test_i13_time_goes_back(self) -> None:
        run = Run()
        run.apply(0, "one", "s1", 1_000, 1_100)
        run.history[1]["at"] = run.history[0]["at"] - 1
        self.finds(run, "I13")

    def test_i14_superseded_and_sent(self) -> None:
        run = Run()
        change = run.change("one", "s1", 1_000, 1_100)
        run.row(0, "blocked", change, attempt=0, status="blocked", reason="superseded")
        run.row(1, "intent", change)
        run.send(2, change)
        run.row(3, "outcome", change, status="completed")
        self.finds(run, "I14")

    def test_i14_a_raise_before_the_cut_of_its_allocation(self) -> None:
        run = Run()
        run.apply(0, "raise", "s1", 1_000, 1_100, "allocation")
        run.apply(10, "cut", "s2", 1_000, 900, "allocation")
        self.finds(run, "I14")

    def test_i15_refused_for_somebody_elses_credentials(self) -> None:
        run = Run()
        run.apply(0, "one", "s1", 1_000, 1_100)
        change = run.change("two", "s2", 1_000, 1_100)
        change.update(status="blocked", reason="unauthorized")
        run.row(5, "blocked", change, attempt=0, status="blocked", reason="unauthorized", detail="Meta refuses the token")
        self.finds(run, "I15")

    def test_i16_a_request_without_a_change(self) -> None:
        run = Run()
        run.apply(0, "one", "s1", 1_000, 1_100)
        post = run.send(5, run.change("two", "s2", 1_000, 1_010), lands=False)
        del post["change_id"]
        run.changes.pop("two")
        self.finds(run, "I16")

    def test_a_late_landing_is_no_second_effect(self) -> None:
        run = Run()
        change = run.change("one", "s1", 1_000, 1_100)
        change.update(status="completed", reason="landed_late")
        run.row(0, "intent", change)
        run.send(1, change, lands=False)
        run.row(190, "outcome", change, status="failed", reason="attempts_exhausted")
        run.effect(500, "s1", 1_100, actor="app", change_id="one", attempt=1)
        run.row(600, "late", change, status="completed", reason="landed_late")
        self.assertEqual(run.judged(), [])

    def test_a_log_with_a_line_removed(self) -> None:
        run = Run()
        run.apply(0, "one", "s1", 1_000, 1_100)
        run.edit(5, "s1", 1_050)
        run.edit(6, "s1", 1_051)
        del run.log[2]
        self.finds(run, "log")


if __name__ == "__main__":
    unittest.main()
