# SPDX-License-Identifier: GPL-2.0-only
"""Figures and report.html: one file, the same bytes each time, and a browser shows it."""

import html
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from types import SimpleNamespace

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

import esx_netflow
from conftest import PROGRAM, QUICKSTART, ROOT
from esx_netflow import Scenario, _core, plots

FIGURES = [
    "cache",
    "drops",
    "export_delay",
    "fates",
    "flows",
    "heap",
    "inputs",
    "links",
    "memory",
    "offered",
    "purgatory",
    "receivers",
    "shed",
    "timeline",
    "top_talkers",
    "topology",
    "vms",
]


@pytest.fixture(scope="module")
def page(losses):
    return esx_netflow.report(losses)


EPISODES = [
    ({"for": "2s", "link": "l", "down": True}, (5, 7, "l cut")),
    ({"for": "2s", "node": "nf1", "down": True}, (5, 7, "nf1 down")),
    ({"node": "nf1", "set": {"service_time": "1ms"}}, (5, 60, "nf1 changed")),
    ({"for": "90s", "link": "l", "set": {"loss": 0.1}}, (5, 60, "l changed")),
    ({"for": "1min", "host": "h", "memory_pressure": {"free": "1MiB"}}, (5, 60, "memory pressure")),
    ({"signal": "TERM", "process": "nf"}, (5, 5, "nf TERM")),
    ({"vm": "web1", "power": "off"}, (5, 5, "web1 off")),
    ({"vm": "web1", "nic": "eth0", "connected": False}, (5, 5, "web1 disconnected")),
    ({"vm": "web1", "nic": "eth0", "mac": "00:50:56:00:00:01"}, (5, 5, "web1 changes its MAC")),
    ({"vm": "web1", "grow": {"to": "1GiB"}}, (5, 5, "web1 grows")),
]


@pytest.mark.parametrize("step, episode", EPISODES, ids=[what for _, (_, _, what) in EPISODES])
def test_every_kind_of_step_that_changes_the_lab_is_an_episode(step, episode):
    result = SimpleNamespace(steps=[{"at": "5s", **step}], summary={"end_ns": 60 * 10**9})
    assert plots.style.episodes_of(result) == [episode]


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("which", ["quickstart", "losses"])
def test_a_figure_draws_into_axes_or_makes_its_own(request, which, name):
    result = request.getfixturevalue(which)
    draw = getattr(plots, name)
    axes = plt.figure(figsize=(8, 6)).add_subplot()
    given = draw(result, ax=axes)
    assert given is axes or all(panel in axes.child_axes for panel in given)
    own = draw(result)
    assert np.ravel(own)[0].figure is not axes.figure
    for panel in np.ravel(own):
        panel.figure.canvas.draw()
    plt.close("all")


def test_every_cause_of_loss_has_a_look_of_its_own():
    metrics = (ROOT / "docs" / "metrics.md").read_text()
    kinds = {"ignored": "not_ipv4", "ended": "idle"}
    lost = set()
    for row in re.findall(r"^\| `netflow\.packets\.(\w+)`.*\| (`.*)\|$", metrics, re.MULTILINE):
        if row[0] not in kinds:
            lost |= set(re.findall(r"`(\w+)`", row[1]))
    assert len(lost) >= 19 and lost <= set(plots.CAUSES)
    assert len(set(plots.CAUSES.values())) == len(plots.CAUSES)


def test_a_new_cause_has_a_look_of_its_own_and_changes_no_other():
    new = {f"lost_{number}": ("lost", f"new_{number}", True) for number in range(8)}
    middle = {**_core.MOVES, **new, "shed_new": ("shed", "shed_new", True)}
    first = {"dropped_first": ("dropped", "dropped_first", True), **middle}
    for moves, added in ((middle, 9), (first, 10)):
        styles = plots.style.styles_of(moves)
        assert {cause: styles[cause] for cause in plots.CAUSES} == plots.CAUSES
        assert len(set(styles.values())) == len(styles) == len(plots.CAUSES) + added
        assert "#000000" not in {colour for colour, _ in styles.values()}
        assert styles["shed_new"][0] == plots.CAUSES["no_memory"][0], "one place, one colour"


