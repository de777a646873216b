"""The openai package's `chat.completions.create`, so that code written for it changes one line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Union, overload

from xynergy import _core
from xynergy._record import view
from xynergy._streams import BlockingChatStream, ChatStream
from xynergy._types import ChatChunk, ChatResponse
from xynergy.errors import InvalidInputError, UnsupportedError

if TYPE_CHECKING:
    from xynergy import _native
    from xynergy._record import Record

_OPERATION = "chat.completions.create"

Messages = Iterable[Union[Mapping[str, Any], "Record"]]


def _request(given: dict[str, Any]) -> tuple[dict[str, Any], Any, bool]:
    """The request's body, its time limit, and whether the usage was asked for in a stream."""
    given = {name: value for name, value in given.items() if type(value).__name__ not in ("NotGiven", "Omit")}
    timeout = given.pop("timeout", None)
    for name in ("extra_headers", "extra_query"):
        if given.pop(name, None):
            raise UnsupportedError(
                f"{name}: the providers are reached by their configuration; leave it out", operation=_OPERATION
            )
    extra = given.pop("extra_body", None)
    if extra is not None and not isinstance(extra, Mapping):
        raise InvalidInputError("extra_body: give a dictionary", operation=_OPERATION)
    stream = bool(given.pop("stream", False))
    body = {name: value for name, value in {**given, **(extra or {})}.items() if value is not None}
    if not isinstance(body.get("messages"), (list, tuple)):
        try:
            body["messages"] = list(body.get("messages", ()))
        except TypeError:
            raise InvalidInputError("messages: give a list of messages", operation=_OPERATION) from None
    options = body.get("stream_options")
    usage = isinstance(options, Mapping) and bool(options.get("include_usage"))
    if not stream:
        body.pop("stream_options", None)
    return {"request": body}, _seconds(timeout), usage


def _seconds(timeout: Any) -> Any:
    """Seconds; of an `httpx.Timeout` the longest of its parts."""
    parts = [getattr(timeout, name, None) for name in ("connect", "read", "write", "pool")]
    numbers = [part for part in parts if isinstance(part, (int, float))]
    return max(numbers) if numbers else (None if hasattr(timeout, "read") else timeout)


def _shaped(value: dict[str, Any], kind: str) -> dict[str, Any]:
    """With the fields that the openai package's objects always have."""
    value.setdefault("object", kind)
    value.setdefault("created", 0)
    for choice in value.get("choices", ()):
        choice.setdefault("logprobs", None)
    return value


class CompletionStream(ChatStream):
    """The chunks of a chat completion. A chunk without choices comes only when the usage was asked for, as OpenAI does it; `final`
    has the last one in any case, with usage, outcome and report."""

    final: ChatChunk | None = None
    usage_wanted = False

    def __aiter__(self) -> CompletionStream:
        return self

    async def __anext__(self) -> ChatChunk:
        while True:
            chunk = await super().__anext__()
            _shaped(chunk._data, "chat.completion.chunk")
            if chunk._data.get("choices"):
                return chunk
            self.final = chunk
            if self.usage_wanted:
                return chunk

    async def __aenter__(self) -> CompletionStream:
        await self.open()
        return self


class BlockingCompletionStream(BlockingChatStream):
    """The chunks of a chat completion, as `CompletionStream`."""

    final: ChatChunk | None = None
    usage_wanted = False

    def __iter__(self) -> BlockingCompletionStream:
        return self

    def __next__(self) -> ChatChunk:
        while True:
            chunk = super().__next__()
            _shaped(chunk._data, "chat.completion.chunk")
            if chunk._data.get("choices"):
                return chunk
            self.final = chunk
            if self.usage_wanted:
                return chunk

    def __enter__(self) -> BlockingCompletionStream:
        self.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class _Shape:
    __slots__ = ("_core", "_info")

    def __init__(self, core: _core.Core, info: _native.Info) -> None:
        self._core = core
        self._info = info

    def _options(self, timeout: Any) -> _native.Info:
        return self._info if timeout is None else _core.with_options(self._info, timeout, None)


class Completions(_Shape):
    """`client.chat.completions`."""

    __slots__ = ()

    @overload
    async def create(
        self, *, messages: Messages, model: str = "", stream: Literal[False] | None = None, timeout: Any = None, **parameters: Any
    ) -> ChatResponse: ...

    @overload
    async def create(
        self, *, messages: Messages, model: str = "", stream: Literal[True], timeout: Any = None, **parameters: Any
    ) -> CompletionStream: ...

    @overload
    async def create(
        self, *, messages: Messages, model: str = "", stream: bool, timeout: Any = None, **parameters: Any
    ) -> ChatResponse | CompletionStream: ...

    async def create(self, **parameters: Any) -> ChatResponse | CompletionStream:
        """Answers a conversation, as the openai package's method of this name. Parameters that this library does not know go to the
        provider as they are."""
        body, timeout, usage = _request(parameters)
        info = self._options(timeout)
        if parameters.get("stream") is True:
            stream = CompletionStream(self._core, info, body)
            stream.usage_wanted = usage
            await stream.open()
            return stream
        answer = await self._core.call("ai.chat", info, body)
        response = view(ChatResponse, _shaped(answer, "chat.completion"))
        assert isinstance(response, ChatResponse)
        return response


class BlockingCompletions(_Shape):
    """`client.chat.completions` of the blocking client."""

    __slots__ = ()

    @overload
    def create(
        self, *, messages: Messages, model: str = "", stream: Literal[False] | None = None, timeout: Any = None, **parameters: Any
    ) -> ChatResponse: ...

    @overload
    def create(
        self, *, messages: Messages, model: str = "", stream: Literal[True], timeout: Any = None, **parameters: Any
    ) -> BlockingCompletionStream: ...

    @overload
    def create(
        self, *, messages: Messages, model: str = "", stream: bool, timeout: Any = None, **parameters: Any
    ) -> ChatResponse | BlockingCompletionStream: ...

    def create(self, **parameters: Any) -> ChatResponse | BlockingCompletionStream:
        """Answers a conversation, as the openai package's method of this name."""
        body, timeout, usage = _request(parameters)
        info = self._options(timeout)
        if parameters.get("stream") is True:
            stream = BlockingCompletionStream(self._core, info, body)
            stream.usage_wanted = usage
            stream.open()
            return stream
        answer = self._core.call_blocking("ai.chat", info, body)
        response = view(ChatResponse, _shaped(answer, "chat.completion"))
        assert isinstance(response, ChatResponse)
        return response


class Chat(_Shape):
    """`client.chat`."""

    __slots__ = ()

    @property
    def completions(self) -> Completions:
        """Chat completions."""
        return Completions(self._core, self._info)


class BlockingChat(_Shape):
    """`client.chat` of the blocking client."""

    __slots__ = ()

    @property
    def completions(self) -> BlockingCompletions:
        """Chat completions."""
        return BlockingCompletions(self._core, self._info)
