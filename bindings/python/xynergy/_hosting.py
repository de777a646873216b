"""Objects of the user's behind the library's traits: the engine asks, and this answers.

An `async` method runs in the loop of the call that it serves, with that call's context variables; another one runs in a thread. When
the engine does not want an answer any more, the method's task is cancelled.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import itertools
import threading
import weakref
from collections.abc import Callable
from typing import Any

from xynergy import _json, _threads, _tokens
from xynergy._error import XynergyError
from xynergy._loop import LoopBridge
from xynergy._record import decode
from xynergy.hosts import ARGUMENTS, REQUIRED

_AHEAD = 64

_numbers = itertools.count(1)
_seats: weakref.WeakValueDictionary[int, Seat] = weakref.WeakValueDictionary()


class Seat:
    """An object of the user's in its place, as `providers.mine`."""

    def __init__(self, place: str, trait: str, target: Any) -> None:
        missing = [name for name in REQUIRED[trait] if not callable(getattr(target, name, None))]
        if isinstance(target, type) or missing:
            from xynergy.errors import ConfigInvalidError

            problem = (
                f"the class {target.__name__} was given; give an object of it"
                if isinstance(target, type)
                else f"{type(target).__name__} has no method {', '.join(missing)}; see xynergy.hosts.{trait}"
            )
            raise ConfigInvalidError(f"{place}: {problem}", operation="client")
        self.place = place
        self.target = target
        self.arguments = ARGUMENTS[trait]
        self.key = next(_numbers)
        _seats[self.key] = self

    def method(self, name: str) -> Callable[..., Any]:
        """The method of this name."""
        found: Callable[..., Any] = getattr(self.target, name)
        return found

    def read(self, method: str, text: str) -> dict[str, Any]:
        """The arguments by their names in Python."""
        hows = self.arguments[method]
        given = {}
        for name, value in _json.decode(text).items():
            how = hows.get(name, "")
            given["from_" if name == "from" else name] = decode(value, how) if how else value
        return given


class Credit:
    """How many more pieces of a stream may be sent."""

    def __init__(self) -> None:
        self.left = _AHEAD
        self.withdrawn = False
        self.room = asyncio.Event()
        self.changed = threading.Condition()

    def add(self, pieces: int) -> None:
        with self.changed:
            self.left += pieces
            self.changed.notify_all()
        self.room.set()

    def withdraw(self) -> None:
        with self.changed:
            self.withdrawn = True
            self.changed.notify_all()

    async def spend(self) -> None:
        while self.left <= 0:
            self.room.clear()
            await self.room.wait()
        self.left -= 1

    def spend_in_thread(self) -> bool:
        with self.changed:
            self.changed.wait_for(lambda: self.withdrawn or self.left > 0)
            self.left -= 1
            return not self.withdrawn


