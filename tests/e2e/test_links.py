# SPDX-License-Identifier: GPL-2.0-only
"""Links of a scenario: duplex, the time of a frame, losses in bursts."""

from labs import lab, summary, table, write

LINK = "{name: collector-link, endpoints: [nf1:eth0, sw1:1]}"


def link(keys: str) -> str:
    text = lab()
    assert LINK in text
    return text.replace(LINK, LINK[:-1] + f", {keys}}}")


def test_a_half_duplex_link_cannot_be_cut_and_keeps_its_rate(esx_netflow, tmp_path):
    for step, place in (("down: true", "down"), ("set: {rate: 1Mbps}", "set"), ("set: {queue: 9p}", "set")):
        text = link("duplex: half").replace(
            "timeline:", f"timeline:\n  - {{at: 5s, for: 1s, link: collector-link, {step}}}"
        )
        done = esx_netflow("validate", write(tmp_path, text))
        assert done.returncode == 2 and f"timeline[0].{place}: link 'collector-link' is half duplex" in done.stderr, (
            done
        )
    text = link("duplex: half").replace("timeline:", "timeline:\n  - {at: 1s, link: collector-link, set: {loss: 1}}")
    assert esx_netflow("run", write(tmp_path, text), "--out", tmp_path / "out", "--quiet", cwd=tmp_path).returncode == 0
    (drops,) = summary(tmp_path / "out")["links"]
    assert drops["name"] == "collector-link" and drops["dropped"]["errors"] > 0


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
