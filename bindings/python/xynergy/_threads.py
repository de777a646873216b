"""Threads for host methods that are not async. They are daemons: one that hangs does not keep the process from ending."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

_MOST = 128

_lock = threading.Lock()
_work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
_idle = 0
_count = 0


def run(work: Callable[[], None]) -> None:
    """Runs it in some thread, soon. It must not raise."""
    global _idle, _count
    _work.put(work)
    with _lock:
        if _idle > 0:
            _idle -= 1
            return
        if _count >= _MOST:
            return
        _count += 1
    threading.Thread(target=_serve, name="xynergy-host", daemon=True).start()


def _serve() -> None:
    global _idle
    work = _work
    while True:
        work.get()()
        with _lock:
            _idle += 1


def forget() -> None:
    """In the child of a fork, where the threads are not."""
    global _lock, _work, _idle, _count
    _lock = threading.Lock()
    _work = queue.SimpleQueue()
    _idle = _count = 0
