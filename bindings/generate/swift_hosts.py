"""The protocols that a Swift object implements, and what turns a call from the library into one of theirs."""

from __future__ import annotations

from typing import Any

from swift_names import HEADER, Defs, coding_keys, comment, ident, indent, string


def hosts(defs: Defs, description: dict[str, Any]) -> str:
    text = HEADER + "\nimport Foundation\n"
    for host in description["hosts"]:
        text += "\n" + protocol(defs, host) + "\n" + answers(defs, host)
    return text


def signature(defs: Defs, method: dict[str, Any]) -> str:
    params = ", ".join(f"{ident(p['name'])}: {defs.swift(p['schema'])}" for p in method["params"])
    result = defs.swift(method["result"])
    if method["stream"]:
        return f"func {ident(method['name'])}({params}) -> AsyncThrowingStream<{result}, Error>"
    returns = "" if result == "Void" else f" -> {result}"
    return f"func {ident(method['name'])}({params}) async throws{returns}"


def protocol(defs: Defs, host: dict[str, Any]) -> str:
    methods = "\n".join(comment(m["doc"]) + signature(defs, m) + "\n" for m in host["methods"])
    doc = host["doc"]
    extra = ""
    defaults = ""
    if host["name"] == "Provider":
        doc = "An AI provider. Its `traits` say what it can do."
        extra = "/// What it can do; set `streaming` when it has `stream`.\nvar traits: ProviderTraits { get }\n\n"
        defaults += "public var traits: ProviderTraits { ProviderTraits() }\n\n"
    if host["name"] == "Embedder":
        doc = "Embeds texts. Its `traits` say what it can do."
        extra = "/// What it can do.\nvar traits: EmbedderTraits { get }\n\n"
        defaults += "public var traits: EmbedderTraits { EmbedderTraits() }\n\n"
    for method in host["methods"]:
        if method["optional"]:
            missing = f"XynergyError.missing({string(method['name'])})"
            defaults += f"public {signature(defs, method)} {{\n    AsyncThrowingStream {{ throw {missing} }}\n}}\n"
    text = f"{comment(doc)}public protocol {host['name']}: Sendable {{\n{indent(extra + methods)}}}\n"
    if defaults:
        text += f"\nextension {host['name']} {{\n{indent(defaults)}}}\n"
    return text


def answers(defs: Defs, host: dict[str, Any]) -> str:
    calls = "".join(case(defs, m) for m in host["methods"] if not m["stream"])
    streams = "".join(case(defs, m) for m in host["methods"] if m["stream"])
    body = f"let object: any {host['name']}\n\npackage init(object: any {host['name']}) {{\n    self.object = object\n}}\n\n"
    body += "package func call(_ method: String, _ arguments: String) async throws -> String {\n    switch method {\n"
    body += indent(calls) + "    default: throw XynergyError.missing(method)\n    }\n}\n\n"
    body += "package func open(_ method: String, _ arguments: String) throws -> any Pieces {\n    switch method {\n"
    body += indent(streams) + "    default: throw XynergyError.missing(method)\n    }\n}\n"
    return f"package struct {host['name']}Answers: Answers {{\n{indent(body)}}}\n"


def case(defs: Defs, method: dict[str, Any]) -> str:
    fields = "".join(f"let {ident(p['name'])}: {defs.swift(p['schema'])}\n" for p in method["params"])
    keys = coding_keys([p["name"] for p in method["params"]])
    passed = ", ".join(f"{ident(p['name'])}: given.{ident(p['name'])}" for p in method["params"])
    body = f"struct Given: Decodable {{\n{indent(fields)}\n{indent(keys)}}}\n"
    body += "let given = try JSONText.read(Given.self, arguments)\n"
    called = f"object.{ident(method['name'])}({passed})"
    if method["stream"]:
        body += f"return PiecesOf({called})\n"
    elif defs.swift(method["result"]) == "Void":
        body += f'try await {called}\nreturn "null"\n'
    else:
        body += f"return try JSONText.answer(try await {called})\n"
    return f"case {string(method['name'])}:\n{indent(body)}"
