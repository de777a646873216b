"""The exceptions: `XynergyError`, and one subclass for each kind."""

from __future__ import annotations

import json
from typing import Any

from xynergy import _tokens
from xynergy._error import Cause, XynergyError
from xynergy._kinds import (
    BY_KIND,
    AmbiguousError,
    CancelledError,
    ConfigInvalidError,
    ConflictError,
    ContentFilteredError,
    ContextTooLongError,
    CorruptError,
    InvalidInputError,
    LimitExceededError,
    NotFoundError,
    RejectedError,
    ThrottledError,
    TimeoutError,
    UnauthorizedError,
    UnavailableError,
    UnexpectedError,
    UnsupportedError,
)

__all__ = [
    "AmbiguousError",
    "CancelledError",
    "Cause",
    "ConfigInvalidError",
    "ConflictError",
    "ContentFilteredError",
    "ContextTooLongError",
    "CorruptError",
    "InvalidInputError",
    "LimitExceededError",
    "NotFoundError",
    "RejectedError",
    "ThrottledError",
    "TimeoutError",
    "UnauthorizedError",
    "UnavailableError",
    "UnexpectedError",
    "UnsupportedError",
    "XynergyError",
    "from_value",
]


def from_value(value: dict[str, Any]) -> XynergyError:
    """The exception for a failure as the engine describes it, with what caused it as `__cause__`."""
    kind = str(value.get("kind", "unexpected"))
    error = BY_KIND.get(kind, XynergyError)(
        str(value.get("message", "")),
        kind=kind,
        operation=str(value.get("operation", "")),
        retryable=bool(value.get("retryable")),
        retry_after_ms=value.get("retry_after_ms"),
        context=value.get("context"),
        partial_text=value.get("partial_text"),
    )
    error.__cause__ = _cause(value)
    return error


def from_json(text: str) -> XynergyError:
    """The same from JSON."""
    return from_value(json.loads(text))


def _cause(value: dict[str, Any]) -> BaseException | None:
    token = value.get("host_token")
    thrown = _tokens.take(token) if token is not None else None
    if thrown is not None:
        return thrown
    cause: BaseException | None = None
    for text in reversed(value.get("causes") or []):
        above = Cause(text)
        above.__cause__ = cause
        cause = above
    return cause
