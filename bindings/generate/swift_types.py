"""The Swift side of the description: types, areas, host protocols, and the list that holds the package to the surface."""

from __future__ import annotations

from typing import Any

from swift_choices import choice, open_enum
from swift_hosts import hosts
from swift_methods import areas, dispatch_test, surface_test
from swift_names import HEADER, Defs, is_choice, is_open_enum
from swift_structs import structure

SOURCES = "bindings/swift/Sources/Xynergy/Generated"
TESTS = "bindings/swift/Tests/XynergyTests/Generated"

# Structures by the first letter of their names, so that no file is long.
SPANS = ("AB", "CC", "DG", "HO", "PZ")

# Written by hand, since Swift has a better form of them.
BY_HAND = {"Timestamp", "Bytes"}


def generate(description: dict[str, Any]) -> dict[str, str]:
    """Every generated Swift file and its text."""
    defs = Defs(description)
    parts: dict[str, list[str]] = {part: [] for part in ("Choices", "Names", *(f"Values{span}" for span in SPANS), "Configuration")}
    for name in sorted(defs.shapes):
        if name in BY_HAND:
            continue
        shape = defs.shapes[name]
        if is_open_enum(shape):
            parts["Names"].append(open_enum(name, shape))
        elif is_choice(shape):
            parts["Choices"].append(choice(defs, name, shape))
        elif "properties" in shape:
            span = next(span for span in SPANS if name[0] <= span[-1])
            part = "Configuration" if name in defs.of_config else f"Values{span}"
            parts[part].append(structure(defs, name, shape))
        elif shape.get("type") in ("array", "object"):
            parts["Choices"].append(defs.doc(shape) + f"public typealias {name} = {defs.swift(shape)}\n")
        elif shape.get("type") == "string":
            parts["Choices"].append(defs.doc(shape) + f"public typealias {name} = String\n")
        else:
            raise ValueError(f"{name}: no form for {shape}")
    kinds = [{"const": kind["kind"], "description": kind["doc"]} for kind in description["errors"]]
    parts["Names"].append(open_enum("ErrorKind", {"description": "What went wrong.", "oneOf": kinds}))
    files = {f"{SOURCES}/{part}.swift": HEADER + "\n" + "\n".join(texts) for part, texts in parts.items()}
    files[f"{SOURCES}/Areas.swift"] = areas(defs, description)
    files[f"{SOURCES}/Hosts.swift"] = hosts(defs, description)
    files[f"{TESTS}/Surface.swift"] = surface_test(defs, description)
    files[f"{TESTS}/Dispatch.swift"] = dispatch_test(defs, description)
    return files
