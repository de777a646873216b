"""Which deliveries this library takes for HubSpot's beside what HubSpot's official SDKs say of the same bytes.

`python3 tests/python/hubspot_wire.py [NODE_MODULES]`, in an environment with PyPI `hubspot-api-client`, once `cargo build --example
hubspot_wire` has been done. With the folder of an installed npm `@hubspot/api-client` that SDK is asked as well. Every verdict has
to be the one that stands here: where an SDK accepts what it should not, the case says why it should not.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib
import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
URL = "https://www.example.com/webhook_uri"
BODY = b'[{"eventId":1}]'


@dataclass
class Case:
    """A delivery, and what each should say of it: `ok` or the failed check here, and whether the SDKs accept it."""

    name: str
    here: str
    python: bool
    node: bool
    version: str = "v3"
    secret: str = SECRET
    method: str = "POST"
    url: str = URL
    body: bytes = BODY
    stamp: str | None = None
    signature: str = ""
    wrong: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.version == "v3":
            self.headers = {"X-HubSpot-Signature-v3": self.signature}
            if self.stamp is not None:
                self.headers["X-HubSpot-Request-Timestamp"] = self.stamp
        else:
            self.headers = {"X-HubSpot-Signature": self.signature, "X-HubSpot-Signature-Version": self.version}


def signed(stamp: str, body: bytes = BODY, url: str = URL, secret: str = SECRET) -> str:
    """HubSpot's signature of version 3."""
    source = f"POST{url}".encode() + body + stamp.encode()
    return base64.b64encode(hmac.new(secret.encode(), source, hashlib.sha256).digest()).decode()


def v3(name: str, stamp: str, here: str, python: bool, node: bool, wrong: str = "") -> Case:
    """A delivery that is signed as it should be, at some time."""
    return Case(name, here, python, node, stamp=stamp, signature=signed(stamp), wrong=wrong)


def cases() -> list[Case]:
    """Every case, made for now."""
    now = int(time.time() * 1000)
    stamp = str(now)
    good = signed(stamp)
    escaped = f"{URL}?a=%3A%2F"
    decoded = f"{URL}?a=:/"
    full_width = stamp.translate({ord("0") + n: ord("０") + n for n in range(10)})
    digest = hashlib.sha256(SECRET.encode() + BODY).hexdigest()
    digest2 = hashlib.sha256(f"{SECRET}POST{URL}".encode() + BODY).hexdigest()
    replaced = '["�"]'.encode()
    late = "an old delivery can be sent again for ever"
    no_time = "what is no number of milliseconds is no time, and what is not checked can be sent again for ever"
    return [
        v3("as HubSpot sends it", stamp, "ok", True, True),
        v3("295 seconds old", str(now - 295_000), "ok", True, True),
        v3("301 seconds old", str(now - 301_000), "skew", False, False),
        v3("ten minutes in the future", str(now + 600_000), "skew", True, True, "a clock that is ahead makes it last longer"),
        v3("a year in the future", str(now + 31_536_000_000), "skew", True, True, late),
        v3("a time that is no number", "abc", "timestamp", False, True, no_time),
        v3("a time with a fraction", f"{stamp}.0", "timestamp", True, True, no_time),
        v3("a time with a sign", f"+{stamp}", "timestamp", True, True, no_time),
        v3("a time in other digits", full_width, "timestamp", True, True, no_time),
        v3("an infinite time", "Infinity", "timestamp", False, True, late),
        Case("no time", "header", False, False, signature=good),
        Case("another secret", "signature", False, False, stamp=stamp, signature=signed(stamp, secret="other")),
        Case("another method", "signature", False, False, stamp=stamp, signature=good, method="PUT"),
        Case("another address", "signature", False, False, stamp=stamp, signature=good, url=f"{URL}/"),
        Case("another body", "signature", False, False, stamp=stamp, signature=good, body=BODY + b" "),
        Case("no signature", "signature", False, False, stamp=stamp, signature=""),
        Case("signed decoded, as HubSpot documents", "ok", False, False, stamp=stamp, url=escaped, signature=signed(stamp, url=decoded)),
        Case("signed as it stands, as the SDKs do", "ok", True, True, stamp=stamp, url=escaped, signature=signed(stamp, url=escaped)),
        Case(
            "other bytes that read as the same text", "signature", True, True, stamp=stamp, body=b'["\xff"]',
            signature=signed(stamp, body=replaced), wrong="the body is not the one that was signed",
        ),
        Case(
            "signed with nothing", "secret", True, True, stamp=stamp, secret="", signature=signed(stamp, secret=""),
            wrong="where the secret was not set, anybody can sign",
        ),
        Case("version 1, the default of one SDK", "header", True, True, version="v1", signature=digest, wrong=late),
        Case("version 2, the default of the other", "header", True, True, version="v2", signature=digest2, wrong=late),
    ]


