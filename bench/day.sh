#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A day of 16 VMs (bench/a-day.yaml): what each sent in the past 24 hours, from collected records beside the truth, and the
# CPU time of the run, in both fidelities; then the same with the four servers on a second host, behind links without contention.
# Exit code 1 if the day of one host takes more than five minutes, any VM's octets are not the truth, or a table differs; flow
# fidelity is to take at most a fifteenth.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --build --preset release --target esx-netflow >/dev/null
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
/usr/bin/python3 -B - build/esx-netflow bench/a-day.yaml "$folder/out" <<'PY'
import filecmp, json, re, resource, subprocess, sys
from pathlib import Path

program, scenario, folder = sys.argv[1:]


def over_links(text):
    """-> the scenario with vm13 to vm16 on a second host"""
    servers = "".join(re.findall(r"^      vm1[3-6]: .*\n", text, re.MULTILINE))
    host = text[text.index("  esx1:") : text.index("      vm01:")].replace("esx1", "esx2").replace(".11/24", ".12/24")
    text = text.replace(servers, host + servers).replace("seed: 1}", "seed: 1, arp: static}")
    text = text.replace("  - {endpoints: [esx1:vmnic0, sw1:1]}\n", "".join(
        f"  - {{endpoints: [esx{n}:vmnic0, sw1:{port}], contention: none}}\n" for n, port in ((1, 1), (2, 3))))
    steps = re.findall(r"^  - .*host: esx1, .*\n", text, re.MULTILINE)
    return text.replace(steps[-1], steps[-1] + "".join(steps).replace("esx1", "esx2"))


def run(out, text, fidelity):
    """-> CPU time, s"""
    lab = Path(f"{folder}.yaml")
    lab.write_text(text.replace("    app: flows\n", f"    app: flows\n    fidelity: {fidelity}\n"))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([program, "run", lab, "--out", out, "--quiet"])
    if done.returncode != 0:
        sys.exit(f"day: the run ended with {done.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(name, text):
    """-> CPU time in packet fidelity, s; whether all is right"""
    out = f"{folder}-{name}"
    cpu, by_flow = run(out, text, "packet"), run(f"{out}-flow", text, "flow")
    tables = [path.name for path in Path(out).glob("*.csv")]
    differ = [table for table in tables if not filecmp.cmp(f"{out}/{table}", f"{out}-flow/{table}", shallow=False)]
    ledger = json.load(open(f"{out}/summary.json"))["ledger"]["truth"]
    of = [program, "talkers", out, "--last", "24h", "--top", "0", "--format", "json"]
    talkers = json.loads(subprocess.run(of, capture_output=True, check=True).stdout)["talkers"]
    vms = [talker for talker in talkers if ":" not in talker["name"]]  # esx1:vmk0 is none
    print(f"{name}\nVM        octets, collected             truth")
    for vm in sorted(vms, key=lambda each: each["name"]):
        print(f"{vm['name']:<8}{vm['octets']['collected']:>19}{vm['octets']['truth']:>18}")
    wrong = sum(vm["octets"]["collected"] != vm["octets"]["truth"] for vm in vms)
    print(f"{ledger['packets']} packets, {ledger['octets'] * 8 / 86400 / 1e6:.2f} Mbit/s; CPU {cpu:.0f} s")
    print(f"fidelity flow: CPU {by_flow:.1f} s, 1/{cpu / by_flow:.1f}; {len(tables) - len(differ)} of {len(tables)} tables are the same")
    return cpu, not wrong and not differ and tables and by_flow * 15 <= cpu and len(vms) == 16


text = Path(scenario).read_text()
cpu, is_right = measure("one host (at most 300 s)", text)
_, is_right_over_links = measure("two hosts", over_links(text))
sys.exit(0 if is_right and is_right_over_links and cpu <= 300 else 1)
PY
