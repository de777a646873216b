"""Starts the built examples as a user would and checks what they do.

Prints one line a check: `ok NAME`, `FAIL NAME` (followed by why) or `skip NAME`. `--full` takes more kills.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import invariants
import random_faults

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
EXAMPLES = TARGET / "release" / "examples"
COMMAND = TARGET / "release" / "xynergy"
DATA = ROOT / "examples" / "data"
TIMEOUT = 240

Report = dict[str, Any]


class Failed(Exception):
    """A check that does not hold."""


def expect(holds: bool, why: str) -> None:
    if not holds:
        raise Failed(why)


def command(*options: str, report: Path | None = None) -> list[str]:
    page = str(report or Path(os.devnull))
    return [str(EXAMPLES / "closed_loop"), "--json", "--report", page, *options]


def run(*options: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command(*options), capture_output=True, text=True, timeout=TIMEOUT, check=False)
    expect(done.returncode == code, f"exit {done.returncode} instead of {code}: {done.stderr[-2000:]}")
    return done


def report_of(*options: str) -> Report:
    report: Report = json.loads(run(*options).stdout)
    return report


def without_resumable_parts(report: Report) -> Report:
    return {key: value for key, value in report.items() if key not in ("ai", "changes", "audit")}


def sandbox_log(store: Path) -> list[dict[str, Any]]:
    lines = Path(f"{store}.sandbox").read_text().splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def history(store: Path) -> list[dict[str, Any]]:
    with sqlite3.connect(store) as database:
        database.row_factory = sqlite3.Row
        rows = database.execute("SELECT * FROM ad_change_history ORDER BY account_id, seq").fetchall()
    return [dict(row) for row in rows]


def check_effects(store: Path) -> int:
    """Every effect of ours was intended before it happened, happened once, and is audited as completed."""
    effects = [line for line in sandbox_log(store) if line["kind"] == "effect" and line.get("actor") == "app"]
    rows = history(store)
    counts = collections.Counter(effect["change_id"] for effect in effects)
    doubled = [change for change, count in counts.items() if count > 1]
    expect(not doubled, f"applied more than once: {doubled}")
    for effect in effects:
        change, after = effect["change_id"], int(effect["after"])
        intents = [r for r in rows if r["change_id"] == change and r["kind"] == "intent" and r["to_value"] == after]
        expect(bool(intents), f"no intent for the effect of change {change}: {effect}")
        outcomes = [r for r in rows if r["change_id"] == change and r["kind"] == "outcome" and r["status"] == "completed"]
        expect(len(outcomes) == 1, f"{len(outcomes)} completed outcomes for change {change}")
    attempts = collections.Counter((r["change_id"], r["attempt"]) for r in rows if r["kind"] == "intent")
    for key, count in attempts.items():
        outcomes = [r for r in rows if (r["change_id"], r["attempt"]) == key and r["kind"] == "outcome"]
        expect(count == 1 and len(outcomes) == 1, f"attempt {key}: {count} intents, {len(outcomes)} outcomes")
    return len(effects)


def same_bytes(folder: Path) -> None:
    runs = [run("--store", f"sqlite:{folder / name}").stdout for name in ("a.sqlite", "b.sqlite")]
    expect(runs[0] == runs[1], "two runs on fresh stores differ")
    expect(run("--store", "memory").stdout == runs[0], "the run in memory differs from the one on SQLite")
    again = run("--store", f"sqlite:{folder / 'a.sqlite'}").stdout
    expect(again == runs[0], "the finished run, started again, reports something else")
    report = json.loads(runs[0])
    expect(no_floats(report), "a float")
    expect(json.dumps(report, sort_keys=True) == json.dumps(report), "keys are not sorted")
    expect(report["changes"]["completed"] > 0 and report["changes"]["blocked"] > 0, f"{report['changes']}")
    expect(report["audit"]["chain_ok"] is True, "the audit chain does not verify")
    expect(report["ai"]["cache_hits"] > 0, "no cache hit")
    check_effects(folder / "a.sqlite")


def no_floats(value: Any) -> bool:
    if isinstance(value, dict):
        return all(no_floats(v) for v in value.values())
    if isinstance(value, list):
        return all(no_floats(v) for v in value)
    return not isinstance(value, float)


def other_seed(folder: Path) -> None:
    first, second = (report_of("--store", "memory", "--seed", seed) for seed in ("7", "8"))
    expect(first["allocation"] != second["allocation"], "the seed changes nothing")
    expect(first["revenue"] == second["revenue"], "the seed changes the revenue")


def shuffled_webhooks(folder: Path) -> None:
    """Doubled and reordered deliveries leave the same events, revenue and matches."""
    lines = (DATA / "webhooks.ndjson").read_text().splitlines()
    plain = report_of("--store", "memory")
    doubled = lines * 2
    random.Random(1).shuffle(doubled)
    path = folder / "doubled.ndjson"
    path.write_text("\n".join(doubled) + "\n")
    shuffled = report_of("--store", "memory", "--webhooks", str(path))
    for part in ("revenue", "matches"):
        expect(plain[part] == shuffled[part], f"{part} differ: {plain[part]} {shuffled[part]}")
    expect(plain["webhooks"]["events"] == shuffled["webhooks"]["events"], "another number of events")
    expect(shuffled["webhooks"]["received"] == 2 * plain["webhooks"]["received"], "received")


def killed(folder: Path, kills: int) -> None:
    """Killed at many points and started again: the same result, nothing doubled, nothing unaudited."""
    plain = report_of("--store", f"sqlite:{folder / 'plain.sqlite'}")
    length = len(sandbox_log(folder / "plain.sqlite"))
    points = sorted({max(1, (length * k) // kills) for k in range(1, kills)})
    deaths = 0
    for point in points:
        store = folder / f"killed-{point}.sqlite"
        log = Path(f"{store}.sandbox")
        process = subprocess.Popen(
            command("--store", f"sqlite:{store}"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + TIMEOUT
        while process.poll() is None and time.monotonic() < until:
            if log.exists() and log.read_bytes().count(b"\n") >= point:
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.0005)
        deaths += process.wait() == -signal.SIGKILL
        resumed = report_of("--store", f"sqlite:{store}")
        expect(
            without_resumable_parts(resumed) == without_resumable_parts(plain),
            f"killed at line {point}: the resumed run differs: "
            f"{differences(without_resumable_parts(plain), without_resumable_parts(resumed))}",
        )
        expect(resumed["audit"]["chain_ok"] is True, f"killed at line {point}: the chain does not verify")
        check_effects(store)
    expect(deaths >= len(points) // 2, f"only {deaths} of {len(points)} runs were killed in time")


def differences(a: Any, b: Any, path: str = "") -> list[str]:
    if isinstance(a, dict) and isinstance(b, dict):
        keys = sorted(set(a) | set(b))
        return [d for k in keys for d in differences(a.get(k), b.get(k), f"{path}.{k}")]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [d for i, (x, y) in enumerate(zip(a, b)) for d in differences(x, y, f"{path}[{i}]")]
    return [] if a == b else [f"{path}: {a!r} != {b!r}"]


def interrupted(folder: Path) -> None:
    store = folder / "interrupted.sqlite"
    process = subprocess.Popen(
        command("--store", f"sqlite:{store}"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    log = Path(f"{store}.sandbox")
    until = time.monotonic() + TIMEOUT
    while process.poll() is None and time.monotonic() < until:
        if log.exists() and '"kind":"effect"' in log.read_text():
            process.send_signal(signal.SIGINT)
            break
        time.sleep(0.001)
    _, stderr = process.communicate(timeout=TIMEOUT)
    expect(process.returncode == 130, f"exit {process.returncode}: {stderr[-500:]}")
    rows = history(store)
    intents = {(r["change_id"], r["attempt"]) for r in rows if r["kind"] == "intent"}
    settled = {(r["change_id"], r["attempt"]) for r in rows if r["kind"] == "outcome"}
    # A lost reply may still wait for its reconcile; nothing else may be open.
    expect(len(intents - settled) <= 1, f"left open: {intents - settled}")
    resumed = report_of("--store", f"sqlite:{store}")
    expect(resumed["audit"]["chain_ok"] is True, "the chain does not verify after the interruption")
    check_effects(store)


def random_trouble(folder: Path, trials: int) -> None:
    """Numbered runs under random faults, kills and Ctrl-C, each judged by `invariants.py`."""
    failures, _ = random_faults.run_trials(range(trials), EXAMPLES / "closed_loop")
    expect(not failures, "\n  ".join(failures))


def the_judge_judges(folder: Path) -> None:
    """What was done to a good run afterwards is found, so that a silent judge means something."""
    store = folder / "good.sqlite"
    report = report_of("--store", f"sqlite:{store}")
    ads = json.loads((DATA / "ads.json").read_text())
    expect(not invariants.problems(store, ads, report), "the run is not good")
    log = Path(f"{store}.sandbox")
    lines = log.read_text().splitlines(keepends=True)
    first = next(i for i, line in enumerate(lines) if '"kind":"effect"' in line and '"actor":"app"' in line)
    effect = json.loads(lines[first])
    moved = json.dumps({**effect, "after": effect["after"] + 1}) + "\n"
    foreign = json.dumps({**effect, "attempt": 9}) + "\n"
    logs = {
        "another value": [*lines[:first], moved, *lines[first + 1:]],
        "without its intent": [*lines[:first], foreign, *lines[first + 1:]],
        "twice": [*lines, json.dumps({**effect, "seq": len(lines) + 1, "at": "2027-01-01T00:00:00Z"}) + "\n"],
        "never": [*lines[:first], *lines[first + 1:]],
    }
    for name, tampered in logs.items():
        log.write_text("".join(tampered))
        expect(bool(invariants.problems(store, ads, report)), f"an effect {name} is not found")
    log.write_text("".join(lines))
    counts = {**report["changes"], "completed": report["changes"]["completed"] + 1}
    expect(bool(invariants.problems(store, ads, {**report, "changes": counts})), "a wrong count is not found")
    with sqlite3.connect(store) as database:
        database.execute("DROP TRIGGER ad_change_history_no_update")
        database.execute("UPDATE ad_change_history SET purpose = 'another' WHERE seq = 2")
    expect(bool(invariants.problems(store, ads, report)), "an altered row is not found")


def faulty(folder: Path, rules: list[dict[str, Any]], *options: str) -> tuple[Report, list[str]]:
    """The report of a run under these faults, and which invariants it broke."""
    store, faults = folder / "faulty.sqlite", folder / "faults.json"
    faults.write_text(json.dumps({"rules": rules}))
    report = report_of("--store", f"sqlite:{store}", "--faults", str(faults), *options)
    return report, invariants.problems(store, json.loads((DATA / "ads.json").read_text()), report)


def landed_on_an_unseen_edit(folder: Path) -> None:
    """An edit just before a write whose reply is lost, taken back before anybody looks, does not make it land twice."""
    owner = "120210000000000012"
    write = {"method": "POST", "path": f"/v*/{owner}", "nth": 1}
    report, found = faulty(
        folder,
        [
            {**write, "fault": {"edit": {"id": owner, "daily_budget": 12_100}}},
            {**write, "fault": {"cut": "after"}},
            {
                "method": "GET", "path": "/v*/act_*/activities", "nth": 1,
                "fault": {"edit": {"id": owner, "daily_budget": 12_000}},
            },
        ],
    )
    expect(not found, f"{found}")
    expect(report["changes"]["by_reason"].get("reconciled") == 1, f"{report['changes']}")


def endless_trouble(folder: Path) -> None:
    """A platform that fails for ever in one place lets the run end all the same, with its counts right."""
    cases: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
        "reading one owner": [("GET", "/v*/120210000000000012", {"status": 503})],
        "telling what became of a lost write": [
            ("GET", "/v*/act_*/activities", {"status": 503}), ("POST", "/v*/120210000000000003", {"cut": "after"}),
        ],
        "every write, throttled": [("POST", "/v*/120*", {"graph_error": {"code": 17, "regain_minutes": 30}})],
        "every write, lost": [("POST", "/v*/120*", {"cut": "before"})],
    }
    for number, (name, faults) in enumerate(cases.items()):
        inside = folder / str(number)
        inside.mkdir()
        rules = [{"method": method, "path": path, "nth": "every", "fault": fault} for method, path, fault in faults]
        report, found = faulty(inside, rules)
        expect(not found, f"{name}: {found}")
        told = report["changes"]
        left = told["queued"] - told["completed"] - told["blocked"] - told["failed"]
        expect(left == (1 if "became" in name else 0), f"{name}: {told}")


def two_at_once(folder: Path) -> None:
    """A second process on a store that is in use is refused, and disturbs nothing."""
    store = folder / "shared.sqlite"
    first = subprocess.Popen(
        command("--store", f"sqlite:{store}"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    log, until = Path(f"{store}.sandbox"), time.monotonic() + TIMEOUT
    while not (log.exists() and log.stat().st_size > 0) and time.monotonic() < until:
        time.sleep(0.0005)
    first.send_signal(signal.SIGSTOP)
    try:
        second = run("--store", f"sqlite:{store}", code=2)
    finally:
        first.send_signal(signal.SIGCONT)
    expect("in use" in second.stderr and len(second.stderr.strip().splitlines()) == 1, second.stderr[-400:])
    stdout, _ = first.communicate(timeout=TIMEOUT)
    expect(first.returncode == 0, f"exit {first.returncode}")
    found = invariants.problems(store, json.loads((DATA / "ads.json").read_text()), json.loads(stdout))
    expect(not found, f"{found}")


def refused(folder: Path) -> None:
    """Wrong use ends with exit 2 and one line that names the problem."""
    broken = folder / "broken.json"
    broken.write_text('{"account": ')
    foreign = folder / "foreign.sqlite"
    with sqlite3.connect(foreign) as database:
        database.execute("CREATE TABLE theirs (x)")
    text = folder / "text.sqlite"
    text.write_text("no database at all " * 300)
    leftover = folder / "leftover.sqlite"
    Path(f"{leftover}.sandbox").write_text('{"seq":1}\n')
    unequal = folder / "unequal.json"
    ads = json.loads((DATA / "ads.json").read_text())
    rows = [ad for ad in ads["ads"] if ad["adset_id"] == ads["ads"][0]["adset_id"]]
    rows[0]["daily_budget_minor"] += 1
    if len(rows) == 1:
        ads["ads"].append({**rows[0], "ad_id": "another", "daily_budget_minor": 1})
    unequal.write_text(json.dumps(ads))
    bundled = json.loads((DATA / "ads.json").read_text())
    wrong_ads = {
        "limits.json": {**bundled, "constraints": {**bundled["constraints"], "min_minor": 2, "max_minor": 1}},
        "account.json": {**bundled, "account": {"id": "act_1/2", "currency": "USD"}},
        "none.json": {**bundled, "ads": []},
    }
    for name, content in wrong_ads.items():
        (folder / name).write_text(json.dumps(content))
    newer = folder / "newer.toml"
    newer.write_text("version = 99\n")
    unknown = folder / "unknown.toml"
    unknown.write_text("version = 1\n[aii]\n")
    used = folder / "used.sqlite"
    report_of("--store", f"sqlite:{used}")
    with sqlite3.connect(used) as database:
        database.execute("UPDATE refinery_schema_history SET version = 9999 WHERE version = 1")
    cases: list[tuple[list[str], str]] = [
        (["--clicks", "nowhere.ndjson"], "nowhere.ndjson"),
        (["--webhooks", "nowhere.ndjson"], "nowhere.ndjson"),
        (["--crm", str(broken)], "broken.json"),
        (["--ads", str(broken)], "broken.json"),
        (["--ads", str(unequal)], "daily_budget_minor"),
        (["--ads", str(folder / "limits.json")], "min_minor"),
        (["--ads", str(folder / "account.json")], "account.id"),
        (["--ads", str(folder / "none.json")], "no ad"),
        (["--report", str(folder / "nowhere" / "page.html")], "--report"),
        (["--frobnicate"], "--frobnicate"),
        (["--seed", "many"], "many"),
        (["--now", "yesterday"], "yesterday"),
        (["--preset", "fast"], "standard, seed, exact"),
        (["--store", "postgres"], "sqlite:PATH"),
        (["--store", f"sqlite:{foreign}"], "another"),
        (["--store", f"sqlite:{text}"], "SQLite"),
        (["--store", f"sqlite:{leftover}"], ".sandbox"),
        (["--store", f"sqlite:{used}"], "newer"),
        (["--store", "sqlite:/nowhere/at/all/x.sqlite"], "/nowhere/at/all"),
        (["--config", str(newer)], "version"),
        (["--config", str(unknown)], "aii"),
        (["--apply"], "--platform meta"),
        (["--platform", "meta", "--apply"], "bundled"),
        (["--platform", "meta", "--now", "2026-01-01T00:00:00Z"], "--now"),
        (["--platform", "meta"], "META_ACCESS_TOKEN"),
    ]
    for options, named in cases:
        full = options if "--store" in options else [*options, "--store", "memory"]
        done = run(*full, code=2)
        lines = done.stderr.strip().splitlines()
        expect(len(lines) == 1, f"{options}: {len(lines)} lines: {done.stderr[:600]}")
        expect(named in lines[0], f"{options}: {lines[0]!r} does not name {named!r}")
        expect(done.stdout == "", f"{options}: something was printed")
        expect("panicked" not in done.stderr, f"{options}: a panic")


def skipped_rows(folder: Path) -> None:
    """A bad row or line is told with its number, also beside `--json`, and the rest goes on."""
    ads = json.loads((DATA / "ads.json").read_text())
    ads["ads"].append({**ads["ads"][0], "ad_id": "1", "adset_id": "2", "impressions": 1, "clicks": 2})
    path = folder / "ads.json"
    path.write_text("\ufeff" + json.dumps(ads))
    clicks = folder / "clicks.ndjson"
    clicks.write_bytes(b"\xef\xbb\xbf" + (DATA / "clicks.ndjson").read_bytes().replace(b"\n", b"\r\n") + b"\xff\n")
    done = run("--store", "memory", "--ads", str(path), "--clicks", str(clicks))
    expect(f"row {len(ads['ads'])}: clicks" in done.stderr, done.stderr)
    expect("not UTF-8" in done.stderr, done.stderr)
    plain, report = report_of("--store", "memory"), json.loads(done.stdout)
    expect(report["revenue"] == plain["revenue"] and report["allocation"] == plain["allocation"], "the rest differs")
    expect(report["clicks"]["rejected"] == plain["clicks"]["rejected"] + 1, f"{report['clicks']}")


def closed_pipe(folder: Path) -> None:
    """A reader that has seen enough is no failure."""
    for program in (command("--store", "memory"), [str(EXAMPLES / "ask"), "hello"]):
        process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout and process.stderr
        process.stdout.close()
        error = process.stderr.read()
        expect(process.wait(TIMEOUT) == 0 and "panicked" not in error, f"{program[0]}: {error[-500:]}")
        process.stderr.close()


def wrong_secret(folder: Path) -> None:
    report = report_of("--store", "memory", "--hubspot-secret", "another")
    hooks = report["webhooks"]
    expect(hooks["verified"] == 0 and hooks["events"] == 0, f"{hooks}")
    expect(hooks["rejected"] == hooks["received"] > 0, f"{hooks}")
    expect(report["revenue"]["total_minor"] == 0, "revenue from unverified events")


def consent_is_kept(folder: Path) -> None:
    """Nothing of a click without consent that identifies is in any byte of the store."""
    marks = {"ip": "203.0.113.217", "user_agent": "MarkedAgent/9", "accept_language": "xx-marked", "id": "FbMarkedClick"}
    click = {
        "ts": "2026-03-30T10:00:00Z",
        "url": f"https://shop.example/marked?fbclid={marks['id']}&utm_content=1",
        "ad_id": "1", "adset_id": "1", "campaign_id": "1",
        "ip": marks["ip"], "user_agent": marks["user_agent"], "accept_language": marks["accept_language"],
        "consent": False, "email": "marked@person.example",
    }
    clicks = folder / "one.ndjson"
    clicks.write_text(json.dumps(click) + "\n")
    store = folder / "consent.sqlite"
    report = report_of("--store", f"sqlite:{store}", "--clicks", str(clicks))
    expect(report["clicks"] == {"ingested": 1, "duplicates": 0, "rejected": 0}, f"{report['clicks']}")
    for path in folder.glob("consent.sqlite*"):
        content = path.read_bytes()
        for mark in [*marks.values(), "shop.example/marked", "marked@person.example"]:
            expect(mark.encode() not in content, f"{mark} is in {path.name}")


def ask(folder: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")}
    done = subprocess.run(
        [str(EXAMPLES / "ask"), "Say hello"], capture_output=True, text=True, timeout=60, env=environment, check=False
    )
    expect(done.returncode == 0, done.stderr[-800:])
    answer = json.loads(done.stdout)
    fields = {"text", "provider", "model", "tokens_used", "cost", "cost_nano_usd", "cache_hit", "routed_via",
              "request_id", "token_optimization", "finish", "outcome"}
    expect(fields <= set(answer), f"missing: {fields - set(answer)}")
    expect(answer["outcome"] == "complete" and answer["text"] != "", f"{answer}")
    streamed = subprocess.run(
        [str(EXAMPLES / "ask"), "--stream", "Say hello"],
        capture_output=True, text=True, timeout=60, env=environment, check=False,
    )
    expect(streamed.returncode == 0 and streamed.stdout.strip() != "", streamed.stderr[-800:])


def the_command_line(folder: Path) -> None:
    """`xynergy demo` carries its data with it and prints what the example prints."""
    copied = folder / "xynergy"
    copied.write_bytes(COMMAND.read_bytes())
    copied.chmod(0o755)
    for options in ([], ["--seed", "8", "--preset", "exact", "--faults", "none"]):
        told = subprocess.run(
            [str(copied), "demo", "--json", "--report", os.devnull, "--store", "memory", *options],
            capture_output=True, text=True, timeout=TIMEOUT, check=False, cwd=folder,
        )
        expect(told.returncode == 0, told.stderr[-800:])
        expect(told.stdout == run("--store", "memory", *options).stdout, f"{options}: it prints something else")
    size = COMMAND.stat().st_size
    expect(size < 30_000_000, f"the command has {size} bytes")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("only", nargs="*", help="names of checks")
    arguments = parser.parse_args()
    kills = 60 if arguments.full else 12
    trials = 200 if arguments.full else 16
    checks: dict[str, Callable[[Path], None]] = {
        "the same inputs, seed and clock give the same bytes on every store": same_bytes,
        "another seed gives another allocation of the same revenue": other_seed,
        "doubled and reordered webhooks change nothing": shuffled_webhooks,
        f"killed at {kills - 1} points and started again, nothing is doubled or unaudited": lambda f: killed(f, kills),
        f"random faults and kills keep every invariant, {trials} runs": lambda f: random_trouble(f, trials),
        "the judge of the invariants finds what was tampered with": the_judge_judges,
        "a write that landed on an unseen edit is not sent again": landed_on_an_unseen_edit,
        "a platform that fails for ever lets the run end": endless_trouble,
        "two processes at once: the second is refused": two_at_once,
        "Ctrl-C settles what is in flight and ends with 130": interrupted,
        "wrong use ends with 2 and one line": refused,
        "a bad row is told and skipped": skipped_rows,
        "a reader that closes the pipe is no failure": closed_pipe,
        "a wrong secret rejects every delivery": wrong_secret,
        "a click without consent leaves nothing that identifies": consent_is_kept,
        "ask prints one generation, and streams": ask,
        "the installed command prints the example's bytes": the_command_line,
    }
    failures = 0
    for name, check in checks.items():
        if arguments.only and not any(word in name for word in arguments.only):
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                check(Path(folder))
                print(f"ok {name}", flush=True)
            except (Failed, subprocess.TimeoutExpired, OSError, ValueError, KeyError, sqlite3.Error) as problem:
                failures += 1
                print(f"FAIL {name}\n  {type(problem).__name__}: {problem}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
