#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Checks the one-way doors between the rooms of this repository (docs/ARCHITECTURE.md).

Reads every #include line, every import of tests/oracle, and looks for paths that exist on one machine only and for
temporary files that two tests at the same time would share.
Prints each offence as file:line: what is wrong, and exits with 1 if there is one.
"""

import ast
import re
import sys
from pathlib import Path
from typing import Iterator, NamedTuple

# The rooms that a room may include besides itself and the standard library. "other" is any third-party or system
# header, "posix" those of the operating systems that ns-3 runs on which are named below.
DOORS = {
    "netflow": set(),
    "model": {"netflow", "ns3", "posix"},
    "helper": {"netflow", "ns3", "model", "posix"},
    "runner": {"netflow", "ns3", "model", "helper", "other", "posix"},
    "python": {"netflow", "runner", "other", "posix"},
    "bench": {"netflow", "ns3", "model", "helper", "other", "posix"},
    "examples": {"netflow", "ns3", "model", "helper"},
    "ns3-module": {"netflow", "ns3", "model", "helper", "posix"},
    "tests": {"netflow", "ns3", "model", "helper", "runner", "python", "ns3-module", "other", "posix"},
}
# The folders of runner/: each may include those before it. probe/ is beside them: it sees the first two, and the last
# sees it.
FLOORS = ("base", "capture", "scenario", "lab", "simulation", "results", "console", "commands")
BESIDE = {"probe": ("base", "capture")}
# ns-3 installs the public ones of these rooms' headers flat, and netflow/ beside them.
PUBLIC_ROOMS = {"model", "helper"}

STANDARD_HEADERS = frozenset(
    """
    algorithm any array atomic barrier bit bitset charconv chrono codecvt compare complex concepts condition_variable
    coroutine deque exception execution expected filesystem format forward_list fstream functional future
    initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale map memory memory_resource
    mutex new numbers numeric optional ostream queue random ranges ratio regex scoped_allocator semaphore set
    shared_mutex source_location span sstream stack stdexcept stop_token streambuf string string_view strstream
    syncstream system_error thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility valarray
    variant vector version
    cassert ccomplex cctype cerrno cfenv cfloat cinttypes climits clocale cmath csetjmp csignal cstdarg cstddef
    cstdint cstdio cstdlib cstring ctime cuchar cwchar cwctype
    """.split()
)
POSIX_HEADERS = frozenset(("arpa/inet.h", "regex.h", "sys/socket.h", "unistd.h"))
SOURCES = {".cc", ".h", ".in"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:[<"]([^>"]+)[>"]|(\S+))')
MACHINE_PATH = re.compile(rb"(?<![\w.~-])/(?:work|root|home)/[\w.]")
# Calls that give two tests the same file. In C++ there is ScratchFolder, in pytest tmp_path, for helpers outside of a
# test tempfile.mkdtemp; a fixed name is none of them.
SHARED_FILE = {
    ".cc": re.compile(
        r"\bTempDir\(|\btemp_directory_path\b|\bmk[ds]?temp\b|\btmpnam\b|[\"(]/(?:tmp|var/tmp|dev/shm)\b"
    ),
    ".py": re.compile(r"\btempfile\.(?:gettempdir|mktemp)\b|[\"'(]/(?:tmp|var/tmp|dev/shm)\b"),
}
SHARED_FILE[".h"] = SHARED_FILE[".cc"]
SCRATCH = Path("tests/scratch-folder.h")
SKIPPED_FOLDERS = re.compile(r"^(build.*|out|\.git|__pycache__|\.(pytest|ruff)_cache|\.ipynb_checkpoints)$")
# The begin of a sentence of a comment, of a docstring or of a document, and words that hide its subject.
HIDDEN_SUBJECT = {
    ".cc": re.compile(r"^\s*(?://[/!]?<?|\*) (?:.*[a-z)`][.:] )?(?:What|Who|Which) [a-z]"),
    ".py": re.compile(r'(?:"""|^\s*# )(?:.*[a-z)`]\. )?(?:What|Who|Which) [a-z]'),
    ".md": re.compile(r"(?:^|[a-z)`]\. |\| |- )(?:What|Who|Which) [a-z]"),
}
HIDDEN_SUBJECT[".h"] = HIDDEN_SUBJECT[".cc"]