def test_the_numbers_in_figures_are_those_of_the_ledger(losses):
    bars = plots.over_time.losses_over_time(losses, None).sum()
    for cause in ("purgatory_full", "link_down", "killed"):
        assert bars.get(cause, 0) == losses.ledger.lost.get(cause, (0, 0, 0))[2]
    assert not {"no_memory", "cache_full"} & set(bars.index), "packets stand on no axis of records"
    shed = plots.over_time.losses_over_time(losses, None, plots.style.PACKET_PLACES).sum()
    assert shed.to_dict() == {"no_memory": losses.ledger.lost["no_memory"].packets}


def test_octets_of_a_vm_are_drawn_once_at_its_own_vswitch(losses):
    frame = plots.traffic.by_sender(losses)
    truth = losses.truth.to_pandas()
    for name, exporter, port in (
        ("web1", "esx1", "web1.eth0"),
        ("db1", "esx2", "db1.eth0"),
        ("scan", "esx1", "scan.eth0"),
    ):
        rows = frame[frame["name"] == name]
        mine = truth[
            (truth["src"] == rows["address"].iloc[0]) & (truth["exporter"] == exporter) & (truth["input_port"] == port)
        ]
        assert rows[["exporter", "truth"]].to_numpy().tolist() == [[exporter, mine["octets"].sum()]]
    assert truth["octets"].sum() > frame["truth"].sum() * 1.5, "both hosts' vSwitches see what crosses them"
    bars = [bar.get_width() for bar in plots.vms(losses).patches]
    assert sum(bars) == frame.loc[frame["home"], ["truth", "collected"]].to_numpy().sum()
    plt.close("all")


def test_sums_over_exporters_are_named_as_such(page, quickstart):
    assert page.count("Sums over 2 exporters") == 2 and "exporters:" not in esx_netflow.report(quickstart)


def test_flows_never_begun_stand_in_the_headline(page, losses):
    number = f"{losses.summary['flows_never_begun']:,}".replace(",", "\u202f")
    assert losses.summary["flows_never_begun"] > 50000 and f"<b>{number}</b><span>of these never begun" in page


def test_no_live_flow_is_drawn_as_lost(quickstart, losses):
    def counts(result):
        return {
            text.get_text().rpartition(": ")[0]: int(text.get_text().rpartition(": ")[2].replace("\u202f", ""))
            for text in plots.flows(result).get_legend().get_texts()
        }

    flows = quickstart.summary["flows"]
    assert counts(quickstart) == {
        "whole": flows - 1,
        "rest on the way when the run ended": 1,
        "lost in part": 0,
        "lost": 0,
    }
    assert counts(losses)["lost"] > 50000
    plt.close("all")


def test_the_overflow_of_purgatory_can_be_seen():
    result = esx_netflow.run(ROOT / "scenarios" / "purgatory-knee.yaml")
    for host, lost in (("load6000", 5712), ("load4096", 0)):
        axes = plots.purgatory(result, host=host)
        legend = [text.get_text() for text in axes.get_legend().get_texts()]
        assert [text for text in legend if text.startswith("overflow")] == (
            [f"overflow: {plots.style.short(lost)} records lost"] if lost else []
        )
        assert "bound 4096" in legend
        drawn = max(np.max(line.get_ydata()) for line in axes.lines if line.get_linestyle() == "-")
        assert drawn == 4096
    together = plots.purgatory(result)
    marks = [line for line in together.lines if line.get_marker() == "v"]
    assert "% of bound" in together.get_ylabel() and len(marks) == 1 and set(marks[0].get_ydata()) == {100}
    plt.close("all")


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_episodes_of_one_time_share_the_place_of_their_name():
    steps = [{"at": "5s", "vm": name, "power": "off"} for name in ("a", "b", "c", "d")]
    result = SimpleNamespace(steps=steps, summary={"end_ns": 60 * 10**9})
    axes = plt.figure().add_subplot()
    plots.style.shade_episodes(axes, result, names=True)
    assert texts(axes) == ["a off, b off, and 2 more"]
    plt.close("all")


