"""The sandbox: stand-ins on this machine for the AI providers, the ad platform and the CRM.

`async with xynergy.sandbox.start() as sandbox`, or `with` in code without an event loop.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from xynergy import _background, _json, _loop, _native
from xynergy.errors import InvalidInputError, from_json

if TYPE_CHECKING:
    from xynergy import blocking
    from xynergy._client import Client
    from xynergy._time import ManualClock

__all__ = ["BlockingSandbox", "Sandbox", "start"]


class _Running:
    """What both kinds of sandboxes have."""

    def __init__(self, native: _native.Sandbox, clock: ManualClock | None) -> None:
        self._native = native
        self._clock = clock
        described: dict[str, Any] = _json.decode(native.describe())
        self.urls: dict[str, str] = described["urls"]
        """The addresses of the stand-ins."""
        self.config: dict[str, Any] = described["config"]
        """The configuration of a client that talks to it."""
        self.secrets: dict[str, str] = described["secrets"]
        """The credentials of such a client. They open nothing else."""
        self.account: Any = described["account"]
        """Its ad account, as the closed loop takes it."""
        self.problems: list[str] = described["problems"]
        """The rows of the given files that were skipped."""

    def _options(self, given: dict[str, Any]) -> dict[str, Any]:
        options = {"config": self.config, "secrets": self.secrets, "clock": self._clock, **given}
        return {name: value for name, value in options.items() if value is not None}


class Sandbox(_Running):
    """A running sandbox."""

    def client(self, **options: Any) -> Client:
        """A client that talks to it, and keeps it running; `options` are as for `xynergy.Client`."""
        from xynergy._client import Client

        client = Client(**self._options(options))
        client._core.kept = self
        return client

    async def state(self) -> Any:
        """The state of the ad platform, with every late effect that is due."""
        return await _wait(self._native.state)

    async def apply_due(self) -> None:
        """Lets late effects land whose time has come."""
        await _wait(self._native.apply_due)

    async def next_due(self) -> str | None:
        """When the next late effect lands."""
        due: str | None = await _wait(self._native.next_due)
        return due

    async def stop(self) -> None:
        """Stops it. Stopping twice does nothing."""
        await _wait(self._native.stop)

    async def __aenter__(self) -> Sandbox:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop()


class BlockingSandbox(_Running):
    """A running sandbox, for code without an event loop."""

    def client(self, **options: Any) -> blocking.Client:
        """A blocking client that talks to it, and keeps it running; `options` are as for `xynergy.Client`."""
        from xynergy.blocking import Client

        client = Client(**self._options(options))
        client._core.kept = self
        return client

    def state(self) -> Any:
        """The state of the ad platform, with every late effect that is due."""
        return _background.run(_wait(self._native.state))

    def apply_due(self) -> None:
        """Lets late effects land whose time has come."""
        _background.run(_wait(self._native.apply_due))

    def next_due(self) -> str | None:
        """When the next late effect lands."""
        due: str | None = _background.run(_wait(self._native.next_due))
        return due

    def stop(self) -> None:
        """Stops it. Stopping twice does nothing."""
        _background.run(_wait(self._native.stop))

    def __enter__(self) -> BlockingSandbox:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


class Starting:
    """A sandbox on its way: `await` it, or use it with `async with` or `with`."""

    def __init__(self, options: dict[str, Any], clock: ManualClock | None) -> None:
        self._options = options
        self._clock = clock
        self._sandbox: Sandbox | None = None
        self._blocking: BlockingSandbox | None = None

    def _native(self) -> Any:
        try:
            options = _json.encode(self._options)
            options.encode("utf-8")
        except (TypeError, ValueError, RecursionError):
            raise InvalidInputError(_json.problem(self._options), operation="sandbox.start") from None
        clock = None if self._clock is None else self._clock.native
        return _wait(lambda bridge: _native.start_sandbox(bridge, options, clock))

    async def _start(self) -> Sandbox:
        return Sandbox(await self._native(), self._clock)

    def __await__(self) -> Generator[Any, None, Sandbox]:
        return self._start().__await__()

    async def __aenter__(self) -> Sandbox:
        self._sandbox = await self._start()
        return self._sandbox

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._sandbox is not None:
            await self._sandbox.stop()

    def start_blocking(self) -> BlockingSandbox:
        """Starts it and waits."""
        return BlockingSandbox(_background.run(self._native()), self._clock)

    def __enter__(self) -> BlockingSandbox:
        self._blocking = self.start_blocking()
        return self._blocking

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._blocking is not None:
            self._blocking.stop()


def start(
    *,
    ads: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    crm: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    faults: Any = None,
    log: str | os.PathLike[str] | None = None,
    port: int | None = None,
    clock: ManualClock | None = None,
) -> Starting:
    """Starts a sandbox.

    Args:
        ads: The ad account: the content of an ads file, or its path. One with four ads without it.
        crm: Deals and contacts: the content of a CRM file, or its path. None without it.
        faults: Rules of faults, or the path of a file of them.
        log: The file of its log; in memory without it.
        port: The port of 127.0.0.1; a free one without it.
        clock: The clock whose time it runs in; the system's without it.
    """
    given = {"ads": ads, "crm": crm, "faults": faults, "log": log, "port": port}
    paths = {name: os.fspath(value) if isinstance(value, os.PathLike) else value for name, value in given.items()}
    return Starting({name: value for name, value in paths.items() if value is not None}, clock)


async def _wait(begin: Any) -> Any:
    """Waits for what `begin` starts on the running loop's bridge."""
    bridge = _loop.current()
    try:
        answer = await bridge.expect(begin(bridge.native))
    except _native.Failed as failure:
        raise from_json(failure.args[0]) from None
    return _json.decode(answer) if isinstance(answer, str) else answer
