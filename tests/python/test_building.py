# SPDX-License-Identifier: GPL-2.0-only
"""Labs built by typed methods: what they give is what a file says, and a checker knows their keys."""

import json
import re
from datetime import timedelta

import numpy as np
import pytest

import esx_netflow
from conftest import QUICKSTART, ROOT
from esx_netflow import Lab, Scenario
from esx_netflow.quantities import text_of

SCHEMA = json.loads((ROOT / "runner" / "scenario" / "scenario.schema.json").read_text())


def quickstart():
    lab = Lab("quickstart", timedelta(minutes=1), Scenario.load(QUICKSTART)["summary"], seed=1)
    h = lab.host("esx1")
    v = h.vswitch(uplink="vmnic0")
    v.portgroup("VM Network")
    v.portgroup("VMkernel")
    h.vmknic("10.6.125.11/24", "VMkernel")
    web, db, phone = (
        h.vm(name, f"10.6.125.{i}/24", "VM Network") for i, name in enumerate(("web1", "db1", "phone"), 51)
    )
    sw = lab.switch("sw1")
    nf = lab.collector("nf-collector1", "10.6.125.84/24")
    lab.link(h, sw)
    lab.link(nf, sw, name="collector-link", rate=100e6)
    lab.request(web, db, name="queries", port=3306, start=3, stop=40, response=8000, every="exponential(100ms)")
    lab.bulk(db, web, name="backup", port=22, start=5, stop="30s", size=20_000_000)
    lab.cbr(
        phone,
        web,
        name="voice",
        port=np.int64(5060),
        start=timedelta(seconds=3),
        stop=40,
        rate=np.float64(64e3),
        dscp=46,
    )
    lab.step(1, host=h, run="vmkload_mod netflow")
    lab.step(2, host=h, id="nf1", run="vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.6.125.84:2055")
    lab.expect("every packet is accounted for", check="conservation")
    lab.expect("no record is lost", metric="netflow.records.dropped", equals=0)
    return lab


def same_quantities(value):
    """Texts of one quantity alike, whatever the unit."""
    text = json.dumps(value)
    return (
        text.replace('"100000000bps"', '"100Mbps"')
        .replace('"8000B"', '"8kB"')
        .replace('"20000000B"', '"20MB"')
        .replace('"64000bps"', '"64kbps"')
    )


def test_the_quickstart_built_in_python_is_that_of_the_file():
    built, read = quickstart(), Scenario.load(QUICKSTART)
    for each in (built, read):
        each.data["expect"] = each.data["expect"][:2]
    assert json.loads(same_quantities(built.resolved().data)) == json.loads(same_quantities(read.resolved().data))


def test_six_lines_of_a_first_notebook_run():
    lab = Lab("first", duration=10)
    h = lab.host("esx1")
    h.vswitch("vSwitch0", uplink="vmnic0")
    h.vmknic("10.0.0.1/24")
    nf = lab.collector("nf", "10.0.0.9/24")
    wire = lab.link(h, nf, rate="10Mbps")
    vm, db = h.vm("web", "10.0.0.11/24"), h.vm("db", "10.0.0.12/24")
    lab.cbr(vm, db, rate="1Mbps", start=2)
    h.export(nf)
    result = esx_netflow.run(lab)
    assert result.verdict == "pass" and result.ledger.collected.packets + result.ledger.left["live"].packets > 4000
    assert wire.name == result.scenario.data["links"][0]["name"] and lab["links.0.rate"] == "10Mbps"
    assert [step["run"] for step in lab.data["timeline"]] == [
        "vmkload_mod netflow",
        "vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.0.0.9:2055",
    ]


@pytest.mark.parametrize(
    "value, kind, text",
    [
        (1.5, "time", "1.5s"),
        (timedelta(days=2, microseconds=3), "time", "172800.000003s"),
        (1e-7, "time", "0.0000001s"),
        (10**10, "rate", "10000Mbps"),
        (1500, "bytes", "1500B"),
        (5 * 10**9, "bytes", "5000MB"),
        (2**30, "memory_size", "1024MiB"),
        (64, "queue", "64p"),
        (0.2, "interval", "0.2s"),
        ("exponential(1s)", "random_time", "exponential(1s)"),
        (np.float64(64e3), "rate", "64000bps"),
    ],
)
def test_numbers_get_the_unit_of_their_kind(value, kind, text):
    assert text_of(value, kind) == text
    definition = SCHEMA["definitions"][kind]
    assert value == 5 * 10**9 or re.fullmatch(definition["pattern"], text)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_refused_at_once(value):
    with pytest.raises(ValueError, match=f"{value} is no rate"):
        Lab("x").cbr("a", "b", rate=value)