def test_one_full_purgatory_is_seen_among_others(losses):
    axes = plots.purgatory(losses)
    assert "% of bound" in axes.get_ylabel()
    highest = max(np.max(line.get_ydata()) for line in axes.lines if line.get_label().startswith("esx"))
    assert highest == 100, "esx1's purgatory overruns"
    alone = plots.purgatory(losses, host="esx1")
    assert "records" in alone.get_ylabel() and "bound 1024" in [
        text.get_text() for text in alone.get_legend().get_texts()
    ]
    plt.close("all")


def test_plots_lists_figures_only():
    assert dir(plots) == sorted([*FIGURES, "comparison"]) and all(callable(getattr(plots, name)) for name in dir(plots))


def test_what_a_vm_received_is_drawn_once_at_its_own_vswitch(losses):
    frame = plots.traffic.by_sender(losses, "dst")
    truth = losses.truth.to_pandas()
    for name, exporter, address in (("db1", "esx2", "10.1.101.21"), ("web1", "esx1", "10.1.101.11")):
        rows = frame[frame["name"] == name]
        mine = truth[(truth["dst"] == address) & (truth["exporter"] == exporter)]
        assert rows[["exporter", "truth"]].to_numpy().tolist() == [[exporter, mine["octets"].sum()]]


def test_the_input_is_drawn_by_name(losses):
    axes = plots.inputs(losses)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["web", "scan", "nf1", "nf3", "nf2"]
    assert "net-netflow of esx1, polls every 1000 ms" in texts(axes) and "tcp-request, web1, web2 to db1" in texts(axes)
    assert [bar.get_x() + bar.get_width() for bar in axes.patches[:3]] == [180, 60, 160], "nf1 ends by its signal"
    seen = plots.offered(losses).lines[0].get_ydata()
    assert abs(np.nansum(seen) - losses.ledger.truth.packets) < 1, "samples of a second: rates add up to what was seen"
    plt.close("all")


def test_panels_are_as_high_as_what_is_in_them(quickstart, losses):
    few, many = plots.over_time.panel_heights(quickstart), plots.over_time.panel_heights(losses)
    assert few[-2:] == [0.4, 0.4] and many[-2:] == [1.2, 1.2] and many[0] > few[0]


def test_numbers_are_written_in_one_way():
    from esx_netflow.showing import number

    given = {
        1234567: "1\u202f234\u202f567",
        1234567.0: "1\u202f234\u202f567",
        0.377148123: "0.377148",
        None: "nothing",
        0: "0",
        2500.5: "2\u202f500.5",
    }
    assert {value: number(value) for value in given} == given


def test_what_is_still_in_the_lab_is_told_from_what_is_lost(quickstart, losses):
    axes = plots.vms(quickstart)
    assert texts(axes) == ["24M, exact", "775k, exact", "337k, exact", "36.1k, 100.0% on the way when the run ended"]
    assert plots.traffic._error_text(1000, 700, 100) == ("20.0% lost, 10.0% on the way when the run ended", True)
    plt.close("all")


def test_a_lab_of_any_size_is_drawn():
    for name, told in (
        ("many-vswitches", {"and 115 more", "vSwitch11"}),
        ("port-aliasing", {"idle000:eth3", "and 507 more"}),
    ):
        scenario = Scenario.load(ROOT / "scenarios" / f"{name}.yaml")
        assert told <= set(texts(plots.topology(scenario)))
        assert plots.topology_size(scenario)[1] < 11, "inches: a page, not a roll"
    plt.close("all")


