# SPDX-License-Identifier: GPL-2.0-only
"""Each expectation of the scenarios of loss fails when its cause is removed.

A change is a piece of the scenario's text and what replaces it everywhere (all lines with the piece go if that is
None).
"""

import pytest
import yaml
from labs import SCENARIOS, summary

LOW = "together: 6, flows: 18000"
CHANGES = [
    # scenario, what is changed, [(piece, replacement)], expectations that must fail
    ("purgatory-knee", "more load", [("together: 3, flows: 9000", "together: 5, flows: 15000")],
        {"3000 a second pass"}),
    ("purgatory-knee", "another flow", [("every: 1.953125ms, together: 8", "every: 2ms, together: 9")],
        {"4096 a second just pass", "below the knee it is silent"}),
    ("purgatory-knee", "less load", [("together: 8, flows: 12288", "together: 7, flows: 12288")],
        {"and fill the purgatory to its last place"}),
    ("purgatory-knee", "load below the knee", [("together: 5, flows: 15000", "together: 4, flows: 12000"),
        (LOW, "together: 4, flows: 12000")], {"of 5000 a second 904 are lost", "of 6000 a second 1904 are lost",
        "the kernel says so", "and how many it lost"}),
    ("purgatory-knee", "a larger bound", [("purgatory_policy: HeadDrop, sequence_mode: AtExpiry}",
        "purgatory_max: 8192}")], {"of 6000 a second 1904 are lost"}),
    ("purgatory-knee", "numbers at expiry", [("sequence_mode: AtExpiry", "sequence_mode: AtSend")],
        {"the collector misses all that it can"}),
    ("purgatory-knee", "a short queue", [("endpoints: [nf1:eth0, sw1:5], queue: 1000p",
        "endpoints: [nf1:eth0, sw1:5], queue: 10p, rate: 1Mbps")], {"nothing else is lost"}),
    ("poll-period", "the long period", [("net-netflow -s 1000 ", "net-netflow -s 100 ")],
        {"at -s 1000 a third is lost"}),
    ("poll-period", "the short period", [("net-netflow -s 100 ", "net-netflow -s 1000 ")],
        {"at -s 100 nothing is lost"}),
    ("poll-period", "the coarse scan", [("netflow: {scan_interval: 1s}", "netflow: {scan_interval: 10ms}")],
        {"and -s changes nothing"}),
    ("poll-period", "the bound", [("netflow: {scan_interval: 1s}",
        "netflow: {scan_interval: 1s, purgatory_max: 8192}")],
        {"with a coarse scan as much is lost", "and -s changes nothing"}),
    ("memory-pressure", "the growing VM", [("grow: {", None)],
        {"the host is short of memory", "the heap may not grow", "DropNew sheds packets of new flows",
        "but ends records early", "EvictOldestDrop loses them"}),
    ("memory-pressure", "reservations", [("reservation: 7600MiB", "reservation: 4GiB")],
        {"DropNew sheds packets of new flows"}),
    ("memory-pressure", "the delay", [("at: 26s, vm", "at: 5s, vm")], {"before the VMs grow nothing is shed"}),
    ("memory-pressure", "the policy", [("cache_policy: EvictOldest}", "cache_policy: DropNew}")],
        {"EvictOldest sheds nothing", "but ends records early"}),
    ("memory-pressure", "the other policy", [("cache_policy: EvictOldest}", "cache_policy: EvictOldestDrop}"),
        ("cache_policy: DropNew}", "cache_policy: EvictOldestDrop}")],
        {"and loses none of them", "and loses no record"}),
    ("syn-flood", "the slow link", [("rate: 64kbps, queue: 10p", "rate: 100Mbps, queue: 1000p")],
        {"first the export link binds"}),
    ("syn-flood", "the end of the first bound", [("at: 60s, link: collector-link", "at: 85s, link: collector-link")],
        {"and nothing else, at last"}),
    ("syn-flood", "the bound of the purgatory", [("purgatory_max: 1024", "purgatory_max: 8192"),
        ("netflow_heap: 1MiB", "netflow_heap: 1472KiB")], {"then the purgatory"}),
    ("syn-flood", "a tighter bound of the purgatory", [("purgatory_max: 1024", "purgatory_max: 200")],
        {"and nothing else", "and neither of the others"}),
    ("syn-flood", "the bound of the heap", [("netflow_heap: 1MiB", "netflow_heap: 4MiB")], {"then the heap"}),
    ("congested-collector-link", "the cross traffic", [("name: cross,", None)], {"beside the bursts it does not"}),
    ("congested-collector-link", "the pauses", [("start: 30s, stop: 60s", "start: 10s, stop: 90s")],
        {"the link alone carries the export", "after the bursts it does again"}),
    ("congested-collector-link", "the route", [("-e vSwitch0 10.6.125.84", "-e vSwitch0 10.99.0.1")],
        {"net-netflow sent them all"}),
    ("collector-down-and-back", "the process's absence", [("node: nf1, down: true", None)],
        {"a process that is down refuses"}),
    ("collector-down-and-back", "the return of the process", [("at: 40500ms, for: 20s", "at: 20500ms, for: 70s")],
        {"at first nothing is lost", "it is back", "and collects"}),
    ("collector-down-and-back", "the cut", [("link: collector-link, down: true", None)],
        {"a cut cable swallows", "the collector knows of the cut only"}),
    ("collector-down-and-back", "the end of the cut", [("at: 80500ms, for: 20s", "at: 80500ms, for: 35s")],
        {"it is mended", "a cut cable swallows"}),
    ("lossy-wan", "the loss", [("loss: 0.2", "loss: 0"), ("loss: 0.1", "loss: 0"), ("loss: 0.05", "loss: 0")],
        {"5 % of the octets", "10 % of the octets", "20 % of the octets", "20 % of the records",
        "but a third of the octets"}),
    ("lossy-wan", "the good link", [("endpoints: [equal0:vmnic0, sw1:1], delay: 30ms",
        "endpoints: [equal0:vmnic0, sw1:1], loss: 0.05")], {"no loss"}),
    ("lossy-wan", "the heavy tail", [("flow_packets: pareto(1 1)", "flow_packets: 2")], {"but a third of the octets"}),
    ("reordering", "the reordering", [("reorder: 0.2", "reorder: 0"), ("duplicate: 0.05", "duplicate: 0")],
        {"the collector sees late datagrams", "and copies", "and complains", "it counts more records than were sent"}),
    ("reordering", "the duplication", [("duplicate: 0.05", "duplicate: 0")],
        {"and copies", "it counts more records than were sent"}),
    ("reordering", "loss in place of reordering", [("reorder: 0.2", "loss: 0.2")],
        {"nothing is lost", "the collector sees late datagrams", "and misses nothing in the end"}),
    ("reordering", "the cut", [("link: straight, down: true", None)],
        {"a cut loses ten seconds' records", "and the estimate is the truth"}),
    ("uptime-wrap", "the uptime", [("uptime_at_start: 4294920s", "uptime_at_start: 0s")], {"records wrap"}),
    ("uptime-wrap", "the good link", [("endpoints: [nf1:eth0, sw1:2]", "endpoints: [nf1:eth0, sw1:2], loss: 0.2")],
        {"no engine's sequence is disturbed", "nothing is lost"}),
    ("elephant", "the octets", [("flow_packets: 500000", "flow_packets: 400000")],
        {"the record was split", "and nothing truncated", "in two records"}),
    ("self-metering", "the metering of own export", [("    vswitches:",
        "    netflow: {meter_own_export: false}\n    vswitches:")], {"nothing is left out", "the loop has settled"}),
    ("many-vswitches", "a vSwitch", [(",vSwitch126 ", " ")],
        {"127 vSwitches have 100 flows each", "ten polls send a datagram for each vSwitch"}),
    ("many-vswitches", "-p", [("net-netflow -p -e", "net-netflow -e")], {"all their ports differ"}),
    ("many-vswitches", "the good link", [("queue: 200p", "queue: 200p, loss: 0.1")],
        {"no engine's sequence is disturbed", "nothing is lost"}),
    ("active-timeout-artifacts", "the long flows", [("flow_duration: 900s", "flow_duration: 200s")],
        {"at 300 s 20 flows are 60 records", "at 60 s they are 300"}),
    ("active-timeout-artifacts", "the shorter timeout", [("active_timeout: 60s, ", "")], {"at 60 s they are 300"}),
    ("active-timeout-artifacts", "the pauses", [("flow_duration: 180s", "flow_duration: 90s")],
        {"each of ten packets with pauses is a record"}),
    ("active-timeout-artifacts", "the good link", [("endpoints: [active60:vmnic0, sw1:2]",
        "endpoints: [active60:vmnic0, sw1:2], loss: 0.2")], {"and no octet is lost by it"}),
    ("cisco-active-flows", "fewer flows", [("flows: 10000,", "flows: 9000,"), ("flows: 45000", "flows: 40500"),
        ("flows: 65000", "flows: 48000")], {"10 000 active flows", "take 80 octets each of the heap",
        "45 000 active flows", "take so much more", "65 000 active flows", "and more", "they take it whole",
        "49 152 fit into the default heap", "of the rest both packets are shed"}),
    ("cisco-active-flows", "smaller heaps", [("1038KiB", "1036KiB"), ("3772KiB", "3770KiB"), ("5335KiB", "5333KiB")],
        {"fit into 1038 KiB", "fit into 3772 KiB", "fit into 5335 KiB"}),
    ("cisco-active-flows", "the time between flows", [("every: 1ms", "every: 2ms"),
        ("every: 2ms, together", "every: 3ms, together")],
        {"1000 records a second are exported", "and 4500", "and 6500"}),
    ("cisco-active-flows", "the fast poll", [("-s 100 ", "-s 1000 ")], {"nothing is dropped"}),
    ("cisco-active-flows", "the long queue", [("endpoints: [nf1:eth0, sw1:5], queue: 1000p",
        "endpoints: [nf1:eth0, sw1:5], queue: 10p, rate: 1Mbps")], {"nor lost"}),
    ("kandula-imc09", "the shorter timeout", [("active_timeout: 60s, ", "")], {"at 60 s many are"}),
    ("kandula-imc09", "the short flows", [("10s=0.8 200s=0.999", "10s=0.2 200s=0.5")],
        {"at 300 s hardly a flow is split", "at 60 s many are"}),
    ("kandula-imc09", "the good link", [("endpoints: [nf1:eth0, sw1:3]", "endpoints: [nf1:eth0, sw1:3], loss: 0.1")],
        {"and no octet is lost by it"}),
    ("trammell-pam11", "the zeroed field", [("netflow: {zero_unix_nsecs: true}", "netflow: {}")],
        {"unix_nsecs zeroed"}),
    ("trammell-pam11", "the exact field", [("  exact:", "  exact:\n    netflow: {zero_unix_nsecs: true}")],
        {"both clocks together"}),
    ("full-duplex", "full duplex", [("name: full, endpoints: [full1:vmnic0, full2:vmnic0], rate: 100Mbps",
        "name: full, endpoints: [full1:vmnic0, full2:vmnic0], rate: 100Mbps, duplex: half")],
        {"full duplex delivers all to one end", "and to the other"}),
    ("full-duplex", "half duplex", [(", duplex: half", "")], {"half duplex loses at one end", "and at the other"}),
    ("branch-offices", "the load of the north", [("rate: 600kbps", "rate: 300kbps")],
        {"the WAN of the north is full", "for 100 frames that it sends the north's drops 28", "its queue was full",
        "exports of the north die behind the work of their instants"}),
    ("branch-offices", "the room of the south", [("south-router:eth1], rate: 2Mbps",
        "south-router:eth1], rate: 1Mbps")], {"that of the south is not", "the south loses no frame"}),
    ("branch-offices", "the phase", [("start: 5s, stop: 55s, rate: 600kbps",
        "start: 5003ms, stop: 55s, rate: 600kbps")], {"exports of the north die behind the work of their instants"}),
    ("branch-offices", "the way to the collector", [("endpoints: [nf1:eth0, hq-switch:6]",
        "endpoints: [nf1:eth0, hq-switch:6], loss: 0.5")],
        {"of what the north sends to the head office all is metered there that arrives", "and no record"}),
    ("routed-wan", "the independent losses", [("loss: 0.1}", "loss: 0}")],
        {"independent losses take a tenth", "each a gap of its own", "fragments double the losses"}),
    ("routed-wan", "the bursts", [("burst_loss: {enter: 0.0111111111, leave: 0.1}", "loss: 0.1")], {"in few gaps"}),
    ("routed-wan", "the burst losses", [(", burst_loss: {enter: 0.0111111111, leave: 0.1}", "")],
        {"bursts take as many", "in few gaps"}),
    ("routed-wan", "the fragments", [(", mtu: 1400", "")], {"fragments double the losses"}),
    ("routed-wan", "a route", [("to: 10.9.3.0/24", None)], {"every router knows the way"}),
    ("migration", "the moves", [("vmotion: {", None)], {"afterwards it goes on there", "a port of esx1 is given up",
        "for one of esx2", "the notice keeps the loss to the downtime"}),
    ("migration", "a late move", [("at: 30500ms, vm: web1", "at: 10500ms, vm: web1")],
        {"before the move the connection is not at esx2", "with the record of the connection"}),
    ("migration", "the notice", [("portgroups: {VM Network: {}, VMkernel: {}}",
        "teaming: {notify: false}, portgroups: {VM Network: {}, VMkernel: {}}")],
        {"the notice keeps the loss to the downtime"}),
    ("migration", "the flood", [("name: flood,", None)],
        {"the purgatory of esx1 overflows", "with the record of the connection"}),
    ("migration", "the flood at esx2 too", [("  esx2:\n", "  esx2:\n    netflow: {purgatory_max: 1}\n")],
        {"esx2 loses none"}),
    ("server-farm", "the hours", [("    hours: [", None), ("compress: 360", "compress: 1")],
        {"few clients come by night"}),
    ("server-farm", "the busy day", [("every: exponential(50ms)", "every: exponential(500ms)")], {"many by day"}),
    ("server-farm", "the popularity", [("{network: 198.18.0.0/16, weight: 3}",
        "{network: 198.18.0.0/16, weight: 3, zipf: 0}")], {"one address in 2000 sends a tenth of the flows"}),
    ("server-farm", "the weight of its pool", [("{network: 198.18.0.0/16, weight: 3}",
        "{network: 198.18.0.0/16, weight: 1}")], {"one address in 2000 sends a tenth of the flows"}),
    ("server-farm", "the answers", [("    answers: {rtt", None)], {"web1 answers more octets than it gets"}),
    ("server-farm", "the questions", [("name: names, app: flows, from: web1, to: net, stop: 240s",
        "name: names, app: flows, from: web1, to: net, stop: 200s")], {"and asks for names"}),
    ("server-farm", "the keys that come again", [("again: 0.5, ", "")],
        {"half of them from a port that it used before"}),
    ("server-farm", "the database", [("name: sql,", None)], {"its database answers beside that"}),
    ("server-farm", "the good link", [("endpoints: [nf1:eth0, sw1:2]", "endpoints: [nf1:eth0, sw1:2], loss: 0.1")],
        {"nothing is lost"}),
    ("losses", "the scan", [("name: scan, app:", None)], {"the scan overruns the purgatory"}),
    ("losses", "the pressure", [("memory_pressure:", None), ("netflow_heap: 1MiB", "netflow_heap: 8MiB")],
        {"pressure sheds packets"}),
    ("losses", "the squeeze", [("set: {rate: 8kbps, queue: 5p}", None), ("link: collector-link, down: true", None)],
        {"export loss while squeezed"}),
    ("ignore-engine", "the disregard of engines", [("{kind: collector, address: 10.6.125.84/24, ignore_engine: true}",
        "{kind: collector, address: 10.6.125.84/24}")], {"three ports are two interfaces to a collector "
        "that ignores engines"}),
    ("ignore-engine", "-p", [("net-netflow -p -e", "net-netflow -e")], {"with -p they are three"}),
    ("port-aliasing", "the good link", [("endpoints: [nf-collector1:eth0, sw1:2]",
        "endpoints: [nf-collector1:eth0, sw1:2], loss: 0.5")], {"nothing is lost on the way"}),
    ("technote", "the short flow queue", [("purgatory_max: 50,", "purgatory_max: 5000,")],
        {"the short flow queue drops flows"}),
    ("technote", "the long flow queue", [("  esx1: # the note's examples\n",
        "  esx1:\n    netflow: {purgatory_max: 1, active_timeout: 1s, scan_interval: 1s}\n")],
        {"the other one drops none"}),
    ("two-hosts", "the bound of the purgatory", [("purgatory_max: 1024", "purgatory_max: 8192")],
        {"the scan overruns the purgatory", "the kernel says so"}),
    ("two-hosts", "the late scan", [("start: 120s, stop: 150s", "start: 90s, stop: 120s")],
        {"nothing is lost before the first episode"}),
    ("two-hosts", "the pressure", [("memory_pressure:", None)], {"pressure sheds packets"}),
    ("two-hosts", "the squeeze", [("set: {rate: 4kbps, queue: 5p}", None), ("link: collector-link, down: true", None)],
        {"export loss while squeezed"}),
    ("two-hosts", "the VLAN", [("2: {mode: trunk, allowed: [101, 102]}", "2: {mode: trunk, allowed: [102]}")],
        {"VLAN 101 reaches the database"}),
    ("two-hosts", "-p", [("net-netflow -p -s", "net-netflow -s"), ("-s 100 -p -e", "-s 100 -e")],
        {"-p port ids are unique"}),
    ("quickstart", "the bound", [("  esx1:\n", "  esx1:\n    netflow: {purgatory_max: 1}\n")], {"no record is lost"}),
]  # fmt: skip


