"""What pydantic asks of a record. Imported when pydantic asks, so it is there."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic_core import core_schema as cs

from xynergy._record import Record, _copy, view


@lru_cache(maxsize=1)
def _schemas() -> dict[str, Any]:
    text = Path(__file__).with_name("_schemas.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def core_schema(cls: type[Record]) -> Any:
    """A record passes as it is; a dictionary is checked field by field and becomes one."""
    name = cls.__name__
    schema = _of(_schemas()[name]) if name in _schemas() else cs.dict_schema(cs.str_schema())

    def checked(value: Any, check: Any) -> Record:
        check(value)
        # As it was given: the check changes nothing but the order.
        return view(cls, _copy(value))

    made = cs.no_info_wrap_validator_function(checked, schema)
    return cs.union_schema(
        [cs.is_instance_schema(cls), made],
        mode="left_to_right",
        serialization=cs.plain_serializer_function_ser_schema(_plain, return_schema=cs.any_schema()),
    )


def _plain(value: Any) -> Any:
    return value.to_dict() if isinstance(value, Record) else value


def _of(schema: Any) -> Any:
    """The schema of pydantic for a JSON Schema."""
    if isinstance(schema, bool) or not set(schema) - {"description", "default", "examples"}:
        return cs.any_schema()
    if "$ref" in schema:
        return _of(_schemas()[_name(schema)])
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        return cs.union_schema([_of(option) for option in options])
    if "const" in schema:
        return cs.literal_schema([schema["const"]])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    found = [_plain_kind(schema, kind) for kind in kinds]
    return found[0] if len(found) == 1 else cs.union_schema(found)


def _plain_kind(schema: dict[str, Any], kind: str) -> Any:
    if kind == "object" and "properties" in schema:
        required = schema.get("required", [])
        fields = {
            name: cs.typed_dict_field(_of(field), required=name in required) for name, field in schema["properties"].items()
        }
        return cs.typed_dict_schema(fields, extra_behavior="allow")
    if kind == "object":
        return cs.dict_schema(cs.str_schema(), _of(schema.get("additionalProperties", True)))
    if kind == "array":
        return cs.list_schema(_of(schema.get("items", True)))
    if kind == "integer":
        return cs.int_schema(strict=True, ge=schema.get("minimum"))
    simple = {
        "string": cs.str_schema(strict=True),
        "number": cs.float_schema(),
        "boolean": cs.bool_schema(strict=True),
        "null": cs.none_schema(),
    }
    return simple[kind]


def _name(schema: dict[str, Any]) -> str:
    return str(schema["$ref"]).rsplit("/", 1)[-1]


def json_schema(name: str) -> dict[str, Any]:
    """The JSON Schema, with everything that it refers to in its place."""
    found: dict[str, Any] = _inline(_schemas().get(name, {"type": "object"}))
    return {"title": name, **found}


def _inline(value: Any) -> Any:
    if isinstance(value, list):
        return [_inline(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        rest = {key: item for key, item in value.items() if key != "$ref"}
        return {**_inline(_schemas()[_name(value)]), **rest}
    return {key: _inline(item) for key, item in value.items()}


__all__ = ["core_schema", "json_schema"]
