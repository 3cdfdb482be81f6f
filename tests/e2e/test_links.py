# SPDX-License-Identifier: GPL-2.0-only
"""Links of a scenario: duplex, the time of a frame, losses in bursts."""

import json
import re

from labs import lab, summary, table, write

LINK = "{name: collector-link, endpoints: [nf1:eth0, sw1:1]}"


def link(keys: str) -> str:
    text = lab()
    assert LINK in text
    return text.replace(LINK, LINK[:-1] + f", {keys}}}")


def test_a_half_duplex_link_refuses_what_only_a_full_duplex_one_takes(esx_netflow, tmp_path):
    own = "ns3::EsxEthernetNetDevice"
    for keys, step, said in (
        ("", "down: true", "timeline[0].down: link 'collector-link' is half duplex: it cannot be cut"),
        ("", "set: {rate: 1Mbps}", "timeline[0].set.rate: link 'collector-link' is half duplex: only a full"),
        ("", "set: {queue: 9p}", f"only a full-duplex one takes {own}::QueueSize"),
        (", contention: none", "", "].contention: link 'collector-link' is half duplex: only a full"),
        (f", attributes: {{{own}::FrameOverhead: 0}}", "", f"only a full-duplex one takes {own}::FrameOverhead"),
    ):
        text = link(f"duplex: half{keys}")
        if step:
            text = text.replace("timeline:", f"timeline:\n  - {{at: 5s, for: 1s, link: collector-link, {step}}}")
        for command in ("validate", "run"):
            done = esx_netflow(command, write(tmp_path, text), cwd=tmp_path)
            assert done.returncode == 2 and said in done.stderr, done


def test_a_half_duplex_link_takes_what_it_shares_with_full_duplex_ones(esx_netflow, tmp_path):
    text = link("duplex: half, contention: queue, rate: 10Mbps, delay: 1us, queue: 9p")
    assert esx_netflow("validate", write(tmp_path, text)).returncode == 0
    text = link("duplex: half").replace("timeline:", "timeline:\n  - {at: 1s, link: collector-link, set: {loss: 1}}")
    assert esx_netflow("run", write(tmp_path, text), "--out", tmp_path / "out", "--quiet", cwd=tmp_path).returncode == 0
    (drops,) = summary(tmp_path / "out")["links"]
    assert drops["name"] == "collector-link" and drops["dropped"]["errors"] > 0


def test_a_link_without_contention_loses_nothing_to_congestion(esx_netflow, tmp_path):
    for contention in ("queue", "none"):
        out = tmp_path / contention
        done = esx_netflow(
            "run", write(tmp_path, link(f"rate: 200bps, queue: 1p, contention: {contention}")), "--out", out, "--quiet"
        )
        assert done.returncode in (0, 1), done
        dropped = sum(drops["dropped"]["queue"] for drops in summary(out)["links"])
        assert (dropped > 0) == (contention == "queue")
        (told,) = [of for of in json.loads((out / "lab.json").read_text())["links"] if of["name"] == "collector-link"]
        assert told.get("contention", "queue") == contention


def test_what_waits_at_a_link_without_contention_is_refused(esx_netflow, tmp_path):
    for keys, step, said in (
        ("contention: none, queue_disc: {kind: fq_codel}", "", "contention: none: nothing would wait in the link's"),
        ("contention: none", "set: {queue: 9p}", "timeline[0].set.queue: nothing waits at link 'collector-link'"),
        ("contention: maybe", "", "contention: 'maybe' is not allowed; allowed: one of queue, none"),
    ):
        text = link(keys)
        if step:
            text = text.replace("timeline:", f"timeline:\n  - {{at: 5s, for: 1s, link: collector-link, {step}}}")
        done = esx_netflow("validate", write(tmp_path, text))
        assert done.returncode == 2 and said in done.stderr, done


def test_links_without_contention_bound_nothing(esx_netflow, tmp_path):
    text = re.sub(r"(endpoints: \[[^]]*\])", r"\1, contention: none", lab())
    done = esx_netflow("validate", "--json", write(tmp_path, text))
    assert json.loads(done.stdout)["lab"]["capacity"] == {"bits_per_s": None, "links": []}, done


def test_the_octets_of_preamble_and_gap_are_an_attribute(esx_netflow, tmp_path):
    times = {}
    for octets in (20, 0):
        text = link(f"rate: 1Mbps, attributes: {{ns3::EsxEthernetNetDevice::FrameOverhead: {octets}}}")
        assert (
            esx_netflow(
                "run", write(tmp_path, text), "--out", tmp_path / f"{octets}", "--quiet", cwd=tmp_path
            ).returncode
            == 0
        )
        times[octets] = int(table(tmp_path / f"{octets}", "datagrams.csv")[-1]["concluded_ns"])
    assert times[20] - times[0] == 20 * 8 * 1000  # at 1 Mbit/s


def test_burst_loss_in_an_episode_begins_and_ends_with_it(esx_netflow, tmp_path):
    text = (
        link("rate: 1Gbps")
        .replace(
            "timeline:",
            "timeline:\n  - {at: 4s, for: 2s, link: collector-link, set: {burst_loss: {enter: 1, leave: 0}}}",
        )
        .replace("stop: 3s", "stop: 12s")
    )
    text = text.replace(
        "app: udp-cbr, from: esx1-a, to: esx1-b, port: 5060,",
        "app: flows, from: esx1-a, to: esx1-b, every: 100ms, flow_packets: 1,",
    ).replace(", rate: 64kbps", "")
    assert esx_netflow("run", write(tmp_path, text), "--out", tmp_path / "out", "--quiet", cwd=tmp_path).returncode == 0
    fates = [(4 <= int(row["sent_ns"]) / 1e9 < 6, row["fate"]) for row in table(tmp_path / "out", "datagrams.csv")]
    assert {fate for bad, fate in fates if bad} == {"lost_channel_error"} and {
        fate for bad, fate in fates if not bad
    } == {"received"}
