# SPDX-License-Identifier: GPL-2.0-only
"""Labs that can be split, drawn at random: every way in which a host loses data, and a network that loses, delays,
copies and reorders."""

import random

_APPS = (
    "app: udp-cbr, port: 9, rate: {rate}kbps, packet: {size}B",
    (
        "app: udp-on-off, port: 10, rate: {rate}kbps, packet: {size}B, burst: exponential(500ms), pause: "
        "exponential(500ms), may_be_silent: true"
    ),
    "app: tcp-request, port: 80, every: exponential(100ms), request: 1kB, response: exponential({size}0B)",
    "app: tcp-syn-scan, ports: 1-{rate}, every: 1ms",
    "app: tcp-bulk, port: 22, size: {size}kB",
    "app: icmp-echo, every: 100ms, packet: {size}B",
    (
        "app: flows, every: exponential(20ms), flow_duration: exponential(1s), flow_packets: uniform(1 30), "
        "packet_size: uniform(60B {size}B)"
    ),
)


def _host(draw, number):
    trunk = draw.random() < 0.3
    uplinks = "vmnic0, vmnic1" if draw.random() < 0.4 else "vmnic0"
    settings = [f"purgatory_max: {draw.choice((8, 64, 4096))}", f"idle_timeout: {draw.choice(('1s', '5s', '15s'))}"]
    settings += draw.sample(
        [
            "meter_own_export: false",
            "sequence_mode: AtExpiry",
            "expire_on_tcp_end: true",
            "max_entries: 20",
            "initial_sequence: 4294967290",
        ],
        2,
    )
    vlan = 20 if trunk else 0
    vms = "\n".join(
        f"      vm{number}-{vm}: {{nics: [{{portgroup: P, address: 10.1.{number}.{vm}/16}}]}}" for vm in (1, 2, 3)
    )
    text = f"""  esx{number}:
    memory: {{netflow_heap: {draw.choice(("32KiB", "1MiB", "8MiB"))}}}
    netflow: {{{", ".join(settings)}}}
    vswitches: {{vSwitch0: {{uplinks: [{uplinks}], portgroups: {{P: {{vlan: {vlan}}}, K: {{vlan: {vlan}}}}}}}}}
    vmknics: {{vmk0: {{portgroup: K, address: 10.1.0.{number}/16}}}}
    vms:
{vms}
"""
    return text, uplinks.split(", "), "{mode: trunk}" if trunk else "{mode: access, vlan: 20}"


def _traffic(draw, number):
    for app in draw.sample(_APPS, 2):
        one, other = draw.sample((1, 2, 3), 2)
        what = app.format(rate=draw.randint(20, 900), size=draw.randint(65, 1400))
        yield (
            f"  - {{name: t{number}-{app.partition(',')[0][5:]}, {what}, from: vm{number}-{one}, to: "
            f"vm{number}-{other}, start: {draw.randint(1500, 5000)}ms, stop: {draw.randint(8, 18)}s}}"
        )


def _outside(draw, number):
    """One way, to a server: frames of several hosts meet at switches."""
    app = draw.choice(
        (
            "app: udp-cbr, port: 7, rate: 400kbps, packet: 500B",
            "app: flows, every: 10ms, flow_duration: 1s, flow_packets: 5, packet_size: 500B",
        )
    )
    return f"  - {{name: out{number}, {app}, from: vm{number}-1, to: srv, start: 2s, stop: 15s}}"


def _timeline(draw, number, collector, uplinks):
    period = draw.choice((100, 500, 700, 1000))
    options = draw.choice(("", "-p ", "-v "))
    yield f"  - {{at: 1s, host: esx{number}, run: vmkload_mod netflow}}"
    yield (
        f"  - {{at: {draw.choice(('1s', '1234ms'))}, host: esx{number}, id: n{number}, run: "
        f"vmkload_app -S -i vmktcp net-netflow {options}-s {period} -e vSwitch0 {collector}, may_be_idle: true}}"
    )
    off = f"  - {{at: 7s, vm: vm{number}-2, power: off}}"
    yield draw.choice(
        (
            *[off] * (uplinks == 1),
            (
                f"  - {{at: 9s, signal: TERM, process: n{number}}}\n  - {{at: 11s, host: esx{number}, run: "
                f"vmkload_app -S -i vmktcp net-netflow -e vSwitch0 {collector}, may_be_idle: true}}"
            ),
            f"  - {{at: 6s, for: 4s, host: esx{number}, memory_pressure: {{netflow_heap: 20KiB}}}}",
            f"  - {{at: 12s, host: esx{number}, run: cat /var/log/vmkernel}}",
        )
    )