def test_what_cannot_be_guessed_is_asked_for():
    lab = Lab("x")
    h = lab.host("esx1")
    with pytest.raises(ValueError, match="0 port groups"):
        h.vm("web", "10.0.0.1/24")
    v = h.vswitch(uplink="vmnic0")
    v.portgroup("a", vlan=5)
    v.portgroup("b")
    with pytest.raises(ValueError, match=r"2 port groups: portgroup= says which \(a, b\)"):
        h.vm("web", "10.0.0.1/24")
    with pytest.raises(ValueError, match="there is a host esx1 already"):
        lab.host("esx1")
    lab.link(v, lab.switch("sw"))
    with pytest.raises(ValueError, match="no free port"):
        lab.link(h, "sw:2")
    with pytest.raises(TypeError, match="sped"):
        lab.link("a:1", "b:1", sped=3)


def test_every_key_of_the_schema_can_be_given():
    import inspect

    def keys(part):
        return {
            key for key, entry in SCHEMA["definitions"][part]["properties"].items() if entry.get("x-later") is not True
        }

    def taken(*methods):
        return {name.rstrip("_") for method in methods for name in inspect.signature(method).parameters}

    traffic = [
        getattr(Lab, name) for name in ("cbr", "on_off", "bulk", "request", "syn_scan", "flows", "pcap", "icmp_echo")
    ]
    host, vm = esx_netflow.building.Host, esx_netflow.building.Vm
    for part, methods, by_other_means in (
        ("traffic", traffic, {"app"}),
        ("link", [Lab.link], {"endpoints"}),
        ("step", [Lab.step], set()),
        ("node", [Lab.switch, Lab.collector, Lab.server, Lab.internet, Lab.router], {"kind", "interfaces", "routes"}),
        ("routerinterface", [esx_netflow.building.Router.interface], set()),
        ("host", [Lab.host], {"vswitches", "vmknics", "vms"}),
        ("vm", [host.vm], {"nics"}),
        ("vnic", [host.vm, vm.nic], set()),
        ("expectation", [Lab.expect], {"name"}),
        ("run", [Lab.__init__], set()),
    ):
        assert keys(part) - by_other_means <= taken(*methods), part


def test_keywords_of_python_have_an_underscore_in_dicts_too():
    lab = quickstart()
    lab.step(5, link="collector-link", down=True, for_=timedelta(seconds=2))
    assert lab.data["timeline"][-1] == {"at": "5s", "link": "collector-link", "down": True, "for": "2s"}
    scenario = Scenario(
        traffic=[dict(name="t", app="udp-cbr", from_="a", to="b", rate=1e6, start=timedelta(seconds=2))]
    )
    assert scenario.data["traffic"] == [
        {"name": "t", "app": "udp-cbr", "from": "a", "to": "b", "rate": "1000000bps", "start": "2s"}
    ]


def test_dotted_paths_read_defaults_and_complete():
    scenario = Scenario.load(QUICKSTART)
    assert scenario["hosts.esx1.netflow.purgatory_max"] == 4096 and "hosts.esx1.netflow.purgatory_max" not in scenario
    known = scenario._ipython_key_completions_()
    assert {
        "hosts.esx1.netflow.purgatory_max",
        "links.collector-link.rate",
        "timeline.nf1.run",
        "timeline[0].run",
    } <= set(known)
    for path in known:
        scenario[path]  # what is offered can be read
    with pytest.raises(KeyError):
        scenario["hosts.esx1.netflow.purgatory"]


def test_jupyter_completes_what_a_part_takes():
    import jedi

    names = {c.name for c in jedi.Interpreter("h.", [{"h": Lab("x").host("e")}]).complete()}
    assert {"vswitch", "vm", "vmknic", "export"} <= names
    names = {c.name for c in jedi.Interpreter("lab.cbr(1, 2, ra", [{"lab": Lab("x")}]).complete()}
    assert "rate=" in names


