"""Random trouble for the closed loop: faults of the platform, kills, Ctrl-C, later runs on the same store.

    python3 random_faults.py [--runs N] [--first N] [--keep DIR]

Each run has a number, and the number decides everything but the real moments of the kills. A run is judged by
`invariants.py`. A failing one is printed with its number and, with --keep, its files are kept.
"""

from __future__ import annotations

import argparse
import collections
import datetime
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import invariants

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "examples" / "data"
CODES = [1, 2, 4, 17, 100, 190, 200, 341, 368, 613, 80004]
NEWEST = datetime.datetime.fromisoformat("2026-03-31T18:00:00+00:00")
TIMEOUT = 240


def nth(rng: random.Random, most: int) -> Any:
    kind = rng.randrange(4)
    if kind == 0:
        return rng.randint(1, most)
    return sorted(rng.sample(range(1, most + 6), rng.randint(1, 3)))


def human_edit(rng: random.Random, owners: list[str], ads: list[str]) -> dict[str, Any]:
    kind = rng.random()
    if kind < 0.15:
        return {"id": rng.choice(ads), "status": rng.choice(["PAUSED", "ACTIVE"])}
    if kind < 0.3:
        return {"id": rng.choice(owners), "status": rng.choice(["PAUSED", "ACTIVE"])}
    return {"id": rng.choice(owners), "daily_budget_percent": rng.choice([-50, -19, -8, -3, 3, 8, 11, 19, 50])}


def write_fault(rng: random.Random, owners: list[str], ads: list[str], landing: bool) -> dict[str, Any]:
    kind = rng.randrange(7)
    if kind == 0:
        return {"delay_ms": rng.randint(1, 40)}
    if kind == 1:
        return {"status": rng.choice([500, 502, 503, 429, 408, 401, 403, 302, 200])}
    if kind == 2:
        error: dict[str, Any] = {"code": rng.choice(CODES)}
        if rng.random() < 0.5:
            error["is_transient"] = rng.random() < 0.5
        if rng.random() < 0.3:
            error["regain_minutes"] = rng.choice([0, 1, 5, 70])
        if rng.random() < 0.2:
            error["status"] = rng.choice([200, 403, 500, 503])
        return {"graph_error": error}
    if kind == 3:
        return {"cut": rng.choice(["before", "after"])}
    if kind == 4:
        late = [0, 1, 30_000, 59_999, 90_000, 119_999, 120_001, 179_999, 180_000]
        return {"late_ms": rng.choice(late if landing else [*late, 180_001, 200_000, 900_000])}
    return {"edit": human_edit(rng, owners, ads)}


def rules(rng: random.Random, ads_file: dict[str, Any], landing: bool) -> list[dict[str, Any]]:
    """A few rules on writes, and sometimes on reads; only short failures of reads, because those cost real seconds."""
    owners, ads = list(invariants.owners_of(ads_file)), [ad["ad_id"] for ad in ads_file["ads"]]
    found: list[dict[str, Any]] = []
    for _ in range(rng.randint(1, 7)):
        target = rng.choice([*owners, "*"])
        fault = write_fault(rng, owners, ads, landing)
        rule = {"method": "POST", "path": f"/v*/{target}", "nth": nth(rng, 5 if target == "*" else 2), "fault": fault}
        if "graph_error" in fault and rng.random() < 0.1:
            rule["nth"] = "every"
        found.append(rule)
    for _ in range(rng.choice([0, 0, 1, 2, 3])):
        target = rng.choice([*owners, "act_*/adsets", "act_*/campaigns", "act_*/activities"])
        fault = rng.choice([
            {"edit": human_edit(rng, owners, ads)}, {"edit": human_edit(rng, owners, ads)}, {"status": 503},
            {"graph_error": {"code": 17}}, {"graph_error": {"code": 190}}, {"cut": "before"}, {"delay_ms": 15},
            {"graph_error": {"code": 613}}, {"status": 200, "body": "<html>"}, {"graph_error": {"code": 2}},
        ])
        found.append({"method": "GET", "path": f"/v*/{target}", "nth": nth(rng, 9), "fault": fault})
    rng.shuffle(found)
    return found


