"""The cases of this folder against the Python package: `python run.py [--blocking] [FILE...]`.

README.md beside it specifies everything here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import xynergy
from vector_hosts import Scripted
from vector_values import merge, mismatch, resolve

LANGUAGE = "python"
FOLDER = Path(__file__).parent
SURFACE: dict[str, Any] = json.loads((FOLDER / "surface.json").read_text())
SEEN_SECONDS = 5.0


class Differs(Exception):
    """What came is not what was expected."""


def plain(value: Any) -> Any:
    """A result as JSON says it, by the package's own writer."""
    return json.loads(xynergy.to_json(value))


def shape(error: BaseException) -> dict[str, Any]:
    if isinstance(error, asyncio.CancelledError):
        return {"kind": "cancelled"}
    if not isinstance(error, xynergy.XynergyError):
        raise error
    names = ("kind", "message", "operation", "retryable", "retry_after_ms", "context")
    return {name: plain(getattr(error, name)) for name in names}


def compare(step: dict[str, Any], value: Any, names: dict[str, Any]) -> None:
    if "expect_error" in step:
        raise Differs(f"it should have failed, and gave {value}")
    if "expect" in step and (problem := mismatch(resolve(step["expect"], names), value)):
        raise Differs(problem)
    for name, pointer in step.get("save", {}).items():
        found = value
        for part in pointer.split("/")[1:]:
            found = found[int(part)] if isinstance(found, list) else found[part]
        names[name] = found


def compare_error(wanted: dict[str, Any], error: BaseException) -> None:
    found = shape(error)
    for name, expected in wanted.items():
        if name == "message_contains":
            name, expected = "message", {"$contains": expected}
        if problem := mismatch(expected, found.get(name), name):
            raise Differs(f"{problem}; the error is {found}") from error


class Subject:
    """The client of one case, and what stands around it."""

    def __init__(self, setup: dict[str, Any], blocking: bool) -> None:
        self.setup, self.blocking = setup, blocking
        self.clock = xynergy.ManualClock(setup["now"]) if "now" in setup else None
        self.hosts: dict[str, Scripted] = {}
        self.sandbox: Any = None
        self.client: Any = None

    async def start(self) -> None:
        if self.setup.get("sandbox") is not None:
            self.sandbox = await xynergy.sandbox.start(**self.setup["sandbox"], clock=self.clock)
        for kind, scripts in self.setup.get("hosts", {}).items():
            if kind == "secrets":
                self.hosts["secrets"] = Scripted("secrets", scripts, self.clock)
            else:
                for name, script in scripts.items():
                    self.hosts[f"{kind}.{name}"] = Scripted(f"{kind}.{name}" if kind == "stores" else kind, script, self.clock)
        self.open()

    def open(self) -> None:
        setup, described = self.setup, self.sandbox
        options: dict[str, Any] = {name: setup[name] for name in ("seed", "host_timeout_ms") if setup.get(name) is not None}
        config = setup.get("config_toml", setup.get("config"))
        if described is not None:
            config = merge(described.config, config)
        if "secrets" in self.hosts:
            options["secrets"] = self.hosts["secrets"]
        if setup.get("secrets") is not None or (described is not None and "secrets" not in self.hosts):
            values = merge(described.secrets if described is not None else {}, setup.get("secrets"))
            if "secrets" in self.hosts:
                raise xynergy.ConfigInvalidError("secrets: Python takes one argument, values or a source", operation="client")
            options["secrets"] = values
        for place, host in self.hosts.items():
            if "." in place:
                kind, name = place.split(".", 1)
                options.setdefault(kind, {})[name] = host
        made = xynergy.blocking.Client if self.blocking else xynergy.Client
        self.client = made(config, clock=self.clock, **options)

    async def call(self, step: dict[str, Any], names: dict[str, Any]) -> Any:
        method, arguments = step["call"], resolve(step.get("args", {}), names)
        scope = resolve(step.get("scope", {}), names)
        target = self.client.scope(**scope) if scope else self.client
        *area, name = method.split(".")
        for part in area:
            target = getattr(target, part)
        if "timeout_ms" in step:
            arguments["timeout"] = step["timeout_ms"] / 1000
        if isinstance(arguments.get("body"), dict):
            import base64

            arguments["body"] = base64.b64decode(arguments["body"]["base64"])
        if self.blocking:
            return await asyncio.to_thread(self.call_blocking, target, name, arguments, step)
        work = self.read(target.stream(**arguments), step.get("take")) if name == "stream" else getattr(target, name)(**arguments)
        if "cancel_after_ms" not in step:
            return plain(await work)
        task = asyncio.ensure_future(work)
        asyncio.get_running_loop().call_later(step["cancel_after_ms"] / 1000, task.cancel)
        return plain(await task)

    @staticmethod
    def call_blocking(target: Any, name: str, arguments: dict[str, Any], step: dict[str, Any]) -> Any:
        if name != "stream":
            return plain(getattr(target, name)(**arguments))
        text, last = "", None
        with target.stream(**arguments) as stream:
            for number, chunk in enumerate(stream, 1):
                last = plain(chunk)
                text += (last["choices"] or [{}])[0].get("delta", {}).get("content") or ""
                if number == step.get("take"):
                    break
        return {"text": text, "last": last}

    @staticmethod
    async def read(stream: Any, take: int | None) -> dict[str, Any]:
        text, last, read = "", None, 0
        async with stream:
            async for chunk in stream:
                last = plain(chunk)
                text += (last["choices"] or [{}])[0].get("delta", {}).get("content") or ""
                read += 1
                if read == take:
                    break
        return {"text": text, "last": last}

    async def close(self) -> None:
        if self.client is not None:
            closing = self.client.close()
            if closing is not None:
                await closing

    async def end(self) -> None:
        await self.close()
        if self.sandbox is not None:
            await self.sandbox.stop()