def lab(*links):
    nodes = {"sw1": {"kind": "switch"}, "sw2": {"kind": "switch"}, "c": {"kind": "collector", "address": "10.0.0.9/24"}}
    host = lambda n: {
        "vswitches": {"vSwitch0": {"uplinks": ["vmnic0"], "portgroups": {"P": {}}}},
        "vmknics": {"vmk0": {"portgroup": "P", "address": f"10.0.0.{n}/24"}},
    }
    return Scenario(
        name="cut",
        run={"duration": "1s"},
        hosts={"h1": host(1), "h2": host(2)},
        nodes=nodes,
        links=[{"name": n, "endpoints": e, "rate": r} for n, e, r in links],
        timeline=[
            {"at": "0s", "host": h, "run": "vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.0.0.9:2055"}
            for h in ("h1", "h2")
        ],
    )


def test_the_minimum_cut_bounds_all_exports_together():
    wires = [
        ("u1", ["h1:vmnic0", "sw1:1"], "10Mbps"),
        ("u2", ["h2:vmnic0", "sw1:2"], "10Mbps"),
        ("mid", ["sw1:3", "sw2:1"], "100Mbps"),
        ("last", ["sw2:2", "c:eth0"], "15Mbps"),
    ]
    assert plots.min_cut(lab(*wires)) == (15e6, ["last"])
    wires[3] = ("last", ["sw2:2", "c:eth0"], "30Mbps")
    assert plots.min_cut(lab(*wires)) == (20e6, ["u1", "u2"])
    assert plots.min_cut(lab(*wires[:3])) == (0.0, [])


def test_a_report_is_one_file_that_asks_for_nothing(page):
    class Seen(HTMLParser):
        tags, links = [], []

        def handle_starttag(self, tag, attrs):
            self.tags.append(tag)
            self.links += [
                value
                for name, value in attrs
                if name in ("src", "href", "xlink:href", "action") and not value.startswith(("#", "data:"))
            ]

    seen = Seen()
    seen.feed(page)
    assert (
        seen.links == []
        and "script" not in seen.tags
        and "link" not in seen.tags
        and "@import" not in page
        and "url(http" not in page
    )
    assert seen.tags.count("svg") == 7
    for expectation in ("every packet is accounted for", "the scan overruns the purgatory"):
        assert expectation in page
    for cause in ("purgatory_full", "no_memory", "link_down", "killed"):
        assert f"lost: {cause}" in page


def test_a_report_has_the_same_bytes_each_time_and_from_a_folder(quickstart, tmp_path):
    page = esx_netflow.report(quickstart)
    esx_netflow.run(QUICKSTART, out=tmp_path / "out")
    assert esx_netflow.report(tmp_path / "out") == page
    code = f"import esx_netflow; esx_netflow.report({str(tmp_path / 'out')!r}, 'again.html')"
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "7",
        "TZ": "Asia/Kolkata",
        "LC_ALL": "C",
        "MATPLOTLIBRC": str(tmp_path),
    }
    (tmp_path / "matplotlibrc").write_text("lines.linewidth: 9\nfont.size: 30\n")
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == page
    assert str(tmp_path) not in page


def test_what_a_scenario_says_cannot_write_html(tmp_path):
    scenario = Scenario.load(QUICKSTART)
    scenario["summary"] = "<script>alert(1)</script> & more"
    page = esx_netflow.report(esx_netflow.run(scenario))
    assert "<script" not in page and "&lt;script&gt;" in page


def test_a_run_without_tables_has_a_report():
    scenario = Scenario.load(QUICKSTART)
    scenario["outputs"] = {"flows": False, "series": {"every": "0s"}}
    scenario["run.duration"] = "3s"
    scenario.data["traffic"] = []
    page = esx_netflow.report(esx_netflow.run(scenario))
    assert page.count("no series was recorded") >= 5 and "no flow was seen" in page and page.count("<svg") == 7


FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars"
).split()


def chromium(folder, page, *arguments):
    assert shutil.which("chromium"), "Debian's package chromium is missing"
    (folder / "page.html").write_text(page, encoding="utf-8")
    (folder / "user").mkdir()
    command = ["chromium", *FLAGS, f"--user-data-dir={folder / 'user'}", *arguments, f"file://{folder / 'page.html'}"]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=300, cwd=folder, env={**os.environ, "HOME": str(folder)}
    )