class Trial:
    """One numbered run: its world, its faults, and what was done to it."""

    def __init__(self, number: int, folder: Path, program: Path, landing: bool = True) -> None:
        self.rng = random.Random(number)
        self.folder, self.program = folder, program
        self.store = folder / f"trial-{number}.sqlite"
        self.options: list[str] = ["--json", "--report", os.devnull, "--store", f"sqlite:{self.store}"]
        self.told: list[str] = []
        ads_path = DATA / "ads.json"
        if self.rng.random() < 0.4:
            world = folder / f"world-{number}"
            maker = [sys.executable, str(DATA / "generate.py"), "--seed", str(self.rng.randint(1, 10_000))]
            subprocess.run(
                [*maker, "--out", str(world), "--clicks", "500", "--deals", "60"], check=True, capture_output=True
            )
            ads_path = world / "ads.json"
            for name in ("clicks.ndjson", "webhooks.ndjson", "crm.json", "ads.json"):
                self.options += [f"--{name.split('.')[0]}", str(world / name)]
        self.ads: dict[str, Any] = json.loads(ads_path.read_text())
        self.faults = folder / f"faults-{number}.json"
        self.faults.write_text(json.dumps({"rules": rules(self.rng, self.ads, landing)}, indent=1))
        self.options += ["--faults", str(self.faults), "--preset", self.rng.choice(["standard", "seed", "exact"])]

    def go(self) -> list[str]:
        """Runs to its end, and says what is wrong with it."""
        now = NEWEST
        report: dict[str, Any] | None = None
        for run in range(self.rng.choice([1, 1, 1, 2, 3, 5])):
            if run:
                now += datetime.timedelta(minutes=self.rng.choice([1, 3, 19, 30, 61, 200, 361]))
            seed = str(self.rng.randint(1, 99))
            options = [*self.options, "--seed", seed, "--now", now.strftime("%Y-%m-%dT%H:%M:%SZ")]
            for _ in range(self.rng.choice([0, 0, 1, 1, 2, 4])):
                self.interrupt(options, signal.SIGINT if self.rng.random() < 0.25 else signal.SIGKILL)
            command = [str(self.program), *options]
            done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
            self.told.append(f"exit {done.returncode} {done.stderr.strip()[-300:]}")
            if "panicked" in done.stderr or done.returncode not in (0, 1):
                return [f"exit {done.returncode}: {done.stderr[-1500:]}"]
            report = json.loads(done.stdout) if done.returncode == 0 else None
        return invariants.problems(self.store, self.ads, report)

    def interrupt(self, options: list[str], how: signal.Signals) -> None:
        """Starts it and ends it at some line of the platform's log and a random moment after, or just at some time."""
        log = Path(f"{self.store}.sandbox")
        lines = log.read_bytes().count(b"\n") if log.exists() else 0
        early = self.rng.random() < 0.3
        until_line = 0 if early else lines + self.rng.randint(1, 70)
        pause = self.rng.random() * (0.25 if early else 0.006)
        command = [str(self.program), *options]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + TIMEOUT
        while process.poll() is None and time.monotonic() < deadline:
            if early or log.exists() and log.read_bytes().count(b"\n") >= until_line:
                time.sleep(pause)
                process.send_signal(how)
                break
            time.sleep(0.0003)
        _, stderr = process.communicate(timeout=TIMEOUT)
        self.told.append(f"{how.name} at line {until_line}: {process.returncode} {stderr.strip()[-200:]}")
        if process.returncode not in (0, 1, 130, -how):
            raise ValueError(f"{how.name}: exit {process.returncode}: {stderr[-800:]}")


def run_trials(
    numbers: range, program: Path, keep: Path | None = None, landing: bool = True
) -> tuple[list[str], collections.Counter[str]]:
    """The failures of these runs as lines, and how often what ended how."""
    ends: collections.Counter[str] = collections.Counter()
    failures: list[str] = []
    for number in numbers:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            trial = Trial(number, folder, program, landing)
            try:
                found = trial.go()
            except (subprocess.TimeoutExpired, OSError, ValueError, KeyError) as problem:
                found = [f"{type(problem).__name__}: {problem}"]
            if found:
                failures.append(f"run {number}: " + "; ".join(found[:6]))
                if keep is not None:
                    shutil.copytree(folder, keep / str(number), dirs_exist_ok=True)
                    (keep / str(number) / "told.txt").write_text("\n".join([*found, *trial.told]) + "\n")
            note(trial, ends)
    return failures, ends


def note(trial: Trial, ends: collections.Counter[str]) -> None:
    """Counts how runs ended, to see that the trouble is varied."""
    ends.update(" ".join(line.split()[:2]) for line in trial.told if line.startswith("exit"))
    ends.update(f"{line.split()[0]} {line.split(': ')[1].split()[0]}" for line in trial.told if line.startswith("SIG"))
    if trial.store.exists():
        rows = invariants.read_table(trial.store, "SELECT status, reason FROM pending_ad_changes")
        ends.update(f"{row['status']} {row['reason']}" for row in rows)


def main() -> int:
    parser = argparse.ArgumentParser(description="Random faults and kills against the built closed_loop example.")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--beyond", action="store_true", help="late effects beyond what is promised for, too")
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser.add_argument("--program", type=Path, default=target / "release" / "examples" / "closed_loop")
    arguments = parser.parse_args()
    numbers = range(arguments.first, arguments.first + arguments.runs)
    failures, ends = run_trials(numbers, arguments.program, arguments.keep, not arguments.beyond)
    for failure in failures:
        print(failure)
    for end, count in sorted(ends.items()):
        print(f"  {count:5} {end}")
    print(f"{arguments.runs - len(failures)} of {arguments.runs} runs kept every invariant")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
