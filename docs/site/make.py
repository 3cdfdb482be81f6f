#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Builds the documentation site: docs/site/make.py OUT [--without-notebooks]. ./setup docs calls it.

Its source is put together beside OUT, as the repository has it, so that links between pages hold: the Markdown pages as
they are, the scenario reference of the schema, and the notebooks, executed, with their figures.
"""

import argparse
import base64
import html
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import esx_netflow
from esx_netflow import _core, examples

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    "README.md",
    "CHANGES.md",
    "LICENSE",
    "ns3-module/README.md",
    "bench/RESULTS.md",
    "tests/oracle/README.md",
    "docs/esx-netflow.rst",
]
PAGES += ["docs/*.md", "docs/*.png", "scenarios/*.yaml", "templates/*", ".github/workflows/*.yml"]


def copy_pages(source: Path) -> None:
    for pattern in PAGES:
        for path in sorted(ROOT.glob(pattern)):
            target = source / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    shutil.copy(ROOT / "docs" / "api" / "index.rst", source / "docs" / "api.rst")
    (source / "docs" / "replace.txt").write_text("")  # ns-3's own has its abbreviations
    for name in ("conf.py", "site.css", "index.md"):
        shutil.copy(Path(__file__).with_name(name), source / name)


# ---------------------------------------------------------------- the scenario reference


def kind_of(entry: dict, definitions: dict) -> str:
    """-> what a value may be, as a cell of a table"""
    if "$ref" in entry:
        name = entry["$ref"].rpartition("/")[2]
        return f"[{name}](#{name})" if definitions[name].get("properties") else kind_of(definitions[name], definitions)
    if "enum" in entry or "const" in entry:
        return ", ".join(f"`{json.dumps(value).strip(chr(34))}`" for value in entry.get("enum", [entry.get("const")]))
    if "x-allowed" in entry:
        return entry["x-allowed"]
    for word in ("oneOf", "anyOf"):
        if word in entry:
            return " or ".join(dict.fromkeys(kind_of(part, definitions) for part in entry[word]))
    kind = entry.get("type", "any")
    if kind == "array":
        return f"list of {kind_of(entry.get('items', {}), definitions)}"
    if kind == "object" and isinstance(entry.get("additionalProperties"), dict):
        return f"by name: {kind_of(entry['additionalProperties'], definitions)}"
    limits = [
        f"{word} {entry[key]}"
        for key, word in (("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to"))
        if key in entry
    ]
    return " ".join([kind if isinstance(kind, str) else " or ".join(kind), *limits])


def table_of(name: str, entry: dict, definitions: dict) -> str:
    rows = [f"## {name}\n", entry.get("description", ""), "\n| key | value | default | meaning |", "|---|---|---|---|"]
    for key, of in entry["properties"].items():
        meaning = of.get("description") or definitions.get(of.get("$ref", "").rpartition("/")[2], {}).get(
            "description", ""
        )
        default = (
            f"`{json.dumps(of['default']).strip(chr(34)) or chr(34) * 2}`"
            if "default" in of
            else "required"
            if key in entry.get("required", [])
            else ""
        )
        named = of.get("x-attribute", [])
        named = [named] if isinstance(named, str) else named
        attribute = f" Attribute {' or '.join(f'`{name}`' for name in named)}." if named else ""
        cells = [f"`{key}`", kind_of(of, definitions), default, meaning + attribute]
        rows.append(
            "| "
            + " | ".join(re.sub(r"\s+", " ", cell).replace("|", "\\|").replace("<", "\\<") for cell in cells)
            + " |"
        )
    return "\n".join(rows) + "\n"


def scenario_reference() -> str:
    schema = json.loads(_core.schema())
    definitions = schema["definitions"]
    parts = [
        "# Scenario reference\n",
        (
            "Made of `scenario.schema.json`, which `esx-netflow schema` prints: every key of a scenario, "
            "what it may be, and its default.\n"
        ),
    ]
    parts.append(table_of("scenario", schema, definitions))
    parts += [table_of(name, entry, definitions) for name, entry in definitions.items() if entry.get("properties")]
    return "\n".join(parts)


# ---------------------------------------------------------------- tutorials


def output_of(output: dict, place: Path, name: str) -> str:
    """-> Markdown of what a cell gave; images become files"""
    data = output.get("data", {})
    if "image/png" in data:
        (place / f"{name}.png").write_bytes(base64.b64decode(data["image/png"]))
        return f"![figure]({name}.png)\n"
    if "text/html" in data:
        text = "".join(data["text/html"])
        return '```{raw} html\n<div class="cell-output">' + re.sub(r"\n\s*\n", "\n", text) + "</div>\n```\n"
    text = "".join(output.get("text") or data.get("text/plain", ""))
    return (
        '```{raw} html\n<div class="cell-output"><pre>'
        + html.escape(text.rstrip()).replace("\n\n", "\n&nbsp;\n")
        + "</pre></div>\n```\n"
        if text.strip()
        else ""
    )


def tutorial(path: Path, place: Path) -> None:
    import nbformat
    from nbclient import NotebookClient

    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # nobody debugs these kernels
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=1200, resources={"metadata": {"path": str(path.parent)}}).execute()
    parts = []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            parts.append(cell.source + "\n")
            continue
        code = re.sub(r"^%.*\n?", "", cell.source, flags=re.MULTILINE)
        parts.append(f"```python\n{code}\n```\n")
        for index, output in enumerate(cell.outputs):
            if output.output_type != "stream" or output.name != "stderr":
                parts.append(output_of(output, place, f"{path.stem}-{number}-{index}"))
    parts.append(f"\nThe notebook: {{download}}`{path.name}`\n")
    shutil.copy(path, place / path.name)
    (place / f"{path.stem}.md").write_text("\n".join(parts))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder of the site; its source goes beside it")
    parser.add_argument("--only", metavar="NOTEBOOK", help="executes only this one: for who writes it")
    options = parser.parse_args()
    source = options.out.absolute().with_name(options.out.name + "-source")
    shutil.rmtree(source, ignore_errors=True)
    copy_pages(source)
    (source / "docs" / "scenario-reference.md").write_text(scenario_reference())
    (source / "notebooks").mkdir()
    for path in examples.notebooks(source.with_name(f"{source.name}-run")):  # copies: what they write stays there
        if options.only in (None, path.stem):
            print(f"tutorial: {path.name}", flush=True)
            tutorial(path, source / "notebooks")
        else:
            (source / "notebooks" / f"{path.stem}.md").write_text(f"# {path.stem}\n\nNot executed.\n")
    command = [
        sys.executable,
        "-B",
        "-m",
        "sphinx",
        "-q",
        "-W",
        "--keep-going",
        "-b",
        "html",
        "-d",
        f"{source}-doctrees",
        source,
        options.out,
    ]
    done = subprocess.run(command, check=False)
    print(
        f"site: {options.out / 'index.html'}, esx-netflow {esx_netflow.__version__}"
        if done.returncode == 0
        else "the site has warnings",
        flush=True,
    )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
