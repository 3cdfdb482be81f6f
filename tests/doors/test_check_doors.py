# SPDX-License-Identifier: GPL-2.0-only
"""Each forbidden door is found in a made-up tree, each allowed one is left alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from check_doors import DOORS, FLOORS, offences

SCRIPT = Path(__file__).with_name("check_doors.py")
# One file of each room that others might include.
TARGETS = {
    "netflow": "netflow/flow-key.h",
    "model": "ns3/esx-port.h",
    "helper": "ns3/esx-host-helper.h",
    "runner": "runner/scenario/scenario.h",
    "python": "python/bind.h",
    "bench": "bench/clock.h",
    "examples": "examples/map.h",
    "tests": "tests/netflow/frames.h",
    "ns3": "ns3/packet.h",
    "other": "boost/graph/adjacency_list.hpp",
    "posix": "regex.h",
}
WRONG = [(room, target) for room in DOORS for target in TARGETS if target != room and target not in DOORS[room]]
RIGHT = [(room, target) for room in DOORS for target in TARGETS if target in DOORS[room]]


@pytest.fixture
def tree(tmp_path):
    """A tree whose rooms hold the files that TARGETS names; write(path, text) adds one."""

    def write(path, text):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return tmp_path

    for room, name in TARGETS.items():
        if room in ("model", "helper"):
            write(f"{room}/{name.partition('/')[2]}", "#pragma once\n")
        elif room in DOORS:
            write(name, "#pragma once\n")
    assert offences(tmp_path) == []
    return write


@pytest.mark.parametrize("room, target", WRONG)
@pytest.mark.parametrize("line", ['#include "{}"', "#include <{}>", '  #  include "{}" // why'])
def test_wrong_door_is_found(tree, room, target, line):
    root = tree(f"{room}/x.cc", "// one\n" + line.format(TARGETS[target]) + "\n")
    (found,) = offences(root)
    assert (found.path, found.line) == (Path(room) / "x.cc", 2)
    assert TARGETS[target] in found.text


@pytest.mark.parametrize("room, target", RIGHT)
def test_open_door_is_left_alone(tree, room, target):
    assert offences(tree(f"{room}/x.cc", f'#include "{TARGETS[target]}"\n')) == []


@pytest.mark.parametrize("header", ["unistd.h", "sys/socket.h", "fmt/core.h", "stdint.h", "pcap/pcap.h"])
def test_netflow_takes_the_standard_library_only(tree, header):
    assert len(offences(tree("netflow/x.h", f"#include <{header}>\n"))) == 1
    assert offences(tree("netflow/x.h", "#include <cstdint>\n#include <vector>\n")) == []


@pytest.mark.parametrize("room", ["model", "helper"])
def test_public_header_includes_public_headers_only(tree, room):
    tree("CMakeLists.txt", f"set(enf_headers\n    {room}/esx-x.h\n)\n")
    assert offences(tree(f"{room}/esx-x.h", '#include "netflow/flow-key.h"\n#include "ns3/esx-port.h"\n')) == []
    private = '#include "model/console/esx-options.h"\n'
    assert offences(tree("helper/esx-y.h", private)) == []  # in no list: private itself
    assert len(offences(tree(f"{room}/esx-x.h", private))) == 1


def test_example_includes_no_private_header(tree):
    assert len(offences(tree("examples/x.cc", '#include "model/console/esx-options.h"\n'))) == 1


def test_header_of_the_same_folder_is_its_own_room(tree):
    assert offences(tree("model/vswitch/esx-vnic.cc", '#include "esx-port.h"\n')) == []
    assert len(offences(tree("model/vswitch/esx-vnic.cc", '#include "esx-host-helper.h"\n'))) == 1


def test_include_line_is_an_address(tree):
    assert len(offences(tree("runner/x.cc", '#include "../netflow/flow-key.h"\n'))) == 1
    assert len(offences(tree("runner/x.cc", "#include HEADER\n"))) == 1


@pytest.mark.parametrize("line", ["import esx_netflow", "from esx_netflow.v5 import decode", "import os, esx_netflow"])
def test_oracle_shares_no_code(tree, line):
    assert len(offences(tree("tests/oracle/decode.py", line + "\n"))) == 1
    assert offences(tree("tests/oracle/decode.py", "import struct\nfrom . import esx_netflow_frames\n")) == []


@pytest.mark.parametrize("folder", ["work", "root", "home"])
@pytest.mark.parametrize("file", ["README.md", "docs/x.md", "setup"])
def test_path_of_one_machine_is_found(tree, folder, file):
    assert len(offences(tree(file, f"see\n/{folder}/me/notes\n"))) == 1
    assert offences(tree(file, f"see https://example.org/{folder}/me and model/{folder}/x\n")) == []


@pytest.mark.parametrize(
    "file, line",
    [
        ("x-test.cc", 'std::string path = testing::TempDir() + "x";'),
        ("x.h", "auto home = std::filesystem::temp_directory_path();"),
        ("x-test.cc", "mkdtemp(name.data());"),
        ("x-test.cc", 'std::ofstream file("%s/x");' % Path("/", "tmp")),
        ("test_x.py", "path = Path('%s/x')" % Path("/", "tmp")),
        ("test_x.py", "path = %s() + name" % ".".join(("tempfile", "gettempdir"))),
    ],
)
def test_file_that_two_tests_would_share_is_found(tree, file, line):
    for folder in ("tests", "tests/deep"):
        (found,) = offences(tree(f"{folder}/{file}", "\n" + line + "\n"))
        assert (found.path, found.line) == (Path(folder) / file, 2)
        tree(f"{folder}/{file}", "")
    assert offences(tree("tests/scratch-folder.h", "mkdtemp(name);\n")) == []
    assert offences(tree("runner/x.cc", "fs::temp_directory_path();\n")) == []
    assert offences(tree("tests/test_y.py", "def test_y(tmp_path): tempfile.mkdtemp()\n")) == []


@pytest.mark.parametrize(
    "file, line",
    [
        ("model/x.h", "    /// What it holds."),
        ("model/x.cc", " * It waits. Which frames wait is told by the queue."),
        ("python/x.py", '    """Who sends it.'),
        ("docs/x.md", "It ends. What was sent is kept."),
    ],
)
def test_a_sentence_names_its_subject(tree, file, line):
    (found,) = offences(tree(file, "\n" + line + "\n"))
    assert (found.path, found.line) == (Path(file), 2)
    assert offences(tree(file, "/// Tells what it holds.\n# The one who sends it.\n")) == []