def draw_lab(seed):
    draw = random.Random(seed)
    hosts, links, traffic, timeline, ports = "", [], [], [], []
    for number in range(1, draw.randint(2, 4) + 1):
        text, uplinks, port = _host(draw, number)
        hosts += text
        switch = draw.choice((1, 2))
        for uplink in uplinks:
            at = len(links) + 1
            ports.append((switch, at, port))
            links.append(
                f"  - {{endpoints: [esx{number}:{uplink}, sw{switch}:{at}], rate: {draw.choice(('1Mbps', '100Mbps'))}, "
                f"queue: {draw.choice((3, 100))}p}}"
            )
        traffic += _traffic(draw, number)
        traffic += [_outside(draw, number)] * draw.choice((0, 1))
        timeline += _timeline(draw, number, draw.choice(("10.1.9.1", "10.1.9.2")), len(uplinks))
    every = draw.choice(("0s", "1s", "700ms"))
    tables = {switch: ", ".join(f"{at}: {port}" for of, at, port in ports if of == switch) for switch in (1, 2)}
    half = ", duplex: half" if draw.random() < 0.3 else f", queue: {draw.choice((5, 50))}p"
    return f"""version: 1
name: lab{seed}
run: {{duration: 20s, seed: {seed + 1}, arp: static}}
hosts:
{hosts}nodes:
  sw1: {{kind: switch, ports: {{{tables[1]}{", " * bool(tables[1])}90: {{mode: trunk}}, 91: {{mode: access, \
vlan: 20}}}}}}
  sw2: {{kind: switch, ports: {{{tables[2]}{", " * bool(tables[2])}90: {{mode: trunk}}, 91: {{mode: access, \
vlan: 20}}, 92: {{mode: access, vlan: 20}}}}}}
  srv: {{kind: server, address: 10.1.9.3/16}}
  nf1: {{kind: collector, address: 10.1.9.1/16, service_time: {draw.choice(("0ms", "20ms"))}, receive_buffer: 9kB}}
  nf2: {{kind: collector, address: 10.1.9.2/16}}
links:
{chr(10).join(links)}
  - {{name: between, endpoints: [sw1:90, sw2:90], rate: 2Mbps, loss: 0.05, duplicate: 0.05, reorder: 0.05}}
  - {{name: nf1-link, endpoints: [nf1:eth0, sw1:91], rate: {draw.choice(("300kbps", "100Mbps"))}{half}}}
  - {{endpoints: [nf2:eth0, sw2:91]}}
  - {{endpoints: [srv:eth0, sw2:92]}}
traffic:
{chr(10).join(traffic)}
timeline:
{chr(10).join(timeline)}
  - {{at: 8s, for: 3s, link: between, set: {{rate: 100kbps, loss: 0.3}}}}
expect:
  - {{name: conserved, check: conservation}}
  - {{name: received, metric: collector.records.received, during: 4s..12s, at_least: 0}}
  - {{name: shed, metric: netflow.packets.shed, during: 4s..12s, at_least: 0}}
  - {{name: waiting, metric: netflow.purgatory.high_water, during: 0s..9s, at_least: 0}}
  - {{name: frames, metric: vswitch.frames.in, during: 5s..9s, at_least: 0}}
  - {{name: told, log: esx1, contains: NetFlow}}
  - {{name: lost, metric: flow.octets.lost, at_least: 0}}
  - {{name: use, metric: link.use, link: between, from: sw1, at_least: 0}}
outputs: {{series: {{every: {every}}}}}
"""