def colours_of(png):
    image = plt.imread(png)
    return image, {tuple(c) for c in (image.reshape(-1, image.shape[2])[:, :3] * 255).round().astype(int).tolist()}


def test_a_browser_shows_the_report(page, tmp_path):
    done = chromium(tmp_path, page, "--window-size=1040,2600", f"--screenshot={tmp_path / 'report.png'}")
    assert (tmp_path / "report.png").is_file(), done.stderr
    image, colours = colours_of(tmp_path / "report.png")
    assert image.shape[:2] == (2600, 1040)
    for colour in (plots.COLLECTED, plots.CAUSES["purgatory_full"][0], plots.TRUTH):
        assert tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)) in colours, f"{colour} is not to be seen"


def test_a_printed_report_breaks_pages_between_its_parts(quickstart, tmp_path):
    """Verdict and lab, fates, timeline, talkers, the rest; a heading that is parted from its figure would take pages
    more."""
    done = chromium(
        tmp_path, esx_netflow.report(quickstart), "--no-pdf-header-footer", f"--print-to-pdf={tmp_path / 'report.pdf'}"
    )
    assert len(re.findall(rb"/Type /Page\b", (tmp_path / "report.pdf").read_bytes())) == 5, done.stderr


# Tells the parent's title of what does not fit: elements beyond the right edge that do not scroll, letters and figures
# that are too small.
FITS = """<script>addEventListener('load', () => { const wide = document.documentElement.clientWidth, bad = [];
for (const e of document.querySelectorAll('body *')) { const box = e.getBoundingClientRect(), \
style = getComputedStyle(e);
  if (!e.closest('.scroll, pre') && box.right > wide + 1) bad.push(e.tagName + ' ends at ' + box.right);
  if (parseFloat(style.fontSize) < 9) bad.push(e.tagName + ' has letters of ' + style.fontSize);
  if (e.matches('.scroll, pre') && !e.hasAttribute('tabindex')) bad.push(e.className + ' cannot be scrolled by keys');
  if (e.matches('svg[role]') && box.width + 1 < parseFloat(style.getPropertyValue('--natural'))) bad.push('figure of ' \
+ box.width); }
parent.document.title = wide + ': ' + document.querySelectorAll('svg[role=img][aria-label]').length + ' figures' + \
bad.map(what => '; ' + what).join(''); })</script>"""


@pytest.mark.parametrize("width", [390, 768, 1280])
@pytest.mark.parametrize("which, dark", [("page", False), ("page", True), ("both", False)])
def test_nothing_overflows_and_every_letter_can_be_read(request, tmp_path, width, which, dark):
    page = request.getfixturevalue(which)
    framed = html.escape(page.replace("</body>", FITS + "</body>"))
    frame = f'<iframe style="width: {width}px; height: 900px; border: 0" srcdoc="{framed}"></iframe>'
    done = chromium(
        tmp_path,
        frame,
        *(["--blink-settings=preferredColorScheme=0"] if dark else []),
        "--window-size=1400,900",
        "--dump-dom",
    )
    assert re.findall("<title>(.*?)</title>", done.stdout)[:1] == [f"{width}: {7 if which == 'page' else 8} figures"], (
        done.stderr
    )


def contrast(*colours):
    """As WCAG 2 has it; letters want 4.5."""
    linear = [
        np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ (0.2126, 0.7152, 0.0722)
        for c in (np.array(to_rgb(colour)) for colour in colours)
    ]
    return (max(linear) + 0.05) / (min(linear) + 0.05)


@pytest.mark.parametrize("scenario", ["losses", "quickstart", "two-hosts"])
def test_letters_in_figures_stand_out_from_the_paper_or_from_their_box(scenario):
    """two-hosts has VLANs; quickstart loses nothing."""
    result = esx_netflow.run(ROOT / "scenarios" / f"{scenario}.yaml")
    for name in FIGURES:
        figure = np.ravel(getattr(plots, name)(result))[0].figure
        figure.canvas.draw()
        for text in figure.findobj(matplotlib.text.Text):
            box = text.get_bbox_patch()
            if text.get_text():
                assert contrast(text.get_color(), box.get_facecolor()[:3] if box else "white") >= 4.5, (
                    f"{name}: {text.get_text()}"
                )
        plt.close(figure)


