"""The areas of the client and their methods, and the test that compares them with the surface."""

from __future__ import annotations

from typing import Any

from swift_names import HEADER, Defs, camel, coding_keys, comment, ident, indent, pascal, string
from swift_structs import Field, field, joined

AREA_DOCS = {
    "ai": "Chat: routing, the response cache, spend limits.",
    "attribution": "Clicks, matching and revenue.",
    "hubspot": "The CRM: webhooks in, deals read.",
    "allocation": "Thompson sampling of budgets.",
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