class Offence(NamedTuple):
    path: Path
    line: int
    text: str


def files_of(folder: Path) -> Iterator[Path]:
    """All files below a folder in a fixed order, without what builds and runs leave behind."""
    for entry in sorted(folder.iterdir()):
        if entry.name == ".git":  # a file in a second working tree of the repository
            continue
        if entry.is_dir() and not entry.is_symlink():
            if not SKIPPED_FOLDERS.match(entry.name):
                yield from files_of(entry)
        elif entry.is_file():
            yield entry


class Tree:
    """The repository: knows in which room an included file lives."""

    def __init__(self, root: Path):
        self.root = root
        self.flat = {
            header.name: room
            for room in sorted(PUBLIC_ROOMS)
            if (root / room).is_dir()
            for header in files_of(root / room)
            if header.suffix == ".h"
        }
        lists = root / "CMakeLists.txt"
        self.public = (
            set(re.findall(r"^ +((?:model|helper)/\S+\.h)$", lists.read_text(), re.MULTILINE))
            if lists.is_file()
            else set()
        )

    def room_of(self, source: Path, name: str) -> str:
        """The room an included name leads to; "ns3", "standard" or "other" outside of the repository."""
        top, _, rest = name.partition("/")
        if top == "ns3":
            return self.flat.get(rest, "ns3")
        if top in DOORS and rest:
            return top
        if (source.parent / name).is_file():
            return source.relative_to(self.root).parts[0]
        if name in self.flat:
            return self.flat[name]
        if name in STANDARD_HEADERS:
            return "standard"
        return "posix" if name in POSIX_HEADERS else "other"

    def include_offence(self, source: Path, name: str) -> str:
        """Why this include is a wrong door; empty if it is none."""
        room = source.relative_to(self.root).parts[0]
        if ".." in Path(name).parts:
            return f"includes {name}: write the path from the root of the repository"
        target = self.room_of(source, name)
        if name.partition("/")[0] in PUBLIC_ROOMS and (
            room == "examples" or source.relative_to(self.root).as_posix() in self.public
        ):
            return f"includes {name}: scripts see it and have headers of ns3/ and netflow/ only"
        if target in ("standard", room) or target in DOORS[room]:
            return ""
        allowed = ", ".join(sorted(DOORS[room])) or "nothing"
        return f"includes {name} ({target}): {room}/ may include itself, the standard library and {allowed}"


def include_offences(root: Path) -> Iterator[Offence]:
    tree = Tree(root)
    for room in DOORS:
        if not (root / room).is_dir():
            continue
        for source in files_of(root / room):
            if source.suffix not in SOURCES:
                continue
            for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), 1):
                found = INCLUDE.match(line)
                if not found:
                    continue
                name, macro = found.groups()
                text = tree.include_offence(source, name) if name else f"includes by the macro {macro}"
                if text:
                    yield Offence(source.relative_to(root), number, text)


def floors_below(folder: str) -> tuple:
    """The folders of runner/ that one of them may include besides itself."""
    if folder in BESIDE:
        return BESIDE[folder]
    return FLOORS[: FLOORS.index(folder)] + (tuple(BESIDE) if folder == FLOORS[-1] else ())


def floor_offences(root: Path) -> Iterator[Offence]:
    """No folder of runner/ includes one above it."""
    for folder in sorted((root / "runner").iterdir()) if (root / "runner").is_dir() else ():
        name = folder.relative_to(root)
        if not folder.is_dir():
            continue
        if folder.name not in FLOORS and folder.name not in BESIDE:
            yield Offence(name, 1, f"is no floor of runner/: {', '.join((*FLOORS, *BESIDE))}")
            continue
        below = floors_below(folder.name)
        for source in files_of(folder):
            for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), 1):
                found = re.match(r'\s*#\s*include\s*[<"]runner/([^/">]+)/?([^">]*)', line)
                if found and found.group(1) != folder.name and found.group(1) not in below:
                    text = (
                        f"includes runner/{'/'.join(found.groups())}: "
                        f"{name}/ may include {', '.join(below) or 'no other folder'}"
                    )
                    yield Offence(source.relative_to(root), number, text)


