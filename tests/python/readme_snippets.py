"""Every code block of the READMEs and CONTRIBUTING.md that names its origin must be that region of the file.

A block is marked by a line before it, `<!-- from FILE#REGION -->`; the region stands in FILE between lines that contain
`region: REGION` and `endregion: REGION`. Commands shown to the reader must exist as examples, links must lead somewhere.
`--write` copies the regions into the pages.
"""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "CONTRIBUTING.md", *sorted(str(page.relative_to(ROOT)) for page in ROOT.glob("bindings/*/README.md")))
MARK = re.compile(r"<!-- from (?P<file>[^#\s]+)#(?P<region>\S+) -->\n```[a-z]*\n(?P<code>.*?)```", re.DOTALL)


def region_of(path: Path, name: str) -> str:
    lines = path.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.rstrip().endswith(f" region: {name}"))
    end = next(i for i, line in enumerate(lines) if line.rstrip().endswith(f" endregion: {name}"))
    return textwrap.dedent("\n".join(lines[start + 1 : end])).strip() + "\n"


def write() -> None:
    for page in PAGES:
        path = ROOT / page

        def filled(match: re.Match[str]) -> str:
            start, end = match.span("code")
            whole, offset = match.group(0), match.start()
            return whole[: start - offset] + region_of(ROOT / match["file"], match["region"]) + whole[end - offset :]

        path.write_text(MARK.sub(filled, path.read_text()))


def main() -> int:
    if sys.argv[1:] == ["--write"]:
        write()
    problems: list[str] = []
    snippets = 0
    for page in PAGES:
        text = (ROOT / page).read_text()
        for match in MARK.finditer(text):
            snippets += 1
            try:
                region = region_of(ROOT / match["file"], match["region"])
            except (OSError, StopIteration):
                problems.append(f"{page}: no region {match['region']} in {match['file']}")
                continue
            if region != match["code"]:
                problems.append(f"{page}: the snippet differs from {match['file']}#{match['region']}; it should be:\n{region}")
        for example in re.findall(r"cargo run (?:--release )?--example (\w+)", text):
            found = any((ROOT / "examples" / name).exists() for name in (f"{example}.rs", f"{example}/main.rs"))
            if not found:
                problems.append(f"{page}: there is no example {example}")
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
            if not ((ROOT / page).parent / target).exists():
                problems.append(f"{page}: the link to {target} leads nowhere")
    if snippets == 0:
        problems.append("no snippet was found: the marks are gone")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