def test_an_axis_of_decades_has_two_at_least_and_nothing_between_is_named():
    """Each vSwitch of many-vswitches sees as many packets as the others, all flows of one size."""
    for name in ("many-vswitches", "quickstart"):
        result = esx_netflow.run(ROOT / "scenarios" / f"{name}.yaml")
        for draw, axes in ((plots.offered, "y"), (plots.flows, "xy")):
            ax = draw(result)
            ax.figure.canvas.draw()
            for axis in axes:
                low, high = getattr(ax, f"get_{axis}lim")()
                shown = [
                    text.get_text()
                    for text in getattr(ax, f"get_{axis}ticklabels")(which="both")
                    if text.get_text() and low <= text.get_position()[axis == "y"] <= high
                ]
                assert 2 <= len(shown) <= 10 and all(re.fullmatch(r"10*[kMG]?|0\.0*1", label) for label in shown), shown
            plt.close("all")


def test_letters_in_figures_are_of_seven_points_at_least(losses):
    for name in FIGURES:
        axes = getattr(plots, name)(losses)
        figure = np.ravel(axes)[0].figure
        figure.canvas.draw()
        sizes = {text.get_fontsize() for text in figure.findobj(matplotlib.text.Text) if text.get_text()}
        assert min(sizes) >= 7, f"{name}: 7 points are 9.3 pixels"
        plt.close(figure)