def changed(text: str, changes) -> str:
    for piece, replacement in changes:
        assert piece in text, f"the scenario has no {piece!r}"
        if replacement is None:
            text = "".join(line for line in text.splitlines(True) if piece not in line)
        else:
            text = text.replace(piece, replacement)
    return text


@pytest.mark.parametrize(
    "name, what, changes, expectations", CHANGES, ids=[f"{c[0]}-{c[1].replace(' ', '_')}" for c in CHANGES]
)
def test_without_its_cause_the_expectation_fails(esx_netflow, tmp_path, name, what, changes, expectations):
    path = tmp_path / "changed.yaml"
    path.write_text(changed((SCENARIOS / f"{name}.yaml").read_text(), changes))
    done = esx_netflow("run", path, "--out", tmp_path / "out", "--quiet", cwd=tmp_path)
    assert done.returncode == 1, done
    failed = {e["name"] for e in summary(tmp_path / "out")["expectations"] if not e["pass"]}
    assert expectations <= failed, expectations - failed


EXEMPT = {
    # no change of a scenario unbalances the books: faults planted in the ledger do (tests/mutate)
    "every packet is accounted for",
}


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_expectation_has_a_change_that_it_notices(path):
    expectations = {entry["name"] for entry in yaml.safe_load(path.read_text()).get("expect", [])}
    noticed = set().union(*(change[3] for change in CHANGES if change[0] == path.stem))
    assert noticed <= expectations
    assert expectations - noticed <= EXEMPT, expectations - noticed - EXEMPT
