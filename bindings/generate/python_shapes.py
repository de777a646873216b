"""How a JSON Schema of the description is written as a type of Python's."""

from __future__ import annotations

import keyword
from typing import Any

Schema = dict[str, Any]


def reference(schema: Schema) -> str | None:
    """The name that it refers to."""
    path = schema.get("$ref")
    return None if path is None else str(path).rsplit("/", 1)[-1]


def variants(schema: Schema) -> list[Schema]:
    """The alternatives of a union; none when it is no union."""
    return list(schema.get("anyOf") or schema.get("oneOf") or [])


def is_record(schema: Schema) -> bool:
    """Whether it is an object with named fields, or one of several such."""
    if "properties" in schema:
        return True
    options = variants(schema)
    return bool(options) and all(option.get("type") == "object" and is_record(option) for option in options)


def fields(schema: Schema) -> tuple[dict[str, Schema], set[str]]:
    """The fields of a record, and which of them are always there. Those of several variants are put together."""
    options = variants(schema)
    if "properties" in schema or not options:
        return dict(schema.get("properties", {})), set(schema.get("required", []))
    together: dict[str, Schema] = {}
    for option in options:
        for name, field in option["properties"].items():
            known = together.get(name)
            if known is not None and "const" in known and "const" in field:
                field = {**known, "enum": [*known.get("enum", [known["const"]]), field["const"]]}
            together[name] = field
    return together, set.intersection(*(set(option.get("required", [])) for option in options))


def identifier(name: str) -> str:
    """The name in Python: `from` is `from_`."""
    return f"{name}_" if keyword.iskeyword(name) else name


def decoding(schema: Schema | bool, types: dict[str, Schema]) -> str:
    """What is done with a decoded value: `Name` makes a record of an object, `[...]` goes through a list, `{...}` through the values
    of an object, `?` makes whatever it is easy to reach into, and nothing leaves it as it is."""
    if isinstance(schema, bool) or not set(schema) - {"description", "default", "examples"}:
        return "?"
    name = reference(schema)
    if name is not None:
        target = types[name]
        return name if is_record(target) else decoding(target, types)
    for option in variants(schema):
        found = decoding(option, types)
        if found:
            return found
    if "items" in schema:
        inner = decoding(schema["items"], types)
        return f"[{inner}]" if inner else ""
    extra = schema.get("additionalProperties")
    if "properties" not in schema and isinstance(extra, dict):
        inner = decoding(extra, types)
        return f"{{{inner}}}" if inner else ""
    return ""


class Names:
    """Writes types. `argument` is for what callers give, where more is accepted than results have."""

    def __init__(self, types: dict[str, Schema], *, argument: bool) -> None:
        self.types = types
        self.argument = argument

    def of(self, schema: Schema | bool) -> str:
        """The type as text that is valid in an annotation."""
        if isinstance(schema, bool) or not set(schema) - {"description", "default", "examples"}:
            return "Any"
        name = reference(schema)
        if name is not None:
            return self.named(name)
        if "const" in schema or "enum" in schema:
            values = schema.get("enum", [schema.get("const")])
            return f"Literal[{', '.join(quoted(value) for value in values)}]"
        options = variants(schema)
        if options:
            return self.union(options)
        kinds = schema.get("type")
        if isinstance(kinds, list):
            return " | ".join(self.of({**schema, "type": kind}) for kind in kinds)
        return self.plain(schema, str(kinds))

    def named(self, name: str) -> str:
        """A type by its name. An argument may be a mapping or a record."""
        return f"{name}Like" if self.argument and is_record(self.types[name]) else name

    def union(self, options: list[Schema]) -> str:
        """A union, the constants of it in one literal."""
        constants = [option["const"] for option in options if "const" in option]
        parts = [f"Literal[{', '.join(quoted(value) for value in constants)}]"] if constants else []
        parts += [self.of(option) for option in options if "const" not in option]
        return " | ".join(dict.fromkeys(parts))

    def plain(self, schema: Schema, kind: str) -> str:
        """A type without a name."""
        if kind == "array":
            items = self.of(schema.get("items", True))
            prefixed = schema.get("prefixItems")
            if prefixed is not None and not self.argument:
                items = "Any"
            return f"Sequence[{items}]" if self.argument else f"Records[{items}]"
        if kind == "object":
            extra = schema.get("additionalProperties", True)
            values = self.of(extra) if "properties" not in schema else "Any"
            return f"Mapping[str, {values}]" if self.argument else f"dict[str, {values}]"
        if kind == "string" and schema.get("format") == "date-time" and self.argument:
            return "str | datetime"
        return {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}[kind]


def quoted(value: Any) -> str:
    """A constant as Python writes it."""
    return f'"{value}"' if isinstance(value, str) else repr(value)


def docstring(text: str, indent: str) -> str:
    """A docstring, wrapped by hand nowhere: a formatter would not touch it either."""
    text = " ".join(text.split()).replace("\\", "\\\\").replace('"""', "'''")
    if text.endswith('"'):
        text += " "
    return f'{indent}"""{text}"""'
