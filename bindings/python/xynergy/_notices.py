"""The library's log lines into `logging`, and its events to whoever asked for them. No handler is installed."""

from __future__ import annotations

import json
import logging
import threading
import weakref
from collections.abc import Callable
from typing import Any

from xynergy import _native

_LEVELS = {"error": logging.ERROR, "warn": logging.WARNING, "info": logging.INFO, "debug": logging.DEBUG, "trace": 5}
_WAIT_MS = 1_000

logger = logging.getLogger("xynergy")

_lock = threading.Lock()
_thread: threading.Thread | None = None
_level = ""

listeners: weakref.WeakValueDictionary[int, Listener] = weakref.WeakValueDictionary()


class Listener:
    """Someone who wants the events of one engine."""

    __slots__ = ("__weakref__", "callback")

    def __init__(self, callback: Callable[[Any], Any]) -> None:
        self.callback = callback


def ensure() -> None:
    """Starts the thread that hands over; once for each process."""
    global _thread
    if _thread is not None:
        return
    with _lock:
        if _thread is None:
            follow_level()
            _thread = threading.Thread(target=_run, name="xynergy-notices", daemon=True)
            _thread.start()


def follow_level() -> None:
    """Asks the engine for no more lines than some logger wants."""
    global _level
    least = logger.getEffectiveLevel()
    for name, child in list(logging.root.manager.loggerDict.items()):
        if name.startswith("xynergy.") and isinstance(child, logging.Logger) and child.level:
            least = min(least, child.level)
    wanted = next((name for name, level in reversed(_LEVELS.items()) if level >= least), "off")
    if wanted != _level:
        _level = wanted
        _native.set_log_level(wanted)


def _run() -> None:
    while True:
        waited = _native.wait_for_notices(_WAIT_MS)
        if waited is None:
            return
        dropped, text = waited
        if dropped:
            logger.warning("%d log lines or events were dropped: they came faster than they were taken", dropped)
        for item in json.loads(text) if text else ():
            try:
                _hand_over(item)
            except Exception:
                logger.exception("a handler of logs or events failed")
        follow_level()


def _hand_over(item: dict[str, Any]) -> None:
    if item["type"] == "log":
        name = str(item["target"]).replace("::", ".").replace("_", ".", 1)
        fields = item["fields"]
        said = item["message"] or fields.get("event", "")
        told = " ".join(f"{key}={value}" for key, value in fields.items() if value is not said)
        message = f"{said} ({told})" if told else said
        level = _LEVELS.get(item["level"], logging.INFO)
        logging.getLogger(name).log(level, "%s", message, extra={"xynergy": fields})
        return
    listener = listeners.get(item["engine"])
    if listener is None:
        return
    result = listener.callback(item["event"])
    if hasattr(result, "__await__"):
        import asyncio

        from xynergy import _background

        async def wait(awaitable: Any) -> Any:
            return await awaitable

        _background.ensure()
        running = _background._running
        if running is not None:
            asyncio.run_coroutine_threadsafe(wait(result), running.loop)


def join() -> None:
    """Waits for the thread, which ends when the engine does."""
    if _thread is not None and _thread is not threading.current_thread():
        _thread.join(timeout=2)


def forget() -> None:
    """In the child of a fork, where the thread is not."""
    global _thread, _lock
    _thread = None
    _lock = threading.Lock()
