"""One bridge for each event loop: the engine's results and questions arrive in it, and the loop is woken once for all that wait."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
import weakref
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

from xynergy import _native

if TYPE_CHECKING:
    from xynergy._hosting import Credit

_running_loop = asyncio.get_running_loop

_bridges: dict[int, LoopBridge] = {}

_left_behind: list[Any] = []


class LoopBridge:
    """A loop's end of the library."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.native = _native.Bridge()
        self.pending: dict[int, asyncio.Future[Any]] = {}
        self.contexts: dict[int, contextvars.Context] = {}
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.credits: dict[int, Credit] = {}
        self._key = id(loop)
        self._fd: int | None = None
        # It does not keep the loop alive; when the loop goes, it goes.
        self.loop_ref = weakref.ref(loop, lambda _: self._forget())
        self._keeper = _keep(self)

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Makes the loop wake it. In the thread of the running loop."""
        fd = self.native.fileno()
        try:
            if fd is None:
                raise NotImplementedError
            loop.add_reader(fd, self.drain)
            self._fd = fd
        except NotImplementedError:
            # A loop that cannot wait for a descriptor, as Windows's: a thread waits for it.
            threading.Thread(target=_wake, args=(self.native, self.loop_ref), name="xynergy-wake", daemon=True).start()
        # The loop ends its generators before it closes; this one ends the bridge.
        with contextlib.suppress(StopIteration):
            self._keeper.__anext__().send(None)

    def expect(self, number: int) -> asyncio.Future[Any]:
        """What the call of this number will give."""
        future = _running_loop().create_future()
        self.pending[number] = future
        return future

    def drain(self) -> None:
        """Deals with everything that has arrived."""
        for message in self.native.take():
            what, number = message[0], message[1]
            if what < 2:
                if self.contexts:
                    self.contexts.pop(number, None)
                future = self.pending.pop(number, None)
                if future is None or future.done():
                    continue
                if what == 0:
                    future.set_result(message[2])
                else:
                    from xynergy.errors import from_json

                    future.set_exception(from_json(message[2]))
            else:
                from xynergy import _hosting

                _hosting.receive(self, message)

    def close(self) -> None:
        """Ends it, in the loop's thread."""
        loop = self.loop_ref()
        if self._fd is not None and loop is not None and not loop.is_closed():
            loop.remove_reader(self._fd)
        for task in list(self.tasks.values()):
            task.cancel()
        self._forget()

    def _forget(self) -> None:
        if _bridges.get(self._key) is self:
            del _bridges[self._key]
        self.native.close()


async def _keep(bridge: LoopBridge) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        bridge.close()


def current() -> LoopBridge:
    """The bridge of the running loop."""
    loop = _running_loop()
    bridge = _bridges.get(id(loop))
    if bridge is not None and bridge.loop_ref() is loop:
        return bridge
    return _attach(loop)


def _attach(loop: asyncio.AbstractEventLoop) -> LoopBridge:
    from xynergy import _notices

    for other in list(_bridges.values()):
        closed = other.loop_ref()
        if closed is None or closed.is_closed():
            # One that was closed without ending its generators.
            other._forget()
    bridge = LoopBridge(loop)
    bridge.attach(loop)
    _bridges[id(loop)] = bridge
    _notices.ensure()
    return bridge


def is_running() -> bool:
    """Whether this thread runs a loop."""
    try:
        _running_loop()
    except RuntimeError:
        return False
    return True


def _wake(native: _native.Bridge, loop_ref: weakref.ref[asyncio.AbstractEventLoop]) -> None:
    while native.wait(1_000):
        loop = loop_ref()
        bridge = _bridges.get(id(loop)) if loop is not None else None
        if loop is None or bridge is None or loop.is_closed():
            return
        drained = threading.Event()
        try:
            loop.call_soon_threadsafe(_drain, bridge, drained)
        except RuntimeError:
            return
        del loop, bridge
        drained.wait(1)


def _drain(bridge: LoopBridge, drained: threading.Event) -> None:
    bridge.drain()
    drained.set()


def forget_all() -> None:
    """In the child of a fork: the parent's bridges are the parent's. They are kept as they are, because to end them takes locks that
    threads of the parent may hold."""
    _left_behind.extend(_bridges.values())
    _bridges.clear()
