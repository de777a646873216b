"""The example's data is what its generator writes, and every rule of matching and revenue decides something in it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "examples" / "data"
ORACLE = ROOT / "tests" / "python" / "revenue_oracle.py"
NAMES = ("clicks.ndjson", "webhooks.ndjson", "crm.json", "ads.json", "faults.json")

# A change of one rule in the oracle's text that must change its answer on the bundled data.
MUTATIONS = {
    "the end of a window is inside": ("<= WINDOWS[layer]", "< WINDOWS[layer]"),
    "the latest click wins": ("latest = max(", "latest = min("),
    "the smallest id breaks a tie": ("return layer, min(", "return layer, max("),
    "event ids compare as integers": ("1000, event_id, value", "1000, str(event_id), value"),
    "a repeated event counts once": ('"duplicates" if key in events else "events"', '"events"'),
    "the fbc cookie may have a fifth part": (r"(?:\..*)?", ""),
    "a click without consent is no fingerprint": ('not click["consent"] or', "False or"),
    "a contact without consent is no fingerprint": ('== "true" and ip', '!= "x" and ip'),
    "IPv6 counts by its /64": ("(ip, 64)", "(ip, 128)"),
    "utm_content comes before layers 2 and 3": ("if layer == 1 and contents", "if layer == 3 and contents"),
    "a forged or changed delivery is refused": ("return hmac.compare_digest(", "return True or hmac.compare_digest("),
    "a stale delivery is refused": ("> 300 * 1_000_000", "> 10**15"),
    "ids are decoded": ("parse_qsl(urlsplit(url or \"\").query, keep_blank_values=True)",
                        "(p.partition('=')[::2] for p in urlsplit(url or '').query.split('&'))"),
}


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True, check=False)


def worlds_differ(left: Path, right: Path) -> list[str]:
    return [name for name in NAMES if (left / name).read_bytes() != (right / name).read_bytes()]


class ExampleData(unittest.TestCase):
    def test_the_committed_files_are_the_generators(self) -> None:
        done = run(DATA / "generate.py", "--check")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_seed_gives_one_world(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            first, again, other = (Path(folder) / name for name in ("first", "again", "other"))
            for out, seed in ((first, 11), (again, 11), (other, 12)):
                done = run(DATA / "generate.py", "--seed", seed, "--clicks", 900, "--deals", 60, "--out", out)
                self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(worlds_differ(first, again), [])
            self.assertIn("webhooks.ndjson", worlds_differ(first, other))
            (first / "crm.json").write_text("{}")
            done = run(DATA / "generate.py", "--seed", 11, "--clicks", 900, "--deals", 60, "--out", first, "--check")
            self.assertEqual(done.returncode, 1)
            self.assertIn("crm.json", done.stderr)

    def test_the_world_is_as_large_as_promised(self) -> None:
        answer = json.loads(run(ORACLE, "--explain").stdout)
        self.assertGreaterEqual(answer["clicks"]["ingested"], 5_000)
        self.assertEqual(answer["clicks"]["rejected"], 3)
        self.assertEqual(answer["webhooks"]["rejected"], 3)
        self.assertEqual(len(answer["deals"]), 400)
        self.assertGreaterEqual(answer["webhooks"]["events"], 1_200)
        self.assertGreater(answer["webhooks"]["duplicates"], 50)
        self.assertTrue(all(count > 20 for count in answer["matches"].values()), answer["matches"])
        ads = json.loads((DATA / "ads.json").read_text(encoding="utf-8"))["ads"]
        self.assertEqual([len({ad[key] for ad in ads}) for key in ("ad_id", "adset_id", "campaign_id")], [12, 8, 3])


class Oracle(unittest.TestCase):
    def test_a_report_that_agrees_passes_and_another_does_not(self) -> None:
        report = json.loads(run(ORACLE).stdout)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "report.json"
            path.write_text(json.dumps({**report, "audit": {"rows": 1}}))
            self.assertEqual(run(ORACLE, "--compare", path).returncode, 0)
            report["revenue"]["by_ad"]["unattributed"] += 1
            path.write_text(json.dumps(report))
            done = run(ORACLE, "--compare", path)
            self.assertEqual(done.returncode, 1)
            self.assertIn("revenue.by_ad.unattributed", done.stderr)

    def test_every_rule_decides_something_in_the_data(self) -> None:
        text = ORACLE.read_text(encoding="utf-8")
        inputs = [word for name in ("clicks", "webhooks", "crm", "ads")
                  for word in (f"--{name}", next(DATA.glob(f"{name}.*json")))]
        expected = run(ORACLE, *inputs).stdout
        with tempfile.TemporaryDirectory() as folder:
            changed = Path(folder) / "oracle" / "nested" / "oracle.py"
            changed.parent.mkdir(parents=True)
            for rule, (before, after) in MUTATIONS.items():
                with self.subTest(rule):
                    self.assertIn(before, text)
                    changed.write_text(text.replace(before, after), encoding="utf-8")
                    done = run(changed, *inputs)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertNotEqual(done.stdout, expected)


if __name__ == "__main__":
    unittest.main()