def test_what_a_build_leaves_is_not_read(tree):
    assert offences(tree("build-asan/x.txt", "/".join(["", "root", "main"]))) == []


def test_the_link_file_of_a_second_working_tree_is_not_read(tree):
    assert offences(tree(".git", "/".join(["gitdir: ", "root", "main", ".git"]))) == []


def test_program_prints_each_offence_and_fails(tree):
    root = tree("netflow/x.cc", "#include <unistd.h>\n")
    ran = subprocess.run([sys.executable, SCRIPT, root], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stdout.startswith("netflow/x.cc:1: includes unistd.h")


@pytest.mark.parametrize("folder, above", [(low, high) for i, low in enumerate(FLOORS) for high in FLOORS[i + 1 :]])
def test_floor_of_the_runner_includes_no_higher_one(tree, folder, above):
    root = tree(f"runner/{folder}/x.cc", f'#include "runner/{folder}/x.h"\n#include <runner/{above}/y.h>\n')
    (found,) = offences(root)
    assert (found.path, found.line) == (Path(f"runner/{folder}/x.cc"), 2) and f"runner/{above}/y.h" in found.text
    assert (
        offences(
            tree(f"runner/{folder}/x.cc", "") and tree(f"runner/{above}/y.cc", f'#include "runner/{folder}/x.h"\n')
        )
        == []
    )


@pytest.mark.parametrize("folder", FLOORS)
def test_probe_is_beside_the_floors(tree, folder):
    root = tree("runner/probe/x.cc", f'#include "runner/{folder}/y.h"\n')
    assert len(offences(root)) == (0 if folder in ("base", "capture") else 1)
    root = tree("runner/probe/x.cc", "") and tree(f"runner/{folder}/y.cc", '#include "runner/probe/x.h"\n')
    assert len(offences(root)) == (0 if folder == "commands" else 1)


def test_folder_of_the_runner_that_is_no_floor_is_found(tree):
    (found,) = offences(tree("runner/attic/x.cc", ""))
    assert found.path == Path("runner/attic")


@pytest.mark.parametrize(
    "names, wanted",
    [
        (["model/a.cc", "model/b.cc"], []),
        (["model/b.cc", "model/a.cc"], [("CMakeLists.txt", 3)]),
        (["model/a.cc", "model/a.cc", "model/b.cc"], [("CMakeLists.txt", 3)]),
        (["model/a.cc"], [("model/b.cc", 1)]),
    ],
)
def test_source_list_has_each_file_once_by_path(tree, names, wanted):
    tree("model/a.cc", "")
    tree("model/b.cc", "")
    root = tree("CMakeLists.txt", "# one\nset(enf_model_sources\n" + "".join(f"    {name}\n" for name in names) + ")\n")
    assert [(str(found.path), found.line) for found in offences(root)] == wanted
