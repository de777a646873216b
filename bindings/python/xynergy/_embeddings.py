"""The openai package's `embeddings.create`, over `ai.embed`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, cast

from xynergy._chat import _seconds, _Shape
from xynergy._record import Object, decode
from xynergy.errors import InvalidInputError, UnsupportedError

_OPERATION = "embeddings.create"


def _asked(given: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """The arguments of `ai.embed`, and the time limit."""
    given = {name: value for name, value in given.items() if type(value).__name__ not in ("NotGiven", "Omit") and value is not None}
    timeout = given.pop("timeout", None)
    if given.pop("encoding_format", "float") != "float":
        raise UnsupportedError("encoding_format: vectors are lists of numbers here; leave it out", operation=_OPERATION)
    texts = given.pop("input", ())
    if not isinstance(texts, str):
        try:
            texts = list(texts)
        except TypeError:
            raise InvalidInputError("input: give a text or a list of texts", operation=_OPERATION) from None
    asked = {"input": [texts] if isinstance(texts, str) else texts}
    asked |= {name: given.pop(name) for name in ("model", "dimensions") if name in given}
    for name in given:
        raise UnsupportedError(f"{name}: no embedder is sent it; leave it out", operation=_OPERATION)
    return asked, _seconds(timeout)


def _shaped(told: dict[str, Any]) -> Object:
    """The answer as the openai package has it, and beside it what this library tells of the call."""
    tokens, vectors = told["tokens_used"], told.pop("vectors")
    answer = {
        "object": "list",
        "data": [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)],
        "model": told["model"],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        "xynergy": told,
    }
    return cast(Object, decode(answer, "?"))


class EmbeddingCalls(_Shape):
    """`client.embeddings`."""

    __slots__ = ()

    async def create(
        self,
        *,
        input: str | Iterable[str],
        model: str = "",
        dimensions: int | None = None,
        encoding_format: Literal["float"] | None = None,
        timeout: Any = None,
        **parameters: Any,
    ) -> Object:
        """Embeds texts, as the openai package's method of this name; the vectors are lists of numbers."""
        asked, limit = _asked({**parameters, "input": input, "model": model or None, "dimensions": dimensions,
                               "encoding_format": encoding_format, "timeout": timeout})  # fmt: skip
        return _shaped(await self._core.call("ai.embed", self._options(limit), asked))


class BlockingEmbeddingCalls(_Shape):
    """`client.embeddings` of the blocking client."""

    __slots__ = ()

    def create(
        self,
        *,
        input: str | Iterable[str],
        model: str = "",
        dimensions: int | None = None,
        encoding_format: Literal["float"] | None = None,
        timeout: Any = None,
        **parameters: Any,
    ) -> Object:
        """Embeds texts, as the openai package's method of this name; the vectors are lists of numbers."""
        asked, limit = _asked({**parameters, "input": input, "model": model or None, "dimensions": dimensions,
                               "encoding_format": encoding_format, "timeout": timeout})  # fmt: skip
        return _shaped(self._core.call_blocking("ai.embed", self._options(limit), asked))