def test_run_with_report_writes_the_page_that_report_makes(tmp_path):
    done = subprocess.run(
        [PROGRAM, "run", QUICKSTART, "--out", "out", "--report"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "") and "report: out/report.html" in done.stdout
    written = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    done = subprocess.run([PROGRAM, "report", "out"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "report: out/report.html\n", "")
    assert (tmp_path / "out" / "report.html").read_text(encoding="utf-8") == written
    assert esx_netflow.report(esx_netflow.run(QUICKSTART)) == written
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out"]


@pytest.fixture(scope="module")
def pressed():
    return esx_netflow.run(ROOT / "scenarios" / "memory-pressure.yaml")


def test_memory_is_a_panel_where_it_is_modelled(pressed, quickstart):
    assert len(plots.over_time.panel_heights(pressed)) == 9 and len(plots.over_time.panel_heights(quickstart)) == 8
    axes = plots.memory(pressed, host="dropnew")
    free = axes.lines[0].get_ydata()
    assert free[0] == 43.7 and free[-1] == 0.9, "3584 and 80 MiB of 8192"
    assert {"hard", "low"} & {text.get_text() for text in axes.get_legend().get_texts()}
    assert "no host's memory is modelled" in texts(plots.memory(quickstart))
    plt.close("all")


def test_a_figure_of_a_host_that_is_none_is_refused(pressed, quickstart):
    for draw, result in (
        (plots.memory, pressed),
        (plots.memory, quickstart),
        (plots.cache, quickstart),
        (plots.heap, quickstart),
    ):
        with pytest.raises(ValueError, match="no exporter is esx9; there are"):
            draw(result, host="esx9")


def test_memory_that_ballooning_took_is_drawn():
    scenario = Scenario.load(ROOT / "scenarios" / "memory-pressure.yaml")
    for vm in ("db1", "db2", "db3"):
        scenario[f"hosts.{ {'db1': 'dropnew', 'db2': 'evict', 'db3': 'evictdrop'}[vm] }.vms.{vm}.reservation"] = "1GiB"
    scenario["expect"] = []
    result = esx_netflow.run(scenario)
    axes = plots.memory(result, host="evict")
    taken = {line.get_label(): line.get_ydata() for line in axes.lines}
    for kind in ("ballooned", "swapped"):
        assert (
            kind in taken
            and taken[kind][0] == 0
            and taken[kind].max() * 2**33 / 100 == result.series[f"memory_{kind}"].max()
        )
    plt.close("all")


@pytest.fixture(scope="module")
def both(quickstart, losses):
    return esx_netflow.report([losses, quickstart])


def test_runs_stand_side_by_side(both, losses, quickstart):
    assert both.count("<svg") == 8 and "2 runs side by side" in both and "<script" not in both
    rows = re.findall(r"<tr><td>(≠?)</td><td>(.*?)</td><td class=\"n\">(.*?)</td><td class=\"n\">(.*?)</td></tr>", both)
    said = {name: (mark, a, b) for mark, name, a, b in rows}
    number = esx_netflow.showing.number
    assert said["seen, packets"] == ("≠", number(losses.ledger.truth.packets), number(quickstart.ledger.truth.packets))
    assert said["lost: purgatory_full, records"] == (
        "≠",
        number(losses.ledger.lost["purgatory_full"].records),
        "0",
    ) and said["expected: all traffic is sent"] == ("", "3", "3")
    kinds = [name.partition(":")[0] for _, name, _, _ in rows]
    assert kinds.index("lost") > kinds.index("collected, records") and kinds.index("expected") > len(kinds) - 1 - kinds[
        ::-1
    ].index("lost")
    again = esx_netflow.report([losses, losses])
    assert "losses (1)" in again and "losses (2)" in again and ">≠<" not in again
    with pytest.raises(ValueError, match="two at least"):
        esx_netflow.report([losses])


def test_the_command_reports_each_run_and_all_of_them(tmp_path):
    scenario = Scenario.load(QUICKSTART)
    scenario["run.duration"] = "8s"
    scenario["expect"] = []
    scenario.data["traffic"] = scenario.data["traffic"][:1]
    for name in ("a", "b"):
        esx_netflow.run(scenario, out=tmp_path / "out" / name)
    done = subprocess.run([PROGRAM, "report", "out/a", "out/b"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (
        0,
        "",
    ) and done.stdout == "report: out/a/report.html\nreport: out/b/report.html\nreport: out/report.html\n"
    assert "2 runs side by side" in (tmp_path / "out" / "report.html").read_text()
    done = subprocess.run(
        [PROGRAM, "report", "out/a", "out/b", "-q", "--out", "page.html"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "") and (tmp_path / "page.html").read_text() == (
        tmp_path / "out" / "report.html"
    ).read_text()
    done = subprocess.run(
        [PROGRAM, "report", "out/a", "--out", "page.html"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 2 and "--out is for several folders" in done.stderr
    done = subprocess.run(
        [PROGRAM, "report", "out/a", "out/b", "--out", "out/a/summary.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and "destroyed" in done.stderr


def test_a_report_of_nothing_is_refused(tmp_path):
    done = subprocess.run([PROGRAM, "report", tmp_path], capture_output=True, text=True)
    assert (
        done.returncode == 2
        and done.stderr == f"esx-netflow: {tmp_path}: no summary.json, so this is no result folder\n"
    )
    done = subprocess.run([PROGRAM, "report"], capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith("esx-netflow: the following arguments are required: DIR")


def test_missing_packages_are_named_with_the_line_that_installs_them(tmp_path):
    # the program alone, without the package beside it
    alone = tmp_path / "esx-netflow"
    shutil.copy(PROGRAM, alone)
    environment = {**os.environ, "PYTHONPATH": "", "LD_LIBRARY_PATH": str(PROGRAM.parent / "lib")}
    done = subprocess.run([alone, "report", tmp_path], capture_output=True, text=True, env=environment)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "esx_netflow is not installed" in done.stderr
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\nu.find_spec = lambda name: None if name in ('pandas', "
        "'jinja2') else find(name)\n"
    )
    done = subprocess.run(
        [PROGRAM, "report", tmp_path], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(tmp_path)}
    )
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "apt-get install" in done.stderr and "python3-jinja2" in done.stderr
