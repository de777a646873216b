"""How records are shown: as text, as a table in a notebook, as a frame of pandas."""

from __future__ import annotations

import importlib
from html import escape
from typing import Any

from xynergy._record import Record

_WIDE = 120
_ROWS = 200


def text(record: Record) -> str:
    """The record as one would write it; on several lines when it is long."""
    parts = [f"{name}={_short(record[name])}" for name in record]
    line = f"{type(record).__name__}({', '.join(parts)})"
    if len(line) <= _WIDE:
        return line
    inner = ",\n".join("  " + part.replace("\n", "\n  ") for part in parts)
    return f"{type(record).__name__}(\n{inner},\n)"


def _short(value: Any) -> str:
    if isinstance(value, list) and len(value) > 20:
        shown = ", ".join(repr(item) for item in value[:20])
        return f"[{shown}, ... {len(value) - 20} more]"
    return repr(value)


def flat(value: Any, name: str = "") -> dict[str, Any]:
    """A record's values by the path of each."""
    data = value._data if isinstance(value, Record) else value
    if not isinstance(data, dict):
        return {name or "value": data}
    found: dict[str, Any] = {}
    for key, item in data.items():
        path = f"{name}.{key}" if name else key
        if isinstance(item, dict) and item:
            found.update(flat(item, path))
        else:
            found[path] = item
    return found


def html(items: list[Any]) -> str:
    """A table: one record as rows of its fields, several as a row each."""
    if len(items) == 1:
        rows = "".join(f"<tr><th>{escape(name)}</th><td>{_cell(value)}</td></tr>" for name, value in flat(items[0]).items())
        return f"<table>{rows}</table>"
    rows_of = [flat(item) for item in items[:_ROWS]]
    columns = list(dict.fromkeys(name for row in rows_of for name in row))
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{_cell(row.get(name))}</td>" for name in columns) + "</tr>" for row in rows_of)
    more = f"<p>{len(items) - _ROWS} more rows</p>" if len(items) > _ROWS else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _cell(value: Any) -> str:
    shown = "" if value is None else str(value)
    return escape(shown if len(shown) <= 300 else shown[:297] + "...")


def frame(items: list[Any]) -> Any:
    """A frame of pandas. Integers stay integers, also where some are missing."""
    pandas = importlib.import_module("pandas")

    rows = [flat(item) for item in items]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return pandas.DataFrame({name: _column(pandas, [row.get(name) for row in rows]) for name in columns})


def _column(pandas: Any, values: list[Any]) -> Any:
    there = [value for value in values if value is not None]
    if there and len(there) < len(values) and all(type(value) is int for value in there):
        return pandas.array(values, dtype="Int64" if max(there) < 2**63 else object)
    return pandas.Series(values, dtype=object) if any(isinstance(value, (list, dict)) for value in there) else values
