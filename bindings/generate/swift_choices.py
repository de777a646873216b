"""Swift forms of what is one of several things."""

from __future__ import annotations

import re
from typing import Any

import swift_structs
from swift_names import Defs, camel, coding_keys, comment, ident, indent, pascal, string


def open_enum(name: str, shape: dict[str, Any]) -> str:
    """A name out of a list that a later version may lengthen."""
    options = shape["oneOf"]
    constants = "".join(
        comment(option.get("description", ""))
        + f"public static let {ident(option['const'])} = {name}(rawValue: {string(option['const'])})\n"
        for option in options
    )
    known = ", ".join(f".{ident(option['const'])}" for option in options)
    body = (
        f"public let rawValue: String\n\npublic init(rawValue: String) {{\n    self.rawValue = rawValue\n}}\n\n{constants}"
        f"\n/// Those that this version knows. A later one may send others.\npublic static let known: [{name}] = [\n    {known},\n]\n"
    )
    doc = comment(shape.get("description", ""))
    return f"{doc}public struct {name}: RawRepresentable, Codable, Hashable, Sendable {{\n{indent(body)}}}\n"


def choice(defs: Defs, name: str, shape: dict[str, Any]) -> str:
    """A value of one of several shapes; what this version does not know is `unknown`."""
    options = shape.get("oneOf") or shape["anyOf"]
    cases = [case(defs, name, option) for option in options]
    names = [re.split(r"\(", c["declaration"])[0] for c in cases] + ["unknown"]
    if len(set(names)) < len(names):
        raise SystemExit(f"{name}: two cases have one name in Swift: {', '.join(names)}")
    literal = next((c for c in cases if c["literal"]), None)
    declared = "".join(comment(c["doc"]) + f"case {c['declaration']}\n" for c in cases)
    # A type of its own may read every form, those included that it does not know.
    reads = "".join(c["read"] for _, c in sorted(zip(["$ref" in option for option in options], cases), key=lambda pair: pair[0]))
    writes = "".join(c["write"] for c in cases)
    nested = "".join(c["nested"] for c in cases)
    body = (
        f"{declared}/// A form that this version does not know.\ncase unknown(JSONValue)\n\n"
        f"public init(from decoder: Decoder) throws {{\n{indent(reads)}    self = .unknown(try JSONValue(from: decoder))\n}}\n\n"
        f"public func encode(to encoder: Encoder) throws {{\n    switch self {{\n{indent(writes)}"
        f"    case .unknown(let value): try value.encode(to: encoder)\n    }}\n}}\n"
    )
    if literal:
        body += f"\npublic init(stringLiteral value: String) {{\n    self = .{literal['literal']}(value)\n}}\n"
    conforms = "Codable, Hashable, Sendable" + (", ExpressibleByStringLiteral" if literal else "")
    doc = comment(shape.get("description", ""))
    return f"{doc}public enum {name}: {conforms} {{\n{indent(body)}}}\n{nested}"


def case(defs: Defs, name: str, option: dict[str, Any]) -> dict[str, str]:
    doc = option.get("description", "")
    blank = {"doc": doc, "literal": "", "nested": ""}
    if "const" in option:
        called, text = ident(option["const"]), string(option["const"])
        return blank | {
            "declaration": called,
            "read": f"if (try? decoder.singleValueContainer().decode(String.self)) == {text} {{\n    self = .{called}\n    return\n}}\n",
            "write": f"case .{called}: try {text}.encode(to: encoder)\n",
        }
    if option.get("type") == "string":
        called = camel(name.split("Or")[0]) if "Or" in name else "text"
        called = called[:1].lower() + called[1:]
        return blank | {"declaration": f"{called}(String)", "literal": called} | untagged(called, "String")
    if option.get("type") == "array" or "$ref" in option:
        swift = defs.swift(option)
        inner = swift.strip("[]")
        called = inner.removeprefix(name) if swift.startswith("[") or "Or" not in name else name.split("Or")[-1]
        called = called[:1].lower() + called[1:] + ("s" if swift.startswith("[") else "")
        return blank | {"declaration": f"{called}({swift})"} | untagged(called, swift)
    return blank | of_object(defs, name, option)


def untagged(called: str, swift: str) -> dict[str, str]:
    return {
        "read": f"if let value = try? {swift}(from: decoder) {{\n    self = .{called}(value)\n    return\n}}\n",
        "write": f"case .{called}(let value): try value.encode(to: encoder)\n",
    }


def of_object(defs: Defs, name: str, option: dict[str, Any]) -> dict[str, str]:
    properties: dict[str, Any] = option["properties"]
    tags = [(key, shape["const"]) for key, shape in properties.items() if "const" in shape]
    if not tags and len(properties) == 1:
        return keyed(defs, name, *next(iter(properties.items())))
    (tag, value), *_ = tags
    fields = {key: shape for key, shape in properties.items() if key != tag}
    called = ident(value)
    keys = f"{pascal(value)}Keys"
    labels = ", ".join(f"{ident(key)}: {defs.swift(shape)}" for key, shape in fields.items())
    reads = ", ".join(f"{ident(key)}: {read_field(defs, key, shape)}" for key, shape in fields.items())
    bound = ", ".join(f"let {ident(key)}" for key in fields)
    sent = "".join(write_field(key) for key in fields)
    made = f".{called}({reads})" if fields else f".{called}"
    return {
        "declaration": f"{called}({labels})" if fields else called,
        "nested": "\n" + coding_keys([tag, *fields], name + keys, "private "),
        "read": (
            f"if let container = try? decoder.container(keyedBy: {name}{keys}.self),\n"
            f"    (try? container.decode(String.self, forKey: .{ident(tag)})) == {string(value)}\n{{\n"
            f"    self = {'try ' if fields else ''}{made}\n    return\n}}\n"
        ),
        "write": (
            f"case .{called}{f'({bound})' if fields else ''}:\n"
            f"    var container = encoder.container(keyedBy: {name}{keys}.self)\n"
            f"    try container.encode({string(value)}, forKey: .{ident(tag)})\n{indent(sent)}"
        ),
    }


def keyed(defs: Defs, name: str, key: str, shape: dict[str, Any]) -> dict[str, str]:
    """`{"tag": value}` as `.tag(value)`."""
    nested = ""
    if "properties" in shape:
        swift = f"{name}{pascal(key)}"
        nested = "\n" + swift_structs.structure(defs, swift, shape)
    else:
        swift = defs.swift(shape)
    called = ident(key)
    return {
        "declaration": f"{called}({swift})",
        "nested": nested,
        "read": (
            f"if let value = try? [String: {swift}](from: decoder), value.count == 1, let value = value[{string(key)}] {{\n"
            f"    self = .{called}(value)\n    return\n}}\n"
        ),
        "write": f"case .{called}(let value): try [{string(key)}: value].encode(to: encoder)\n",
    }


def read_field(defs: Defs, key: str, shape: Any) -> str:
    plain, optional = defs.unwrapped(shape)
    swift = defs.swift(plain)
    return f"container.decode{'IfPresent' if optional else ''}({swift}.self, forKey: .{ident(key)})"


def write_field(key: str) -> str:
    return f"try container.encode({ident(key)}, forKey: .{ident(key)})\n"
