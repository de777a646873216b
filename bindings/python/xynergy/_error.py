"""The base of every exception of this library."""

from __future__ import annotations

from typing import Any


class XynergyError(Exception):
    """Something went wrong. `kind` says what, `message` names the field, the problem and the way out.

    Attributes:
        kind: What went wrong, as `timeout`; there is a subclass for each.
        message: The problem and the way out.
        operation: What was being done, as `ai.chat`.
        retryable: Whether trying again may help.
        retry_after_ms: After how many milliseconds, where the other side said so.
        context: What belongs to it, by name.
        partial_text: What had come of an answer that broke off. It is the model's text: no text or `dict` of the error has it, so
            that it does not reach a log.
    """

    kind: str = "unexpected"

    def __init__(
        self,
        message: str,
        *,
        kind: str | None = None,
        operation: str = "host",
        retryable: bool = False,
        retry_after_ms: int | None = None,
        context: dict[str, Any] | None = None,
        partial_text: str | None = None,
    ) -> None:
        super().__init__(message)
        if kind is not None:
            self.kind = kind
        self.message = message
        self.operation = operation
        self.retryable = retryable
        self.retry_after_ms = retry_after_ms
        self.context: dict[str, Any] = dict(context or {})
        self.partial_text = partial_text

    def __str__(self) -> str:
        return f"{self.operation}: {self.message}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.message!r}, operation={self.operation!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.message, self.__dict__)

    def to_dict(self) -> dict[str, Any]:
        """Its fields, for a log or an answer."""
        return {
            "kind": self.kind,
            "message": self.message,
            "operation": self.operation,
            "retryable": self.retryable,
            "retry_after_ms": self.retry_after_ms,
            "context": self.context,
        }


class Cause(Exception):
    """What stands behind an error and is no exception of Python's: what the system or the other side said."""


def _restore(cls: type[XynergyError], message: str, fields: dict[str, Any]) -> XynergyError:
    error = cls(message)
    error.__dict__.update(fields)
    return error
