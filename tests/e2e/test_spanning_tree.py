# SPDX-License-Identifier: GPL-2.0-only
"""--spanning-tree: the links that validate names are blocked, and a run leaves exactly these without a frame."""

from pathlib import Path

from labs import contents, table

LOOP = Path(__file__).parent.parent / "data" / "broken-labs" / "loop.yaml"


def test_a_loop_is_refused_without_it(esx_netflow, tmp_path):
    done = esx_netflow("run", LOOP, cwd=tmp_path)
    assert done.returncode == 2 and "use --spanning-tree" in done.stderr and not (tmp_path / "out").exists()


def test_validate_names_what_it_blocks(esx_netflow):
    done = esx_netflow("validate", "--spanning-tree", LOOP)
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        "info: links[3]: blocked by the spanning tree: link spare closes a loop: backbone, spare (VLAN 1)"
        in done.stdout
    )


def test_a_run_leaves_exactly_the_blocked_links_without_a_frame(esx_netflow, tmp_path):
    done = esx_netflow("run", "--spanning-tree", LOOP, "-q", "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    frames = {}
    for row in table(tmp_path / "out", "links.csv"):
        frames[row["link"]] = max(frames.get(row["link"], 0), int(row["frames"]))
    assert frames["spare"] == 0 and frames["backbone"] > 100
    again = esx_netflow("run", "out/resolved.yaml", "-q", "-o", "again", cwd=tmp_path)  # the key is in it
    assert again.returncode == 0 and contents(tmp_path / "out") == contents(tmp_path / "again")
