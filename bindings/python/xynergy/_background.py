"""A loop in a thread of its own, for those who have none: the blocking client, and host objects that outlive their caller's loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from xynergy import _loop

T = TypeVar("T")

_lock = threading.Lock()
_running: _Background | None = None


class _Background:
    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.bridge: _loop.LoopBridge | None = None
        self.thread = threading.Thread(target=self._run, name="xynergy-background", daemon=True)
        self.thread.start()
        self.ready.wait()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self._serve())
            self.loop.run_forever()
        finally:
            tasks = asyncio.all_tasks(self.loop)
            for task in tasks:
                task.cancel()
            if tasks:
                self.loop.run_until_complete(asyncio.wait(tasks, timeout=1))
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.close()

    async def _serve(self) -> None:
        self.bridge = _loop.current()
        self.bridge.native.serve_background()
        self.ready.set()


def ensure() -> _loop.LoopBridge:
    """The bridge of the background loop, which is started at its first use."""
    global _running
    with _lock:
        if _running is None:
            _running = _Background()
        bridge = _running.bridge
    assert bridge is not None
    return bridge


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine in the background loop and waits for it in this thread. Ctrl-C cancels it."""
    ensure()
    assert _running is not None
    waiting = asyncio.run_coroutine_threadsafe(work, _running.loop)
    try:
        return waiting.result()
    except BaseException:
        waiting.cancel()
        raise


def stop() -> None:
    """Ends the thread; at the interpreter's end."""
    global _running
    background, _running = _running, None
    if background is None:
        return
    try:
        background.loop.call_soon_threadsafe(background.loop.stop)
    except RuntimeError:
        return
    background.thread.join(timeout=2)


def forget() -> None:
    """In the child of a fork, where the thread is not."""
    global _running, _lock
    if _running is not None:
        _loop._left_behind.append(_running)
    _running = None
    _lock = threading.Lock()
