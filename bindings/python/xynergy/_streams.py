"""Answers in pieces."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING, Any

from xynergy import _json, _loop
from xynergy._record import view

if TYPE_CHECKING:
    from xynergy import _native
    from xynergy._core import Core
    from xynergy._types import ChatChunk


class _Reading:
    """What both kinds of streams have."""

    def __init__(self, core: Core, info: _native.Info, arguments: dict[str, Any]) -> None:
        self._core = core
        self._info = info
        self._arguments = arguments
        self._stream: int | None = None
        self._waiting: deque[dict[str, Any]] = deque()
        self._error: BaseException | None = None
        self._done = False

    def _take(self, read: dict[str, Any]) -> None:
        self._waiting.extend(read["chunks"])
        self._done = bool(read["done"])
        if read["error"] is not None:
            from xynergy.errors import from_value

            self._error = from_value(read["error"])

    def _next(self) -> ChatChunk | None:
        """The next piece that has arrived."""
        if self._waiting:
            from xynergy._types import ChatChunk

            piece = view(ChatChunk, self._waiting.popleft())
            assert isinstance(piece, ChatChunk)
            return piece
        error, self._error = self._error, None
        if error is not None:
            raise error
        return None

    def _abandon(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None and not self._done:
            self._core.engine.close_stream(stream)
        self._done = True
        self._waiting.clear()

    def __del__(self) -> None:
        if getattr(self, "_stream", None) is not None:
            self._abandon()


class ChatStream(_Reading):
    """The pieces of an answer: `async for chunk in stream`. It starts when the first piece is asked for, or with `async with`; it is
    closed when it is dropped, by `aclose()`, or at the end of `async with`."""

    _read: asyncio.Future[Any] | None = None
    _read_number: int | None = None

    def __aiter__(self) -> ChatStream:
        return self

    async def open(self) -> ChatStream:
        """Sends the request, unless that was done; errors that come before the first piece are raised here."""
        if self._stream is None and not self._done:
            try:
                opened = await self._core.call("ai.stream", self._info, self._arguments)
            except BaseException:
                self._done = True
                raise
            self._stream = opened["stream"]
        return self

    async def __anext__(self) -> ChatChunk:
        if self._stream is None:
            await self.open()
        while True:
            piece = self._next()
            if piece is not None:
                return piece
            if self._done:
                raise StopAsyncIteration
            await self._read_more()

    async def _read_more(self) -> None:
        """Reads what has arrived. A reader that is cancelled takes nothing with it: the next one waits for the same."""
        reading = self._read
        if reading is None:
            bridge = _loop.current()
            answer = self._core.start(bridge, "stream.next", self._info, {"stream": self._stream})
            if not isinstance(answer, int):
                self._take(_json.decode(answer))
                return
            self._read_number = answer
            reading = self._read = bridge.expect(answer)
        await asyncio.wait([reading])
        if self._read is reading:
            self._read = self._read_number = None
            try:
                self._take(_json.decode(reading.result()))
            except BaseException:
                self._done = True
                raise

    async def aclose(self) -> None:
        """Closes it: the provider's answer is abandoned, and what was not used is not paid for."""
        self._abandon()

    async def close(self) -> None:
        """As `aclose`, by the openai package's name."""
        self._abandon()

    def _abandon(self) -> None:
        number, self._read_number = self._read_number, None
        super()._abandon()
        if number is not None:
            if self._read is not None and not self._read.done():
                # A stream that is collected after its loop was closed cannot cancel there, and need not.
                with contextlib.suppress(RuntimeError):
                    self._read.cancel()
            self._core.engine.cancel(number)
        self._read = None

    async def __aenter__(self) -> ChatStream:
        return await self.open()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._abandon()


class BlockingChatStream(_Reading):
    """The pieces of an answer: `for chunk in stream`."""

    def __iter__(self) -> BlockingChatStream:
        return self

    def open(self) -> BlockingChatStream:
        """Sends the request, unless that was done; errors that come before the first piece are raised here."""
        if self._stream is None and not self._done:
            try:
                self._stream = self._core.call_blocking("ai.stream", self._info, self._arguments)["stream"]
            except BaseException:
                self._done = True
                raise
        return self

    def __next__(self) -> ChatChunk:
        if self._stream is None:
            self.open()
        while True:
            piece = self._next()
            if piece is not None:
                return piece
            if self._done:
                raise StopIteration
            try:
                self._take(self._core.call_blocking("stream.next", self._info, {"stream": self._stream}))
            except BaseException:
                self._abandon()
                raise

    def close(self) -> None:
        """Closes it: the provider's answer is abandoned, and what was not used is not paid for."""
        self._abandon()

    def __enter__(self) -> BlockingChatStream:
        return self.open()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._abandon()