def text(body: bytes) -> str:
    """The body as a server's framework hands it to an SDK, which takes text."""
    return body.decode("utf-8", "replace")


def by_python(all_cases: list[Case]) -> list[bool]:
    """What the official Python SDK says."""
    signature = importlib.import_module("hubspot.utils.signature").Signature
    refused = importlib.import_module("hubspot.exceptions").InvalidSignatureTimestampError

    def accepts(case: Case) -> bool:
        try:
            return bool(signature.is_valid(
                case.signature, case.secret, text(case.body), case.url, case.method, case.version, case.stamp,
            ))
        except refused:
            return False

    return [accepts(case) for case in all_cases]


def by_node(modules: Path, all_cases: list[Case]) -> list[bool]:
    """What the official Node SDK says."""
    script = """
        const { Signature } = require('@hubspot/api-client');
        const cases = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
        console.log(JSON.stringify(cases.map((one) => { try { return Signature.isValid(one); } catch { return false; } })));
    """
    asked = [
        {
            "signature": case.signature, "clientSecret": case.secret, "requestBody": text(case.body), "url": case.url,
            "method": case.method, "signatureVersion": case.version, "timestamp": case.stamp,
        }
        for case in all_cases
    ]
    for one in asked:
        if one["timestamp"] is None:
            del one["timestamp"]
    environment = {"NODE_PATH": str(modules), "PATH": "/usr/local/bin:/usr/bin:/bin:" + str(Path(sys.executable).parent)}
    done = subprocess.run(["node", "-e", script], input=json.dumps(asked), capture_output=True, text=True, check=True, env=environment)
    answers: list[bool] = json.loads(done.stdout)
    return answers


def by_library(all_cases: list[Case]) -> list[str]:
    """What this library says."""
    lines = [
        json.dumps({
            "secret": case.secret, "method": case.method, "url": case.url, "headers": case.headers,
            "body": base64.b64encode(case.body).decode(),
        })
        for case in all_cases
    ]
    program = ROOT / "target" / "debug" / "examples" / "hubspot_wire"
    done = subprocess.run([program], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True)
    return done.stdout.split("\n")[:-1]


def main() -> int:
    """Compares every verdict; 1 when one is not as it stands here."""
    all_cases = cases()
    here, python = by_library(all_cases), by_python(all_cases)
    node = by_node(Path(sys.argv[1]), all_cases) if len(sys.argv) > 1 else None
    assert len(here) == len(python) == len(all_cases)
    problems = []
    for index, case in enumerate(all_cases):
        verdicts: list[tuple[str, object, object]] = [("here", here[index], case.here), ("Python's SDK", python[index], case.python)]
        if node is not None:
            verdicts.append(("Node's SDK", node[index], case.node))
        problems += [f"{case.name}: {who} says {says}, not {expected}" for who, says, expected in verdicts if says != expected]
        accepted = [name for name, accepts in [("Python's", case.python), ("Node's", case.node and node is not None)] if accepts]
        if case.wrong and accepted:
            print(f"{' and '.join(accepted)} SDK accept wrongly: {case.name} ({case.wrong})")
        if case.wrong and case.here == "ok":
            problems.append(f"{case.name}: is accepted here")
    for problem in problems:
        print(f"differs: {problem}")
    if not problems:
        print(f"{len(all_cases)} deliveries are judged as they should be here{'' if node else ' (Node was not asked)'}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
