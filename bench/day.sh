#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A day of 16 VMs (bench/a-day.yaml): what each sent in the past 24 hours, from collected records beside the truth, and the
# CPU time of the run, in both fidelities. Exit code 1 if it takes more than five minutes, any VM's octets are not the truth, or a
# table differs; flow fidelity is to take at most a fifteenth.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --build --preset release --target esx-netflow >/dev/null
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
/usr/bin/python3 -B - build/esx-netflow bench/a-day.yaml "$folder/out" <<'PY'
import filecmp, json, resource, subprocess, sys
from pathlib import Path

program, scenario, folder = sys.argv[1:]


def run(out, fidelity):
    """-> CPU time, s"""
    lab = Path(f"{folder}.yaml")
    lab.write_text(Path(scenario).read_text().replace("    app: flows\n", f"    app: flows\n    fidelity: {fidelity}\n"))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([program, "run", lab, "--out", out, "--quiet"])
    if done.returncode != 0:
        sys.exit(f"day: the run ended with {done.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


cpu, by_flow = run(folder, "packet"), run(f"{folder}-flow", "flow")
tables = [path.name for path in Path(folder).glob("*.csv")]
differ = [name for name in tables if not filecmp.cmp(f"{folder}/{name}", f"{folder}-flow/{name}", shallow=False)]
ledger = json.load(open(f"{folder}/summary.json"))["ledger"]["truth"]
talkers = subprocess.run([program, "talkers", folder, "--last", "24h", "--top", "0", "--format", "json"], capture_output=True, check=True)
vms = [talker for talker in json.loads(talkers.stdout)["talkers"] if ":" not in talker["name"]]  # esx1:vmk0 is none
print("VM        octets, collected             truth")
for vm in sorted(vms, key=lambda each: each["name"]):
    print(f"{vm['name']:<8}{vm['octets']['collected']:>19}{vm['octets']['truth']:>18}")
wrong = sum(vm["octets"]["collected"] != vm["octets"]["truth"] for vm in vms)
print(f"{ledger['packets']} packets, {ledger['octets'] * 8 / 86400 / 1e6:.2f} Mbit/s; CPU {cpu:.0f} s (target: at most 300)")
print(f"fidelity flow: CPU {by_flow:.1f} s, 1/{cpu / by_flow:.1f}; {len(tables) - len(differ)} of {len(tables)} tables are the same")
sys.exit(1 if wrong or differ or not tables or by_flow * 15 > cpu or len(vms) != 16 or cpu > 300 else 0)
PY
