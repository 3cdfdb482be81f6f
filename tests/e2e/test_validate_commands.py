# SPDX-License-Identifier: GPL-2.0-only
"""validate: programs, modules and vSwitches that console lines name are looked up before any run."""

import pytest
from labs import EXPORT, lab, write

EXPORT1 = EXPORT.format(host="esx1")


def validate(esx_netflow, tmp_path, line: str, expect: str = ""):
    """The one line of the lab beside vmkload_mod is replaced."""
    step = f"  - {{at: 500ms, host: esx1, run: '{line}'{expect}}}"
    return esx_netflow("validate", write(tmp_path, lab().replace(EXPORT1, step)))


LINES = {
    (
        "vmkload_app -S -i vmktcp net-netflow -e vSwtich0 10.6.125.84"
    ): "'vSwtich0' is no vSwitch of esx1; did you mean 'vSwitch0'?",
    (
        "vmkload_app -S -i vmktcp net-netflow -e vSwitch0,vSwitch1 10.6.125.84"
    ): "'vSwitch1' is no vSwitch of esx1; did you mean 'vSwitch0'?",
    "vmkload_app -S -i vmktcp net-netflw -e vSwitch0 10.6.125.84": (
        "'net-netflw' is no program of vmkload_app; did you mean 'net-netflow'?"
    ),
    (
        "vmkload_app -S -i vmktpc net-netflow -e vSwitch0 10.6.125.84"
    ): "'vmktpc' is no TCP/IP stack; did you mean 'vmktcp'?",
    (
        "vmkload_ap -S -i vmktcp net-netflow -e vSwitch0 10.6.125.84"
    ): "'vmkload_ap' is no program; did you mean 'vmkload_app'?",
    "/bin/vmkload_mod netflow": "'/bin/vmkload_mod' is no program; ",
    "vmkload_mod netflo": "'netflo' is no module; did you mean 'netflow'?",
    "vmkload_mod -u netflo": "'netflo' is no module; did you mean 'netflow'?",
    "vmkload_mod -l | gerp netflow": "'gerp' is no program; did you mean 'grep'?",
    "esxcfg-vswitch -d vSwitch9": "'vSwitch9' is no vSwitch of esx1; did you mean 'vSwitch0'?",
}


@pytest.mark.parametrize("line", LINES)
def test_an_unknown_name_is_an_error_with_the_nearest_word(esx_netflow, tmp_path, line):
    done = validate(esx_netflow, tmp_path, line)
    assert done.returncode == 2 and f": timeline[1].run: {LINES[line]}" in done.stderr
    assert "reaches nf1" not in done.stdout, "an export that does not start reaches nobody"


@pytest.mark.parametrize("expect", ["{exit: nonzero}", "{exit: 1}", "{exit: any}"])
@pytest.mark.parametrize("line", LINES)
def test_where_the_line_may_fail_it_is_a_note(esx_netflow, tmp_path, line, expect):
    done = validate(esx_netflow, tmp_path, line, f", expect: {expect}")
    assert (done.returncode, done.stderr) == (0, "")
    assert f": info: timeline[1].run: {LINES[line]}" in done.stdout and "(the line may fail)\n" in done.stdout
    assert "reaches nf1" not in done.stdout


@pytest.mark.parametrize("tail", [" || true", "; true", " &"])
def test_where_the_line_may_end_well_all_the_same_it_is_a_warning(esx_netflow, tmp_path, tail):
    done = validate(esx_netflow, tmp_path, "vmkload_mod netflo" + tail)
    assert (
        done.returncode == 0
        and ": warning: timeline[1].run: 'netflo' is no module; did you mean 'netflow'?" in done.stderr
    )


@pytest.mark.parametrize(
    "line",
    [
        "/usr/lib/vmware/bin/vmkload_app -S -i vmktcp /usr/lib/vmware/bin/net-netflow -e vSwitch0 10.6.125.84",
        "vmkload_mod /usr/lib/vmware/vmmod/netflow",
        "echo $UNKNOWN netflo",
    ],
)
def test_what_is_there_is_not_named(esx_netflow, tmp_path, line):
    done = validate(esx_netflow, tmp_path, line)
    assert (done.returncode, done.stderr) == (0, "") and " is no " not in done.stdout
