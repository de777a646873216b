# Written by `python3 bindings/generate` from the description of the public surface; do not edit.
# ruff: noqa
"""The exceptions, one for each kind of error."""

from __future__ import annotations

import builtins

from xynergy._error import XynergyError


class AmbiguousError(XynergyError):
    """The outcome of a write is unknown: it was sent, and no answer tells whether it took effect."""

    kind = "ambiguous"


class CancelledError(XynergyError):
    """The call was cancelled by the caller."""

    kind = "cancelled"


class ConfigInvalidError(XynergyError, ValueError):
    """The configuration is wrong; nothing was started."""

    kind = "config_invalid"


class ConflictError(XynergyError):
    """What is stored contradicts itself or the request."""

    kind = "conflict"


class ContentFilteredError(XynergyError):
    """A content filter refused the request or the answer."""

    kind = "content_filtered"


class ContextTooLongError(XynergyError):
    """The prompt does not fit the model's context window."""

    kind = "context_too_long"


class CorruptError(XynergyError):
    """A stored file or row cannot be read back as what it should be."""

    kind = "corrupt"


class InvalidInputError(XynergyError, ValueError):
    """An argument is wrong; the message names the field."""

    kind = "invalid_input"


class LimitExceededError(XynergyError):
    """A limit that the user set refuses the call."""

    kind = "limit_exceeded"


class NotFoundError(XynergyError, LookupError):
    """The object does not exist."""

    kind = "not_found"


class RejectedError(XynergyError):
    """The other side refused the request as it stands."""

    kind = "rejected"


class ThrottledError(XynergyError):
    """The other side asks to slow down."""

    kind = "throttled"


class TimeoutError(XynergyError, builtins.TimeoutError):
    """No answer came in time."""

    kind = "timeout"


class UnauthorizedError(XynergyError):
    """The credentials are missing, wrong or without the permission."""

    kind = "unauthorized"


class UnavailableError(XynergyError):
    """A dependency is away or broken."""

    kind = "unavailable"


class UnexpectedError(XynergyError):
    """A defect of this library."""

    kind = "unexpected"


class UnsupportedError(XynergyError, NotImplementedError):
    """The backend has no such ability."""

    kind = "unsupported"


BY_KIND: dict[str, type[XynergyError]] = {
    "ambiguous": AmbiguousError,
    "cancelled": CancelledError,
    "config_invalid": ConfigInvalidError,
    "conflict": ConflictError,
    "content_filtered": ContentFilteredError,
    "context_too_long": ContextTooLongError,
    "corrupt": CorruptError,
    "invalid_input": InvalidInputError,
    "limit_exceeded": LimitExceededError,
    "not_found": NotFoundError,
    "rejected": RejectedError,
    "throttled": ThrottledError,
    "timeout": TimeoutError,
    "unauthorized": UnauthorizedError,
    "unavailable": UnavailableError,
    "unexpected": UnexpectedError,
    "unsupported": UnsupportedError,
}

__all__ = ["BY_KIND", "AmbiguousError", "CancelledError", "ConfigInvalidError", "ConflictError", "ContentFilteredError", "ContextTooLongError", "CorruptError", "InvalidInputError", "LimitExceededError", "NotFoundError", "RejectedError", "ThrottledError", "TimeoutError", "UnauthorizedError", "UnavailableError", "UnexpectedError", "UnsupportedError"]
