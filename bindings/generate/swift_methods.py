"""The areas of the client and their methods, and the test that compares them with the surface."""

from __future__ import annotations

from typing import Any

from swift_names import (
    HEADER,
    Defs,
    camel,
    coding_keys,
    comment,
    ident,
    indent,
    pascal,
    string,
)
from swift_structs import Field, field, joined

AREA_DOCS = {
    "ai": "Chat: routing, the response cache, spend limits.",
    "attribution": "Clicks, matching and revenue.",
    "hubspot": "The CRM: webhooks in, deals read.",
    "webhooks": "Deals by signed webhooks of any backend.",
    "insights": "What ads did, day by day.",
    "allocation": "Thompson sampling of budgets.",
    "experiments": "A/B tests that may be looked at at any time.",
    "winners": "Creatives that won, found by likeness.",
    "ads": "Campaigns, ad sets, ads, creatives and videos.",
    "closed_loop": "Clicks, deals, budgets and changes as one loop.",
    "execution": "Guarded budget changes on the ad platform.",
}
AREA_NAMES = {"ai": "AI", "hubspot": "HubSpot"}


def area_type(area: str) -> str:
    return AREA_NAMES.get(area, pascal(area)) + "Area"


def by_area(description: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for method in description["methods"]:
        area, _, name = method["name"].rpartition(".")
        found.setdefault(area, []).append({**method, "short": name})
    return found


def params(defs: Defs, method: dict[str, Any]) -> list[Field]:
    return [field(defs, param["name"], param["schema"], param["required"]) for param in method["params"]]


def is_unlabelled(method: dict[str, Any]) -> bool:
    """The only thing that has to be given needs no label, as in `generate("Hello")`."""
    required = [param for param in method["params"] if param["required"]]
    return len(required) == 1 and method["params"][0]["required"]


def areas(defs: Defs, description: dict[str, Any]) -> str:
    grouped = by_area(description)
    text = HEADER + "\nimport Foundation\n"
    for area, methods in grouped.items():
        if not area:
            continue
        body = "let caller: Caller\n" + "".join("\n" + function(defs, method) for method in methods)
        text += f"\n/// {AREA_DOCS[area]}\npublic struct {area_type(area)}: Sendable {{\n{indent(body)}}}\n"
    for owner in ("Client", "Scope"):
        body = "".join(
            f"/// {AREA_DOCS[area]}\npublic var {camel(area)}: {area_type(area)} {{ {area_type(area)}(caller: caller) }}\n\n"
            for area in grouped
            if area
        )
        body += "\n".join(function(defs, method) for method in grouped[""])
        text += f"\nextension {owner} {{\n{indent(body)}}}\n"
    return text


def function(defs: Defs, method: dict[str, Any]) -> str:
    given = params(defs, method)
    unlabelled = is_unlabelled(method)
    declared = [f"{'_ ' if unlabelled and not n else ''}{f.name}: {f.declared}{f.initial}" for n, f in enumerate(given)]
    declared += ["timeoutMs: UInt64? = nil", "requestId: String? = nil"]
    fields = "".join(f"let {f.name}: {'Bytes' if f.swift == 'Data' else f.declared}\n" for f in given)
    keys = coding_keys([f.key for f in given])
    arguments = "Nothing()"
    body = ""
    if given:
        body = f"struct Arguments: Encodable, Sendable {{\n{indent(fields)}\n{indent(keys)}}}\n"
        values = ", ".join(f"{f.name}: {f'Bytes({f.name})' if f.swift == 'Data' else f.name}" for f in given)
        arguments = f"Arguments({values})"
    result = defs.swift(method["result"])
    called = f"{string(method['name'])}, {arguments}, timeoutMs: timeoutMs, requestId: requestId"
    if method["answer"] == "stream":
        body += f"return caller.stream({called})\n"
        effects, returns = "", f" -> AsyncThrowingStream<{result}, Error>"
    elif result == "Void":
        body += f"try await caller.run({called})\n"
        effects, returns = " async throws", ""
    else:
        body += f"return try await caller.call({called})\n"
        effects, returns = " async throws", f" -> {result}"
    doc = comment(method["doc"]) + "".join(comment(f"- Parameter {f.name.strip('`')}: {f.doc}") for f in given if f.doc)
    return f"{doc}public func {ident(method['short'])}({joined(declared)}){effects}{returns} {{\n{indent(body)}}}\n"


def surface_test(defs: Defs, description: dict[str, Any]) -> str:
    """What this package has, by name: a method that is missing does not compile, one too many differs from the surface."""
    methods = ""
    for method in description["methods"]:
        area, _, short = method["name"].rpartition(".")
        labels = [f"{'_' if is_unlabelled(method) and not n else camel(p['name'])}:" for n, p in enumerate(method["params"])]
        reference = f"client.{camel(area) + '.' if area else ''}{ident(short)}({''.join(labels)}timeoutMs:requestId:)"
        names = ", ".join(string(p["name"]) for p in method["params"])
        methods += f"Method({string(method['name'])}, [{names}], {reference} as Any),\n"
    types = "".join(
        f"{string(name)}: {name}.CodingKeys.allCases.map(\\.rawValue),\n"
        for name, shape in sorted(defs.results.items())
        if "properties" in shape
    )
    hosts = ""
    for host in description["hosts"]:
        used = ", ".join(
            f"({string(m['name'])}, {{ (host: any {host['name']}) in host.{ident(m['name'])} as Any }} as Any)" for m in host["methods"]
        )
        hosts += f"{string(host['name'])}: [{used}].map(\\.0),\n"
    return (
        HEADER + "\nimport Foundation\n\n@testable import Xynergy\n\n"
        "struct Method {\n    let name: String\n    let params: [String]\n\n"
        "    init(_ name: String, _ params: [String], _: Any) {\n        self.name = name\n        self.params = params\n    }\n}\n\n"
        f"func methods(of client: Client) -> [Method] {{\n    [\n{indent(methods, 8)}    ]\n}}\n\n"
        f"let fieldsOfTypes: [String: [String]] = [\n{indent(types)}]\n\n"
        f"let methodsOfHosts: [String: [String]] = [\n{indent(hosts)}]\n"
    )


def dispatch_test(defs: Defs, description: dict[str, Any]) -> str:
    """The methods by name with JSON in and out, for the cases that every language runs."""
    grouped = by_area(description)
    required = "".join(f"var {camel(area)}: {area_type(area)} {{ get }}\n" for area in grouped if area)
    for method in grouped[""]:
        labels = ", ".join([*(f"{f.name}: {f.declared}" for f in params(defs, method)), "timeoutMs: UInt64?", "requestId: String?"])
        required += f"func {ident(method['short'])}({labels}) async throws -> {defs.swift(method['result'])}\n"
    cases = "".join(dispatched(defs, method) for method in description["methods"] if method["answer"] != "stream")
    return (
        HEADER + "\nimport Foundation\nimport Xynergy\n\n"
        f"protocol HasAreas {{\n{indent(required)}}}\n\nextension Client: HasAreas {{}}\nextension Scope: HasAreas {{}}\n\n"
        "func call(_ target: any HasAreas, _ method: String, _ args: JSONValue, timeoutMs: UInt64?) async throws -> JSONValue {\n"
        f"    switch method {{\n{indent(cases)}    default: throw Unwritten(what: method)\n    }}\n}}\n"
    )


def dispatched(defs: Defs, method: dict[str, Any]) -> str:
    given = params(defs, method)
    unlabelled = is_unlabelled(method)
    area, _, short = method["name"].rpartition(".")
    fields = ""
    passed: list[str] = []
    for n, f in enumerate(given):
        swift = "RawBytes" if f.swift == "Data" else f.swift
        is_absent = f.optional or f.default is not None
        fields += f"let {f.name}: {swift}{'?' if is_absent else ''}\n"
        value = f"given.{f.name}" + (".data" if f.swift == "Data" else "")
        if not f.optional and f.default is not None:
            value += f" ?? {f.default}"
        passed.append(value if unlabelled and not n else f"{f.name}: {value}")
    passed += ["timeoutMs: timeoutMs", "requestId: nil"]
    called = f"target.{camel(area) + '.' if area else ''}{ident(short)}({', '.join(passed)})"
    body = ""
    if given:
        body += f"struct Given: Decodable {{\n{indent(fields)}\n{indent(coding_keys([f.key for f in given]))}}}\n"
        body += "let given = try written(args, as: Given.self)\n"
    if defs.swift(method["result"]) == "Void":
        body += f"try await {called}\nreturn .null\n"
    else:
        body += f"return try JSONValue(encoding: try await {called})\n"
    return f"case {string(method['name'])}:\n{indent(body)}"