def source_list_offences(root: Path) -> Iterator[Offence]:
    """CMakeLists.txt lists each source once, by path."""
    lists = root / "CMakeLists.txt"
    if not lists.is_file():
        return
    text = lists.read_text(encoding="utf-8")
    for listed in re.finditer(r"^set\((enf_\w+)\n((?:    [\w./-]+\n)+)\)", text, re.MULTILINE):
        names = listed.group(2).split()
        for number, (name, following) in enumerate(zip(names, names[1:]), text.count("\n", 0, listed.start(2)) + 1):
            if name >= following:
                yield Offence(
                    Path("CMakeLists.txt"), number, f"{listed.group(1)}: {following} comes before {name}, once"
                )
    for room in ("netflow", "model", "helper", "runner"):
        for source in files_of(root / room) if (root / room).is_dir() else ():
            name = str(source.relative_to(root))
            if source.suffix == ".cc" and not re.search(rf"(?<![\w/-]){re.escape(name)}\b", text):
                yield Offence(Path(name), 1, "is not in CMakeLists.txt")


def oracle_offences(root: Path) -> Iterator[Offence]:
    """The oracle decodes by itself: no code shared with the product."""
    folder = root / "tests" / "oracle"
    if not folder.is_dir():
        return
    for source in files_of(folder):
        if source.suffix != ".py":
            continue
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                if name.partition(".")[0] == "esx_netflow":
                    yield Offence(source.relative_to(root), node.lineno, f"imports {name}: the oracle shares no code")


def machine_path_offences(root: Path) -> Iterator[Offence]:
    """A path below somebody's home works for nobody else."""
    for file in files_of(root):
        for number, line in enumerate(file.read_bytes().split(b"\n"), 1):
            found = MACHINE_PATH.search(line)
            if found:
                path = line[found.start() : found.start() + 40].decode(errors="replace")
                yield Offence(file.relative_to(root), number, f"names a path of one machine: {path}")


def shared_file_offences(root: Path) -> Iterator[Offence]:
    """Tests run at the same time: each writes into a folder of its own."""
    if not (root / "tests").is_dir():
        return
    for source in files_of(root / "tests"):
        name = source.relative_to(root)
        if source.suffix not in SHARED_FILE or name == SCRATCH:
            continue
        for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), 1):
            found = SHARED_FILE[source.suffix].search(line)
            if found:
                instead = "tmp_path" if source.suffix == ".py" else f"ScratchFolder of {SCRATCH}"
                yield Offence(name, number, f"{found.group()}: two tests would share a file: use {instead}")


def sentence_offences(root: Path) -> Iterator[Offence]:
    """Subject, verb, object: no sentence begins with what, who or which."""
    for file in files_of(root):
        name = file.relative_to(root)
        if name.parts[0] in ("tests", "templates") or file.suffix not in HIDDEN_SUBJECT:
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if HIDDEN_SUBJECT[file.suffix].search(line) and "?" not in line:
                yield Offence(name, number, "a sentence begins with what, who or which: name its subject")


def offences(root: Path) -> list:
    return [
        *include_offences(root),
        *floor_offences(root),
        *source_list_offences(root),
        *oracle_offences(root),
        *machine_path_offences(root),
        *shared_file_offences(root),
        *sentence_offences(root),
    ]


def main() -> int:
    if len(sys.argv) > 2:
        print("usage: check_doors.py [ROOT]", file=sys.stderr)
        return 2
    root = Path(sys.argv[1]) if len(sys.argv) == 2 else Path(__file__).resolve().parents[2]
    found = offences(root)
    for offence in found:
        print(f"{offence.path}:{offence.line}: {offence.text}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
