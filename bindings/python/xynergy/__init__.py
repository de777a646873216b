"""AI routing, attribution, ad-budget allocation and safe ad-platform execution, embedded in your backend.

Start with `xynergy.Client`, or `xynergy.blocking.Client` in code without an event loop. `xynergy.sandbox.start()` stands in for every
service, so that everything can be tried without a key.
"""

from __future__ import annotations

import importlib

# Type checkers take it for true, and `typing` is not loaded for it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xynergy import arrow, blocking, errors, hosts, sandbox, testing
    from xynergy._chat import CompletionStream
    from xynergy._client import Client, Scope
    from xynergy._config import ConfigDict
    from xynergy._record import Object, Record, Records
    from xynergy._streams import ChatStream
    from xynergy._time import ManualClock, to_datetime, to_micros
    from xynergy._types import *  # noqa: F403
    from xynergy.errors import (
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
        XynergyError,
    )

    __version__: str

_MODULES = ("arrow", "blocking", "errors", "hosts", "sandbox", "testing")
_HOMES = {
    "Client": "_client",
    "Scope": "_client",
    "ConfigDict": "_config",
    "ManualClock": "_time",
    "to_datetime": "_time",
    "to_micros": "_time",
    "Object": "_record",
    "Record": "_record",
    "Records": "_record",
    "ChatStream": "_streams",
    "CompletionStream": "_chat",
}

__all__ = [
    "AmbiguousError",
    "CancelledError",
    "ChatStream",
    "Client",
    "CompletionStream",
    "ConfigDict",
    "ConfigInvalidError",
    "ConflictError",
    "ContentFilteredError",
    "ContextTooLongError",
    "CorruptError",
    "InvalidInputError",
    "LimitExceededError",
    "ManualClock",
    "NotFoundError",
    "Object",
    "Record",
    "Records",
    "RejectedError",
    "Scope",
    "ThrottledError",
    "TimeoutError",
    "UnauthorizedError",
    "UnavailableError",
    "UnexpectedError",
    "UnsupportedError",
    "XynergyError",
    "arrow",
    "blocking",
    "errors",
    "hosts",
    "sandbox",
    "testing",
    "to_datetime",
    "to_json",
    "to_micros",
]
if TYPE_CHECKING:
    # Every generated type is public; only a type checker has to have them listed.
    from xynergy import _types

    __all__ += _types.__all__


def to_json(value: Any) -> str:
    """The one JSON form of a result that is the same in every language, to the byte: keys sorted, no spaces, a line break at the end."""
    from xynergy import _json, _native
    from xynergy.errors import InvalidInputError, from_json

    try:
        return _native.canonical_json(_json.encode(value))
    except _native.Failed as failure:
        raise from_json(failure.args[0]) from None
    except (TypeError, ValueError, RecursionError):
        raise InvalidInputError(_json.problem({"value": value}), operation="to_json") from None


def __getattr__(name: str) -> Any:
    # What is not asked for is not loaded, so that the import is fast.
    if name in _MODULES:
        return importlib.import_module(f"xynergy.{name}")
    if name == "__version__":
        return importlib.import_module("xynergy._native").__version__
    home = _HOMES.get(name)
    if home is None:
        home = "errors" if name.endswith("Error") else "_types"
    found = getattr(importlib.import_module(f"xynergy.{home}"), name, None)
    if found is None or name.startswith("_"):
        raise AttributeError(f"module 'xynergy' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    types = importlib.import_module("xynergy._types")
    return sorted({*__all__, *types.__all__, "__version__"})
