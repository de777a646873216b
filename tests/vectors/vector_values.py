"""What stands for something else in a case, and whether a value is what was expected."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import xynergy


def merge(under: Any, over: Any) -> Any:
    """`over` laid over `under`: objects key by key, everything else as a whole."""
    if over is None:
        return under
    if not isinstance(under, dict) or not isinstance(over, dict):
        return over
    merged = dict(under)
    for key, value in over.items():
        merged[key] = merge(under[key], value) if key in under and value is not None else value
    return merged


def resolve(value: Any, names: dict[str, Any]) -> Any:
    """The value with everything replaced that stands for something else."""
    if isinstance(value, str):
        if re.fullmatch(r"\$[a-z0-9_]+", value):
            return resolve(names[value[1:]], names)
        return value
    if isinstance(value, list):
        return [resolve(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        key, given = next(iter(value.items()))
        if key == "$merge":
            merged = None
            for part in given:
                merged = merge(merged, resolve(part, names))
            return merged
        if key == "$join":
            return "".join(resolve(part, names) for part in given)
        if key == "$repeat":
            return given[0] * given[1]
        if key == "$integer":
            return int(given)
    return {key: resolve(item, names) for key, item in value.items()}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


KINDS = {
    "any": lambda v: True,
    "string": lambda v: isinstance(v, str),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": _is_number,
    "boolean": lambda v: isinstance(v, bool),
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
    "time": lambda v: isinstance(v, str) and len(v) >= 20 and "T" in v and v.endswith("Z"),
}


def mismatch(expected: Any, value: Any, at: str = "") -> str | None:
    """How a value differs from what was expected, with the place; nothing when it matches."""
    differs = f"{at}: expected {expected!r}, found {value!r}"
    if isinstance(expected, dict):
        if len(expected) == 1 and next(iter(expected)).startswith("$"):
            return None if _matches(*next(iter(expected.items())), value, at) else differs
        if not isinstance(value, dict):
            return differs
        extra = value.keys() - expected.keys()
        if extra:
            return f"{at}: {sorted(extra)} should not be there: {value!r}"
        return _fields(expected, value, at)
    if isinstance(expected, list):
        if not isinstance(value, list) or len(expected) != len(value):
            return differs
        pairs = (mismatch(wanted, found, f"{at}/{index}") for index, (wanted, found) in enumerate(zip(expected, value)))
        return next((problem for problem in pairs if problem), None)
    same_type = _is_number(expected) and _is_number(value) or type(expected) is type(value)
    return None if same_type and expected == value else differs


def _fields(wanted: dict[str, Any], found: dict[str, Any], at: str) -> str | None:
    for key, expected in wanted.items():
        if key not in found:
            return f"{at}: {key} is missing, expected {expected!r}"
        problem = mismatch(expected, found[key], f"{at}/{key}")
        if problem:
            return problem
    return None


def _matches(name: str, argument: Any, value: Any, at: str) -> bool:
    if name == "$any":
        return argument in KINDS and bool(KINDS[argument](value))
    if name == "$contains":
        parts = argument if isinstance(argument, list) else [argument]
        return isinstance(value, str) and all(part in value for part in parts)
    if name == "$approx":
        return _is_number(value) and abs(value - argument[0]) <= argument[1]
    if name == "$length":
        return isinstance(value, (str, list, dict)) and len(value) == argument
    if name == "$bytes":
        return hashlib.sha256(xynergy.to_json(value).encode()).hexdigest() == argument
    if name == "$partial":
        return isinstance(value, dict) and _fields(argument, value, at) is None
    if name == "$one_of":
        return any(mismatch(choice, value) is None for choice in argument)
    return False
