"""Values on their way into the engine."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from xynergy._record import Record

_DEPTH = 200


def _plain(value: Any) -> Any:
    """What JSON does not know, as what it does."""
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError("a time without a time zone; give it one, as `datetime.now(timezone.utc)`")
        return value.isoformat()
    dump = getattr(value, "model_dump", None)
    if dump is not None and not isinstance(value, type):
        return dump(mode="json", exclude_none=True)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        return list(value)
    raise TypeError(_no_json(value))


def _no_json(value: Any) -> str:
    name = type(value).__name__
    if isinstance(value, (set, frozenset)):
        return f"a {name} has no order; give a list"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"{name} cannot be passed here; decode them to text"
    if isinstance(value, date):
        return "a date is no time; give a datetime with a time zone"
    return f"a {name} cannot be passed; give text, a number, a list or a dictionary"


encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain).encode
"""JSON of a value; raises `TypeError`, `ValueError` or `RecursionError` for what cannot be passed."""

decode = json.JSONDecoder().decode


def raw(value: Any) -> Any:
    """Bytes in JSON; text stays text."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"base64": base64.b64encode(value).decode("ascii")}
    return value


def problem(value: Any) -> str:
    """Where in a value that cannot be passed the problem is, and what it is."""
    found = _search(value, "", ())
    return found if found is not None else "a value cannot be passed"


def _search(value: Any, path: str, above: tuple[int, ...]) -> str | None:
    """The first problem below `path`."""

    def at(text: str) -> str:
        return f"{path}: {text}" if path else text

    if isinstance(value, str):
        return at(_bad_text(value)) if _bad_text(value) else None
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        fits = -(2**63) <= value < 2**64
        return None if fits else at(f"an integer of {value.bit_length()} bits is beyond 64 bits; give a smaller one or text")
    if isinstance(value, float):
        return None if math.isfinite(value) else at(f"{value} is no number that can be passed; give a finite one")
    if id(value) in above:
        return at("it contains itself; give a value that ends")
    if len(above) > _DEPTH:
        return at("it is nested too deeply")
    inside = (*above, id(value))
    if isinstance(value, dict):
        return _search_mapping(value, path, inside)
    if isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            found = _search(item, f"{path}[{index}]", inside)
            if found is not None:
                return found
        return None
    try:
        plain = _plain(value)
    except Exception as error:
        return at(str(error))
    return _search(plain, path, inside)


def _search_mapping(value: dict[Any, Any], path: str, inside: tuple[int, ...]) -> str | None:
    for key, item in value.items():
        if not isinstance(key, (str, int, float, bool, type(None))):
            return f"{path or 'the value'}: a key is a {type(key).__name__}; give text"
        if isinstance(key, str) and _bad_text(key):
            return f"{path or 'the value'}: a key is no text: {_bad_text(key)}"
        found = _search(item, f"{path}.{key}" if path else str(key), inside)
        if found is not None:
            return found
    return None


def _bad_text(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        return f"character {error.start} is half of a surrogate pair; give whole characters"
    return ""