class Asked:
    """One question of the engine's."""

    def __init__(self, bridge: LoopBridge, number: int, seat: Seat, method: str, context: contextvars.Context) -> None:
        self.bridge = bridge
        self.number = number
        self.seat = seat
        self.method = method
        self.context = context
        self.handed_over = False
        self.inner: Any = None

    def fail(self, error: BaseException) -> None:
        """Tells the engine what was thrown."""
        kind, message, retry = None, f"{type(error).__name__}: {_said(error)}", None
        if isinstance(error, XynergyError):
            kind, message, retry = error.kind, error.message, error.retry_after_ms
        message = message.encode("utf-8", "replace").decode()
        self.bridge.native.fail(self.number, kind, message, retry, _tokens.keep(error))

    def answer(self, value: Any) -> None:
        """Tells the engine what was returned."""
        try:
            self.bridge.native.answer(self.number, _json.encode(value))
        except (TypeError, ValueError, RecursionError):
            self.fail(TypeError(f"what it returned cannot be passed: {_json.problem(value)}"))

    def start(self, work: Any, inner: Any) -> None:
        """Runs a coroutine, which awaits `inner`, as a task of the loop. In the loop's thread."""
        loop = self.bridge.loop_ref()
        if loop is None:
            work.close()
            return
        task = self.context.run(loop.create_task, work)
        self.bridge.tasks[self.number] = task
        self.inner = inner
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.bridge.tasks.pop(self.number, None)
        # One that was cancelled before it began has not awaited what it was given.
        if inspect.iscoroutine(self.inner):
            self.inner.close()
        if not self.handed_over:
            self.bridge.credits.pop(self.number, None)
        if not task.cancelled():
            task.exception()

    def start_from_thread(self, work: Any, inner: Any) -> None:
        """The same from another thread."""
        loop = self.bridge.loop_ref()
        try:
            if loop is None:
                raise RuntimeError
            loop.call_soon_threadsafe(self.start, work, inner)
        except RuntimeError:
            work.close()
            self.fail(RuntimeError("the event loop is closed"))

    async def wait(self, awaitable: Any) -> None:
        """Awaits the answer and gives it."""
        try:
            value = await awaitable
        except BaseException as error:
            self.fail(error)
            if not isinstance(error, Exception):
                raise
        else:
            self.answer(value)

    def call_in_thread(self, function: Callable[..., Any], arguments: dict[str, Any]) -> None:
        try:
            value = self.context.copy().run(function, **arguments)
        except BaseException as error:
            self.fail(error)
        else:
            if inspect.isawaitable(value):
                self.start_from_thread(self.wait(value), value)
            else:
                self.answer(value)

    async def send_pieces(self, source: Any, credit: Credit) -> None:
        """Sends the pieces of an asynchronous iterator."""
        try:
            if inspect.isawaitable(source):
                source = await source
            if not hasattr(source, "__aiter__"):
                self.handed_over = True
                _threads.run(lambda: self.context.copy().run(self.send_pieces_in_thread, source, credit))
                return
            try:
                async for piece in source:
                    await credit.spend()
                    if not self.bridge.native.piece(self.number, self._piece(piece)):
                        return
            finally:
                close = getattr(source, "aclose", None)
                if close is not None:
                    await close()
            self.bridge.native.end(self.number)
        except BaseException as error:
            self.fail(error)
            if not isinstance(error, Exception):
                raise

    def send_pieces_in_thread(self, source: Any, credit: Credit) -> None:
        try:
            if isinstance(source, (str, bytes, dict)) or not hasattr(source, "__iter__"):
                raise TypeError(f"it returned a {type(source).__name__}; return an iterator of pieces")
            try:
                for piece in source:
                    if not credit.spend_in_thread() or not self.bridge.native.piece(self.number, self._piece(piece)):
                        return
            finally:
                close = getattr(source, "close", None)
                if close is not None:
                    close()
            self.bridge.native.end(self.number)
        except BaseException as error:
            self.fail(error)
        finally:
            self.bridge.credits.pop(self.number, None)

    def call_stream_in_thread(self, function: Callable[..., Any], arguments: dict[str, Any], credit: Credit) -> None:
        try:
            source = self.context.copy().run(function, **arguments)
        except BaseException as error:
            self.bridge.credits.pop(self.number, None)
            self.fail(error)
            return
        if inspect.isawaitable(source) or hasattr(source, "__aiter__"):
            self.start_from_thread(self.send_pieces(source, credit), source)
        else:
            self.context.copy().run(self.send_pieces_in_thread, source, credit)

    def _piece(self, piece: Any) -> str:
        try:
            return _json.encode(piece)
        except (TypeError, ValueError, RecursionError):
            raise TypeError(f"a piece cannot be passed: {_json.problem(piece)}") from None


def receive(bridge: LoopBridge, message: tuple[Any, ...]) -> None:
    """A question, its withdrawal, or room for more pieces. In the loop's thread."""
    what, number = message[0], message[1]
    if what == 2:
        _ask(bridge, *message[1:])
    elif what == 3:
        credit = bridge.credits.pop(number, None)
        if credit is not None:
            credit.withdraw()
        task = bridge.tasks.get(number)
        if task is not None:
            task.cancel()
    elif number in bridge.credits:
        bridge.credits[number].add(message[2])


def _ask(bridge: LoopBridge, number: int, key: int, method: str, text: str, call: int | None, pieces: bool) -> None:
    seat = _seats.get(key)
    if seat is None:
        bridge.native.fail(number, None, "the client that it belongs to is gone", None, None)
        return
    context = bridge.contexts.get(call) if call is not None else None
    asked = Asked(bridge, number, seat, method, context or contextvars.Context())
    try:
        function = seat.method(method)
        arguments = seat.read(method, text)
    except Exception as error:
        asked.fail(error)
        return
    if pieces:
        credit = bridge.credits[number] = Credit()
        if inspect.isasyncgenfunction(function) or inspect.iscoroutinefunction(function):
            try:
                source = function(**arguments)
                asked.start(asked.send_pieces(source, credit), source)
            except Exception as error:
                asked.fail(error)
        else:
            _threads.run(lambda: asked.call_stream_in_thread(function, arguments, credit))
    elif inspect.iscoroutinefunction(function):
        try:
            answering = function(**arguments)
            asked.start(asked.wait(answering), answering)
        except Exception as error:
            asked.fail(error)
    else:
        _threads.run(lambda: asked.call_in_thread(function, arguments))


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "it cannot say what"