async def run_step(subject: Subject, step: dict[str, Any], names: dict[str, Any]) -> None:
    if "clock" in step or "advance_ms" in step:
        assert subject.clock is not None, "the case has no frozen clock"
        if "clock" in step:
            subject.clock.set(resolve(step["clock"], names))
        subject.clock.advance(timedelta(milliseconds=step.get("advance_ms", 0)))
        if subject.sandbox is not None:
            await subject.sandbox.apply_due()
    elif step.get("close"):
        await subject.close()
    elif step.get("reopen"):
        await subject.close()
        subject.open()
    elif "sandbox" in step:
        compare(step, plain(await getattr(subject.sandbox, step["sandbox"])()), names)
    elif "host" in step or step.get("eventually"):
        deadline = asyncio.get_running_loop().time() + SEEN_SECONDS
        while True:
            try:
                return compare(step, subject.hosts[step["host"]].seen if "host" in step else await subject.call(step, names), names)
            except Differs:
                if asyncio.get_running_loop().time() > deadline:
                    raise
            await asyncio.sleep(0.01)
    else:
        calls = [subject.call(step, names) for _ in range(step.get("times", 1))]
        for outcome in await asyncio.gather(*calls, return_exceptions=True):
            if not isinstance(outcome, BaseException):
                compare(step, outcome, names)
            elif "expect_error" in step:
                compare_error(resolve(step["expect_error"], names), outcome)
            else:
                raise outcome


async def run_case(file: dict[str, Any], case: dict[str, Any], blocking: bool, report: Report) -> None:
    with tempfile.TemporaryDirectory() as folder:
        names = {**file.get("values", {}), "folder": folder}
        setup = resolve(merge(file.get("setup"), case.get("client")), names) or {}
        subject = Subject(setup, blocking)
        try:
            try:
                await subject.start()
            except xynergy.XynergyError as error:
                if "expect_error" not in case:
                    raise
                return compare_error(resolve(case["expect_error"], names), error)
            if "expect_error" in case:
                raise Differs("the client was built, and should not have been")
            for number, step in enumerate(case.get("steps", []), 1):
                if LANGUAGE in step.get("not_in", []):
                    report.left_out.append(f"{case['name']}, step {number}")
                    continue
                report.called.add(step.get("call"))
                try:
                    await run_step(subject, step, names)
                except Exception as error:
                    raise Differs(f"step {number} {step.get('call', '')}: {type(error).__name__} {error}") from error
        finally:
            await subject.end()


class Report:
    def __init__(self) -> None:
        self.passed = 0
        self.left_out: list[str] = []
        self.failures: list[str] = []
        self.called: set[str | None] = set()


def check_matchers() -> None:
    for case in json.loads((FOLDER / "matchers.json").read_text()):
        problem = mismatch(case["expect"], case["value"])
        assert (problem is None) == case["matches"], (case, problem)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", help="names of files without .json; all without")
    parser.add_argument("--blocking", action="store_true", help="by the blocking client; cancellations are left out")
    options = parser.parse_args()
    check_matchers()
    report = Report()
    for path in sorted(FOLDER.glob("*.json")):
        if path.stem in ("surface", "matchers") or (options.files and path.stem not in options.files):
            continue
        file = json.loads(path.read_text(encoding="utf-8"))
        for case in file["cases"]:
            name = f"{path.stem}: {case['name']}"
            cancels = any("cancel_after_ms" in step for step in case.get("steps", []))
            if LANGUAGE in case.get("not_in", []) or (options.blocking and cancels):
                report.left_out.append(name)
                continue
            try:
                asyncio.run(asyncio.wait_for(run_case(file, case, options.blocking, report), 60))
                report.passed += 1
            except Exception as error:  # noqa: BLE001 - a case that fails must not end the others
                report.failures.append(f"{name}: {type(error).__name__}: {error}")
    print(f"{LANGUAGE}{', blocking' if options.blocking else ''}: {report.passed} cases passed, {len(report.left_out)} left out")
    for left_out in report.left_out:
        print(f"  left out: {left_out}")
    if not options.files:
        report.failures += [f"no case calls {name}" for name in SURFACE["methods"] if name not in report.called]
    print("\n".join(report.failures), file=sys.stderr)
    return 1 if report.failures or not report.passed else 0


if __name__ == "__main__":
    sys.exit(main())
