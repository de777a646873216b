"""Swift structures: Codable, with what may be left out left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from swift_names import (
    Defs,
    coding_keys,
    comment,
    ident,
    indent,
    is_choice,
    is_open_enum,
    string,
)


@dataclass
class Field:
    """One property of a structure."""

    key: str
    name: str
    swift: str
    optional: bool
    default: str | None
    doc: str
    # Null is written where a result always has the field.
    is_written: bool = False
    is_left_out: bool = False

    @property
    def declared(self) -> str:
        return self.swift + ("?" if self.optional else "")

    @property
    def initial(self) -> str:
        if self.optional:
            return " = nil"
        return f" = {self.default}" if self.default is not None else ""


def fields(defs: Defs, shape: dict[str, Any], name: str = "") -> list[Field]:
    required = set(shape.get("required", []))
    written = set(defs.results.get(name, {}).get("required", []))
    keys = sorted(shape["properties"], key=lambda key: key not in required)
    found = [field(defs, key, shape["properties"][key], key in required) for key in keys]
    for f in found:
        f.is_written = f.optional and f.key in written
        # A list that is not there is not the same as an empty one to whoever reads the JSON.
        f.is_left_out = f.default in ("[]", "[:]") and f.key not in written and f.key not in required
    return found


def field(defs: Defs, key: str, schema: Any, required: bool) -> Field:
    plain, optional = defs.unwrapped(schema)
    swift = defs.swift(plain)
    default = None
    if not optional and (not required or (isinstance(schema, dict) and "default" in schema)):
        given = schema.get("default") if isinstance(schema, dict) else None
        default = literal(defs, plain, given) if given is not None else empty(swift)
        optional = default is None and not required
    doc = schema.get("description", "") if isinstance(schema, dict) else ""
    return Field(key, ident(key), swift, optional, default, doc)


def empty(swift: str) -> str | None:
    """The value of something that is not there: only lists and maps have one."""
    if swift.startswith("["):
        return "[:]" if ": " in swift else "[]"
    return None


def literal(defs: Defs, schema: dict[str, Any], value: Any) -> str | None:
    """A default as a Swift expression; none where there is no short one."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    shape = defs.shapes.get(str(schema.get("$ref", "")).rsplit("/", 1)[-1])
    if isinstance(value, str):
        if shape is None or shape.get("type") == "string":
            return string(value)
        if is_open_enum(shape) or (is_choice(shape) and any(o.get("const") == value for o in shape["oneOf"])):
            return f".{ident(value)}"
        return None
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "[" + ", ".join(string(item) for item in value) + "]"
    if isinstance(value, dict):
        if not value and "$ref" not in schema:
            return "[:]"
        if shape and "properties" in shape and all(f.optional or f.default is not None for f in fields(defs, shape)):
            return str(schema["$ref"]).rsplit("/", 1)[-1] + "()"
        if shape and is_choice(shape):
            return choice_literal(value)
    return None


def choice_literal(value: dict[str, Any]) -> str | None:
    (key, inner), *more = value.items()
    if more or not isinstance(inner, str):
        return None
    return f".{ident(inner)}" if key == "type" else f".{ident(key)}({string(inner)})"


def structure(defs: Defs, name: str, shape: dict[str, Any]) -> str:
    """One structure."""
    given = fields(defs, shape, name)
    is_open = shape.get("additionalProperties") is True
    stored = "".join(comment(f.doc) + f"public var {f.name}: {f.declared}\n" for f in given)
    if is_open:
        stored += "/// Every other field, as it came.\npublic var additional: [String: JSONValue]\n"
    # What has to be given comes first only where the order says so: it is the description's.
    parameters = [f"{f.name}: {f.declared}{f.initial}" for f in given]
    assigned = "".join(f"self.{f.name} = {f.name}\n" for f in given)
    if is_open:
        parameters.append("additional: [String: JSONValue] = [:]")
        assigned += "self.additional = additional\n"
    body = f"{stored}\npublic init({joined(parameters)}) {{\n{indent(assigned)}}}\n"
    body += "\n" + coding_keys([f.key for f in given], also=", CaseIterable")
    if is_open or any(f.default is not None for f in given):
        body += "\n" + reader(given, is_open)
    if is_open or any(f.is_written or f.is_left_out for f in given):
        body += "\n" + writer(given, is_open)
    return f"{comment(shape.get('description', ''))}public struct {name}: Codable, Hashable, Sendable {{\n{indent(body)}}}\n"


def joined(parameters: list[str]) -> str:
    flat = ", ".join(parameters)
    if len(flat) <= 100:
        return flat
    return "\n" + indent(",\n".join(parameters)) + "\n"


def reader(given: list[Field], is_open: bool) -> str:
    lines = "let container = try decoder.container(keyedBy: CodingKeys.self)\n"
    for f in given:
        present = f.optional or f.default is not None
        fallback = f" ?? {qualified(f)}" if not f.optional and f.default is not None else ""
        lines += f"{f.name} = try container.decode{'IfPresent' if present else ''}({f.swift}.self, forKey: .{f.name}){fallback}\n"
    if is_open:
        lines += "additional = try decoder.fields(besides: CodingKeys.self)\n"
    return f"public init(from decoder: Decoder) throws {{\n{indent(lines)}}}\n"


def qualified(f: Field) -> str:
    return f"{f.swift}{f.default}" if f.default and f.default.startswith(".") else str(f.default)


def writer(given: list[Field], is_open: bool) -> str:
    lines = "try encoder.write(additional)\n" if is_open else ""
    lines += "var container = encoder.container(keyedBy: CodingKeys.self)\n"
    for f in given:
        written = f"try container.encode{'IfPresent' if f.optional and not f.is_written else ''}({f.name}, forKey: .{f.name})"
        lines += f"if !{f.name}.isEmpty {{ {written} }}\n" if f.is_left_out else f"{written}\n"
    return f"public func encode(to encoder: Encoder) throws {{\n{indent(lines)}}}\n"