def test_routers_and_servers_are_built_and_their_lab_runs(tmp_path):
    lab = Lab("routed", duration="20s", arp="static")
    host = lab.host("esx1", netflow={"idle_timeout": 1})
    host.vswitch("vSwitch0", uplink="vmnic0")
    vm = host.vm("web", "10.6.1.51/24", gateway="10.6.1.1")
    host.vmknic("10.6.1.11/24", gateway="10.6.1.1")
    near = lab.router("r1")
    far = lab.router("r2", routing="global")
    lan, wan = near.interface("10.6.1.1/24"), near.interface("192.168.0.1/30", mtu=1400)
    near.route("10.9.0.0/24", via="192.168.0.2")
    ends = far.interface("192.168.0.2/30"), far.interface("10.9.0.1/24", name="eth7.101"), far.interface("10.8.0.1/24")
    server, collector = (
        lab.server("srv", "10.9.0.20/24", gateway="10.9.0.1"),
        lab.collector("nf1", "10.8.0.84/24", gateway="10.8.0.1"),
    )
    near.route("10.8.0.0/24", via="192.168.0.2")
    sw = lab.switch("sw", ports={1: {"mode": "trunk"}, 2: {"mode": "access", "vlan": 101}})
    for a, b in ((host, lan), (wan, ends[0]), (ends[1], "sw:1"), (server, "sw:2"), (far, collector)):
        lab.link(a, b)
    assert (
        sw.name == "sw"
        and lab.data["links"][2]["endpoints"] == ["r2:eth7", "sw:1"]
        and lab.data["links"][4]["endpoints"] == ["r2:eth1", "nf1:eth0"]
    )
    lab.icmp_echo(vm, server, start=5, stop=10, every=0.5)
    host.export(collector)
    lab.expect("all comes back", metric="flow.packets.collected_ratio", vm=vm, at_least=1)
    result = esx_netflow.run(lab, out=tmp_path / "out")
    assert result.verdict == "pass", result


def test_an_internet_and_a_move_are_built_and_their_lab_runs(tmp_path):
    """The internet is the VM's gateway, on its own network."""
    lab = Lab("moving", duration="60s", arp="static")
    hosts = [lab.host("esx1"), lab.host("esx2")]
    switch, collector = lab.switch("sw"), lab.collector("nf1", "10.6.1.84/24")
    for i, host in enumerate(hosts, 1):
        host.vswitch("vSwitch0", uplink="vmnic0").portgroup("VM Network")
        host.vmknic(f"10.6.1.1{i}/24")
        lab.link(host, switch)
    vm = hosts[0].vm("web", "10.1.1.11/24", gateway="10.1.1.1")
    net = lab.internet("net", "10.1.1.1/24", pools=[{"network": "198.18.0.0/16", "weight": 2, "addresses": 20}])
    lab.link(net, switch)
    lab.link(collector, switch)
    lab.flows(
        net,
        vm,
        start=3,
        flows=200,
        every=0.1,
        flow_packets=1,
        services=[{"protocol": "udp", "port": 53}],
        answers={"rtt": 0.02, "packets": 2},
    )
    for host in hosts:
        host.export(collector)
    lab.step(10, vm=vm, vmotion={"to": hosts[1], "downtime": 0.25})
    lab.expect(
        "answers come from both hosts",
        metric="flow.packets.metered",
        flow="10.1.1.11:53->*",
        host="esx2",
        between=[250, 270],
    )
    lab.expect(
        "all but those of the downtime",
        metric="flow.packets.metered",
        flow="10.1.1.11:53->*",
        host="esx1",
        between=[130, 140],
    )
    result = esx_netflow.run(lab, out=tmp_path / "out")
    assert result.verdict == "pass", result
    assert {(nic["exporter"], nic["name"]) for nic in result.talkers().vms} == {("esx1", "web"), ("esx2", "web")}


def test_a_time_of_numpy_is_a_time_in_each_of_its_units_and_no_time_is_a_rate():
    for time in (
        np.timedelta64(2, "s"),
        np.timedelta64(2 * 10**9, "ns"),
        np.timedelta64(2_000, "ms"),
        timedelta(seconds=2),
    ):
        assert text_of(time, "time") == "2s"
        with pytest.raises(ValueError, match="2 s is no rate"):
            text_of(time, "rate")
    for none in (np.timedelta64("NaT"), float("nan")):
        with pytest.raises(ValueError, match="nan is no time"):
            text_of(none, "time")


@pytest.mark.parametrize("number", [10**30, 1e30, 10**310])
def test_a_number_of_any_size_is_told_as_the_scenario_has_it(number):
    """No error of Python's decimal: the reader of scenarios says what is allowed."""
    assert text_of(number, "rate") == f"{10 ** (30 if number < 10**31 else 310) // 10**6}Mbps"


def test_a_path_that_leads_nowhere_is_told_with_what_is_there():
    lab = Lab("x")
    lab.host("esx1").vswitch("vSwitch0")
    with pytest.raises(KeyError, match="hosts.esx2.netflow: there is no 'esx2'; did you mean 'esx1'"):
        lab["hosts.esx2.netflow"]
    lab["hosts.esx1"]
    with pytest.raises(KeyError, match="there is no 'purgatori_max'; did you mean 'purgatory_max'"):
        Scenario.load(QUICKSTART)["hosts.esx1.netflow.purgatori_max"]
