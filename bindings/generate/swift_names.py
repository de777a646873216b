"""Names, documentation and the Swift type of a shape."""

from __future__ import annotations

import json
import textwrap
from typing import Any

HEADER = "// Written by `python3 bindings/generate` from the description of the public surface. Do not edit.\n"

RESERVED = {
    "as", "break", "case", "catch", "class", "continue", "default", "defer", "deinit", "do", "else", "enum", "extension", "false", "for",
    "func", "guard", "if", "import", "in", "init", "inout", "internal", "is", "let", "nil", "operator", "private", "protocol", "public",
    "repeat", "return", "self", "static", "struct", "subscript", "super", "switch", "throw", "throws", "true", "try", "typealias", "var",
    "where", "while",
}  # fmt: skip

INTEGERS = {"int64": "Int64", "uint64": "UInt64", "uint32": "UInt32", "uint": "UInt64", "uint16": "UInt16", "uint8": "UInt8"}


def camel(name: str) -> str:
    """`ad_id` as `adId`."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def pascal(name: str) -> str:
    return camel(name)[:1].upper() + camel(name)[1:]


def ident(name: str) -> str:
    """A name as Swift takes it."""
    plain = camel(name)
    return f"`{plain}`" if plain in RESERVED else plain


def indent(text: str, by: int = 4) -> str:
    return textwrap.indent(text, " " * by)


class Defs:
    """The named shapes, with what an argument may leave out."""

    def __init__(self, description: dict[str, Any]) -> None:
        results: dict[str, Any] = description["types"]
        arguments: dict[str, Any] = description["argument_types"]
        config: dict[str, Any] = dict(description["config"])
        config_shapes: dict[str, Any] = config.pop("$defs")
        config.pop("title", None)
        config_shapes["Config"] = config
        wanted: set[str] = set(results)
        for method in description["methods"]:
            for param in method["params"]:
                reach(param["schema"], arguments, wanted)
        reach(description["provider_traits"], arguments, wanted)
        reach(description["embedder_traits"], arguments, wanted)
        self.of_config = set(config_shapes) - wanted
        # What is read is the looser form, and a result keeps it.
        everything = config_shapes | results | arguments
        self.shapes = {name: everything[name] for name in sorted(wanted | set(config_shapes))}
        self.results = results
        # The order of a structure's fields is the one in which it is written.
        for name, shape in self.shapes.items():
            if "properties" in shape:
                first = results.get(name, shape).get("required", [])
                properties = shape["properties"]
                ordered = [key for key in first if key in properties] + [key for key in properties if key not in first]
                self.shapes[name] = shape | {"properties": {key: properties[key] for key in ordered}}

    def doc(self, shape: dict[str, Any], by: int = 0) -> str:
        return comment(shape.get("description", ""), by)

    def swift(self, schema: Any) -> str:
        """The Swift type of a shape."""
        plain, optional = self.unwrapped(schema)
        return self._plain(plain) + ("?" if optional else "")

    def unwrapped(self, schema: Any) -> tuple[Any, bool]:
        """The shape without null, and whether null was in it."""
        if not isinstance(schema, dict):
            return {}, False
        kind = schema.get("type")
        if isinstance(kind, list) and "null" in kind:
            rest = [k for k in kind if k != "null"]
            if len(rest) != 1:
                raise ValueError(f"several types: {schema}")
            return {**schema, "type": rest[0]}, True
        for key in ("anyOf", "oneOf"):
            options = schema.get(key)
            if options and {"type": "null"} in options:
                rest = [option for option in options if option != {"type": "null"}]
                return (rest[0] if len(rest) == 1 else {key: rest}), True
        return schema, False

    def _plain(self, schema: dict[str, Any]) -> str:
        if "$ref" in schema:
            name = str(schema["$ref"]).rsplit("/", 1)[-1]
            return "Data" if name == "Bytes" else name
        if "anyOf" in schema:
            text, whole = schema["anyOf"]
            if text.get("type") == "string" and "$ref" in whole:
                return f"TextOr<{self._plain(whole)}>"
            raise ValueError(f"no form for {schema}")
        kind = schema.get("type")
        if kind == "string":
            return "String"
        if kind == "boolean":
            return "Bool"
        if kind == "number":
            return "Float" if schema.get("format") == "float" else "Double"
        if kind == "integer":
            return INTEGERS[schema["format"]]
        if kind == "null":
            return "Void"
        if kind == "array":
            if "prefixItems" in schema:
                return "Pair<" + ", ".join(self.swift(item) for item in schema["prefixItems"]) + ">"
            return f"[{self.swift(schema.get('items', True))}]"
        if kind == "object":
            values = schema.get("additionalProperties", True)
            return f"[String: {self.swift(values)}]"
        if kind is None:
            return "JSONValue"
        raise ValueError(f"no form for {schema}")


def reach(schema: Any, shapes: dict[str, Any], found: set[str]) -> None:
    """Adds the names of every shape that `schema` refers to."""
    if isinstance(schema, list):
        for item in schema:
            reach(item, shapes, found)
    elif isinstance(schema, dict):
        name = str(schema.get("$ref", "")).rsplit("/", 1)[-1]
        if name and name not in found:
            found.add(name)
            reach(shapes[name], shapes, found)
        for item in schema.values():
            reach(item, shapes, found)


def is_open_enum(shape: dict[str, Any]) -> bool:
    return bool(shape.get("oneOf")) and all("const" in option for option in shape["oneOf"])


def is_choice(shape: dict[str, Any]) -> bool:
    return "oneOf" in shape or "anyOf" in shape


def comment(text: str, by: int = 0) -> str:
    """A documentation comment."""
    text = " ".join(text.split())
    if not text:
        return ""
    # Links of Rust's documentation lead nowhere here.
    text = text.replace("[`", "`").replace("`](", "` (").replace("(crate::Client)", "")
    lines = textwrap.wrap(text, 126 - by, break_long_words=False, break_on_hyphens=False)
    return indent("".join(f"/// {line}\n" for line in lines), by)


def coding_keys(keys: list[str], name: str = "CodingKeys", access: str = "", also: str = "") -> str:
    """The keys of some fields, by the names that JSON has for them."""
    cases = "".join(f"case {ident(key)}" + (f" = {string(key)}" if camel(key) != key else "") + "\n" for key in keys)
    return f"{access}enum {name}: String, CodingKey{also} {{\n{indent(cases)}}}\n"


def string(text: str) -> str:
    """A Swift string literal."""
    return json.dumps(text, ensure_ascii=False)
