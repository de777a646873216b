"""The Python package's generated modules: records, types of arguments, methods, protocols of host objects, schemas."""

from __future__ import annotations

import json
from typing import Any

from python_shapes import (
    Names,
    Schema,
    decoding,
    docstring,
    fields,
    identifier,
    is_record,
    reference,
)

PACKAGE = "bindings/python/xynergy"
HEADER = "# Written by `python3 bindings/generate` from the description of the public surface; do not edit.\n"
FUTURE = "from __future__ import annotations\n"
NOQA = "# ruff: noqa\n"


def generate(description: dict[str, Any]) -> dict[str, str]:
    """Every generated file of the package by its path."""
    texts = {
        "_types.py": records(description),
        "_arguments.py": arguments(description),
        "_config.py": config(description),
        "_areas.py": areas(description, blocking=False),
        "_blocking_areas.py": areas(description, blocking=True),
        "hosts.py": hosts(description),
        "_kinds.py": kinds(description),
    }
    files = {f"{PACKAGE}/{name}": HEADER + NOQA + text for name, text in texts.items()}
    schemas = json.dumps(description["types"], ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    files[f"{PACKAGE}/_schemas.json"] = schemas + "\n"
    return files


# What every record can do in Python.
RECORD_METHODS = {"get", "keys", "model_dump", "model_dump_json", "to_dict", "to_json", "to_pandas"}


def records(description: dict[str, Any]) -> str:
    """A class for each shape of a result."""
    types: dict[str, Schema] = description["types"]
    names = Names(types, argument=False)
    lines = [
        '"""What calls return: one class for each shape."""\n',
        FUTURE,
        "from typing import TYPE_CHECKING, Any, Literal, Union\n",
        "from xynergy._record import Record, Records\n",
        "if TYPE_CHECKING:\n    from typing import ClassVar\n",
    ]
    aliases = {name: shape for name, shape in types.items() if not is_record(shape)}
    for name, shape in aliases.items():
        lines.append(f"{name} = {at_runtime(names.of(shape))}")
        lines.append(docstring(shape.get("description", name), "") + "\n")
    for name, shape in types.items():
        if name not in aliases:
            lines.append(record(name, shape, types, names))
    exported = ", ".join(f'"{name}"' for name in types)
    lines.append(f"__all__ = [{exported}]\n")
    return "\n".join(lines)


def at_runtime(written: str) -> str:
    """A union as Python 3.9 can evaluate it."""
    parts = written.split(" | ")
    if len(parts) == 1:
        return written
    return f"Union[{', '.join(quote_part(part) for part in parts)}]"


def record(name: str, shape: Schema, types: dict[str, Schema], names: Names) -> str:
    properties, required = fields(shape)
    if hidden := RECORD_METHODS & properties.keys():
        raise SystemExit(f"{name}: {', '.join(sorted(hidden))} would hide a method of Record in Python: name the field otherwise")
    lines = [f"class {name}(Record):", docstring(shape.get("description", name), "    "), "", "    __slots__ = ()", ""]
    for field, schema in properties.items():
        kind = names.of(schema)
        if field not in required and "None" not in kind.split(" | ") and kind != "Any":
            kind += " | None"
        lines.append(f"    {identifier(field)}: {kind}")
        if "description" in schema:
            lines.append(docstring(schema["description"], "    "))
    decodings = {field: decoding(schema, types) for field, schema in properties.items()}
    lines += ["", f"    _FIELDS: ClassVar[dict[str, str]] = {json.dumps(decodings)}"]
    if shape.get("additionalProperties") is True:
        lines += ["    _OPEN: ClassVar[bool] = True", "    if TYPE_CHECKING:", "", "        def __getattr__(self, name: str) -> Any: ..."]
    return "\n".join(lines) + "\n\n"


def reachable(schemas: list[Any], types: dict[str, Schema]) -> list[str]:
    """The types that these refer to, directly or not."""
    found: set[str] = set()
    waiting = list(schemas)
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            name = reference(value)
            if name is not None and name not in found:
                found.add(name)
                waiting.append(types[name])
            waiting += value.values()
    return sorted(found)


def arguments(description: dict[str, Any]) -> str:
    """A `TypedDict` for each shape of an argument. The module is imported by type checkers alone."""
    types: dict[str, Schema] = description["argument_types"]
    used = reachable([param["schema"] for method in description["methods"] for param in method["params"]], types)
    results = description["types"]
    both = [name for name in used if name in results and is_record(types[name])]
    lines = [
        '"""What calls take."""\n',
        FUTURE,
        "from collections.abc import Mapping, Sequence",
        "from datetime import datetime",
        "from typing import Any, Literal, TypedDict, Union\n",
        "from xynergy import _types\n",
    ]
    names = Names(types, argument=True)
    for name in used:
        if is_record(types[name]):
            lines.append(typed_dict(name, types[name], names))
            like = [f'"{name}Dict"']
            like += [f'"_types.{name}"'] if name in both else []
            like += ["Mapping[str, Any]"] if types[name].get("additionalProperties") is True else []
            lines.append(f"{name}Like = Union[{', '.join(like)}]" if len(like) > 1 else f"{name}Like = {name}Dict")
            lines.append("")
        else:
            lines.append(f"{name} = Union[{', '.join(quote_part(part) for part in names.of(types[name]).split(' | '))}]")
            lines.append(docstring(types[name].get("description", name), "") + "\n")
    return "\n".join(lines) + "\n"


def quote_part(part: str) -> str:
    """One alternative, in quotes where Python 3.9 could not evaluate it yet."""
    return part if part.startswith(("Literal", "str", "None", "int", "datetime", "dict[")) else f'"{part}"'


def typed_dict(name: str, shape: Schema, names: Names) -> str:
    """A `TypedDict`, in two parts because Python 3.9 cannot mark single keys."""
    properties, required = fields(shape)
    lines: list[str] = []
    base = "TypedDict"
    must = {field: schema for field, schema in properties.items() if field in required}
    may = {field: schema for field, schema in properties.items() if field not in required}
    if must and may:
        base = f"_{name}Required"
        lines += [f"class {base}(TypedDict):", *keys(must, names), ""]
        must = {}
    total = "" if must else ", total=False"
    lines += [f"class {name}Dict({base}{total}):", docstring(shape.get("description", name), "    "), ""]
    lines += keys(must or may, names) or ["    pass"]
    return "\n".join(lines) + "\n"


def keys(properties: dict[str, Schema], names: Names) -> list[str]:
    lines = []
    for field, schema in properties.items():
        lines.append(f"    {field}: {names.of(schema)}")
        if "description" in schema:
            lines.append(docstring(schema["description"], "    "))
    return lines


def config(description: dict[str, Any]) -> str:
    """The `TypedDict`s of the configuration."""
    schema: Schema = description["config"]
    types: dict[str, Schema] = schema["$defs"]
    names = Names(types, argument=True)
    lines = [
        '"""The configuration as a dictionary; `ConfigDict` is the whole."""\n',
        FUTURE,
        "from collections.abc import Mapping, Sequence",
        "from datetime import datetime",
        "from typing import Any, Literal, TypedDict, Union\n",
    ]
    for name in sorted(types):
        shape = types[name]
        if is_record(shape) and "properties" in shape:
            lines.append(typed_dict(name, shape, names))
            lines.append(f"{name}Like = {name}Dict\n")
        elif is_record(shape):
            parts = []
            for index, option in enumerate(shape["oneOf"]):
                lines.append(typed_dict(f"{name}{index + 1}", option, names))
                parts.append(f"{name}{index + 1}Dict")
            lines.append(f"{name}Like = Union[{', '.join(parts)}]\n")
        else:
            lines.append(f"{name} = Union[{', '.join(quote_part(part) for part in names.of(shape).split(' | '))}]\n")
    lines.append(typed_dict("Config", schema, names))
    return "\n".join(lines) + "\n"


def areas(description: dict[str, Any], *, blocking: bool) -> str:
    """A class for each area, with a method for each call."""
    by_area: dict[str, list[dict[str, Any]]] = {}
    for method in description["methods"]:
        area, _, name = method["name"].rpartition(".")
        by_area.setdefault(area, []).append({**method, "short": name})
    base = "BlockingArea" if blocking else "Area"
    stream = "BlockingChatStream" if blocking else "ChatStream"
    lines = [
        f'"""The methods of {"`xynergy.blocking.Client`" if blocking else "`xynergy.Client`"}, by area."""\n',
        FUTURE,
        "from typing import TYPE_CHECKING, Any\n",
        "from xynergy import _types as t",
        f"from xynergy.{'_blocking_area' if blocking else '_area'} import {base}",
        "from xynergy._json import raw",
        "from xynergy._record import Records, decode",
        f"from xynergy._streams import {stream}\n",
        "if TYPE_CHECKING:",
        "    from collections.abc import Mapping, Sequence",
        "    from datetime import datetime",
        "    from typing import Literal\n",
        "    from xynergy import _arguments as a\n",
    ]
    for area, methods in by_area.items():
        title = "Whole" if area == "" else "".join(part.title() for part in area.split("_"))
        lines.append(f"class {title}Methods({base}):")
        lines.append(docstring(f"The methods of `{area}`." if area else "The methods of the client itself.", "    ") + "\n")
        lines.append("    __slots__ = ()\n")
        lines += [method_text(method, description, blocking=blocking, stream=stream) for method in methods]
    named = [area for area in by_area if area]
    lines.append(f"class Areas({base}):")
    lines.append('    """The areas of a client or a scope."""\n')
    lines.append(f"    __slots__ = ({', '.join(quoted_name(area) for area in named)},)\n")
    lines.append("    def _open(self) -> None:")
    for area in named:
        title = "".join(part.title() for part in area.split("_"))
        lines.append(f"        self.{area} = {title}Methods(self._core, self._info)")
    lines.append("")
    return "\n".join(lines) + "\n"


def quoted_name(name: str) -> str:
    return f'"{name}"'


def method_text(method: dict[str, Any], description: dict[str, Any], *, blocking: bool, stream: str) -> str:
    takes = Names(description["argument_types"], argument=True)
    gives = Names(description["types"], argument=False)
    signature = ["self"]
    explained = []
    for param in method["params"]:
        kind = prefixed(takes.of(param["schema"]), "a", description["argument_types"])
        if is_bytes(param):
            kind = "bytes | bytearray | memoryview | str"
        if param["required"]:
            signature.append(f"{identifier(param['name'])}: {kind}")
        else:
            kind = kind if "None" in kind.split(" | ") else f"{kind} | None"
            signature.append(f"{identifier(param['name'])}: {kind} = None")
        if param["doc"]:
            explained.append(f"            {identifier(param['name'])}: {' '.join(param['doc'].split())}")
    signature += ["*", "timeout: float | None = None", "request_id: str | None = None"]
    result = prefixed(gives.of(method["result"]), "t", description["types"])
    streams = method["answer"] == "stream"
    prefix = "" if blocking or streams else "async "
    wait = "" if blocking else "await "
    returned = stream if streams else result
    doc = [f'        """{" ".join(method["doc"].split())}']
    doc += ["", "        Args:", *explained] if explained else []
    doc.append('        """' if explained else "")
    text = "\n".join(doc).rstrip() + ('"""' if not explained else "")
    given = ", ".join(argument(param) for param in method["params"])
    required = "{" + given + "}"
    lines = [f"    {prefix}def {method['short']}({', '.join(signature)}) -> {returned}:", text]
    call = f'"{method["name"]}", {required}, timeout, request_id'
    if streams:
        lines.append(f"        return {stream}(self._core, self._options(timeout, request_id), {required})")
    elif result == "None":
        lines.append(f"        {wait}self._call({call})")
    else:
        how = decoding(method["result"], description["types"])
        found = f"{wait}self._call({call})"
        lines.append(f"        found: {result} = " + (f'decode({found}, "{how}")' if how else found))
        lines.append("        return found")
    return "\n".join(lines) + "\n"


def argument(param: dict[str, Any]) -> str:
    """One entry of the arguments; optional ones that are absent are left out by `_call`."""
    name = identifier(param["name"])
    return f'"{param["name"]}": {f"raw({name})" if is_bytes(param) else name}'


def is_bytes(param: dict[str, Any]) -> bool:
    """Whether it takes raw bytes."""
    return bool(param["schema"].get("$ref", "").endswith("/Bytes"))


def prefixed(written: str, module: str, types: dict[str, Schema]) -> str:
    """The same with the module before the names that it defines."""
    parts: list[str] = []
    word = ""
    for character in written + " ":
        if character.isalnum() or character == "_":
            word += character
            continue
        known = word in types or (word.endswith("Like") and word[:-4] in types)
        parts.append(f"{module}.{word}" if known else word)
        parts.append(character)
        word = ""
    return "".join(parts).rstrip()


def hosts(description: dict[str, Any]) -> str:
    """The protocols that a host's own objects follow."""
    types = description["types"]
    names = Names(types, argument=False)
    lines = [
        '"""What your own objects have to do to stand in for a provider, a cache, a store and so on.\n',
        "Methods may be `async` or not. Arguments come by name. What is returned may be a record, or a dictionary of the same fields.",
        '"""\n',
        FUTURE,
        "from collections.abc import AsyncIterable, Awaitable, Iterable, Mapping, Sequence",
        "from typing import Any, Literal, Protocol, TypeVar, Union\n",
        "from xynergy import _types as t",
        "from xynergy._record import Records\n",
        'T = TypeVar("T", covariant=True)',
        "Answer = Union[T, Awaitable[T]]",
        '"""The value, or something to await for it."""\n',
    ]
    table: dict[str, dict[str, dict[str, str]]] = {}
    for host in description["hosts"]:
        table[host["name"]] = {}
        lines.append(f"class {host['name']}(Protocol):")
        lines.append(docstring(host["doc"], "    ") + "\n")
        optional = [method for method in host["methods"] if method["optional"]]
        for method in host["methods"]:
            table[host["name"]][method["name"]] = {
                param["name"]: decoding(param["schema"], types) for param in method["params"]
            }
            if method["optional"]:
                continue
            lines.append(protocol_method(method, names, types))
        if optional:
            lines.append("")
            lines.append(f"class Streaming{host['name']}({host['name']}, Protocol):")
            lines.append(docstring(f"{host['doc']} One that also answers in pieces.", "    ") + "\n")
            lines += [protocol_method(method, names, types) for method in optional]
        lines.append("")
    lines.append(f"ARGUMENTS: dict[str, dict[str, dict[str, str]]] = {json.dumps(table, indent=1)}")
    lines.append('"""How the arguments of each method are decoded."""')
    needed = {
        host["name"]: [method["name"] for method in host["methods"] if not method["optional"]]
        for host in description["hosts"]
    }
    lines.append(f"\nREQUIRED: dict[str, list[str]] = {json.dumps(needed)}")
    lines.append('"""The methods that each must have."""')
    return "\n".join(lines) + "\n"


def protocol_method(method: dict[str, Any], names: Names, types: dict[str, Schema]) -> str:
    given = ", ".join(
        f"{identifier(param['name'])}: {prefixed(names.of(param['schema']), 't', types)}" for param in method["params"]
    )
    returned = returnable(method["result"], names, types)
    pieces = f"AsyncIterable[{returned}] | Iterable[{returned}] | Awaitable[AsyncIterable[{returned}]]"
    kind = pieces if method["stream"] else f"Answer[{returned}]"
    return f"    def {method['name']}(self, *, {given}) -> {kind}:\n{docstring(method['doc'], '        ')}\n        ...\n"


def returnable(schema: Schema, names: Names, types: dict[str, Schema]) -> str:
    """What a host may return for a shape: where a record is wanted, a mapping does."""
    written = prefixed(names.of(schema), "t", types)
    loose = written.replace("Records[", "Sequence[").replace("dict[str,", "Mapping[str,")
    for name in sorted(types, key=len, reverse=True):
        if is_record(types[name]):
            loose = replace_name(loose, f"t.{name}", f"Union[t.{name}, Mapping[str, Any]]")
    return loose


def replace_name(text: str, name: str, replacement: str) -> str:
    """Replaces a whole dotted name once for each place it stands."""
    result, rest = "", text
    while (at := rest.find(name)) >= 0:
        end = at + len(name)
        whole = end == len(rest) or not (rest[end].isalnum() or rest[end] == "_")
        inside = result.endswith("Union[") and rest[:at] == ""
        result += rest[:at] + (replacement if whole and not inside else name)
        rest = rest[end:]
    return result + rest


def kinds(description: dict[str, Any]) -> str:
    """One class of exceptions for each kind of error."""
    builtin = {
        "invalid_input": "ValueError",
        "config_invalid": "ValueError",
        "timeout": "builtins.TimeoutError",
        "not_found": "LookupError",
        "unsupported": "NotImplementedError",
    }
    lines = [
        '"""The exceptions, one for each kind of error."""\n',
        FUTURE,
        "import builtins\n",
        "from xynergy._error import XynergyError\n\n",
    ]
    known = {}
    for kind in description["errors"]:
        title = "".join(part.title() for part in kind["kind"].split("_")) + "Error"
        known[kind["kind"]] = title
        also = f", {builtin[kind['kind']]}" if kind["kind"] in builtin else ""
        lines += [f"class {title}(XynergyError{also}):", docstring(kind["doc"], "    "), "", f'    kind = "{kind["kind"]}"', "\n"]
    lines.append("BY_KIND: dict[str, type[XynergyError]] = {")
    lines += [f'    "{kind}": {title},' for kind, title in known.items()]
    lines.append("}\n")
    names = ", ".join(f'"{title}"' for title in known.values())
    lines.append(f'__all__ = ["BY_KIND", {names}]')
    return "\n".join(lines) + "\n"
