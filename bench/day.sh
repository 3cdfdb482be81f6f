#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A day of 16 VMs (bench/a-day.yaml): what each sent in the past 24 hours, from collected records beside the truth, and the
# CPU time of the run. Exit code 1 if it takes more than five minutes or any VM's octets are not the truth.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --build --preset release --target esx-netflow >/dev/null
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
/usr/bin/python3 -B - build/esx-netflow bench/a-day.yaml "$folder/out" <<'PY'
import json, resource, subprocess, sys

program, scenario, folder = sys.argv[1:]
run = subprocess.run([program, "run", scenario, "--out", folder, "--quiet"])
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
cpu = usage.ru_utime + usage.ru_stime
if run.returncode != 0:
    sys.exit(f"day: the run ended with {run.returncode}")
ledger = json.load(open(f"{folder}/summary.json"))["ledger"]["truth"]
talkers = subprocess.run([program, "talkers", folder, "--last", "24h", "--top", "0", "--format", "json"], capture_output=True, check=True)
vms = [talker for talker in json.loads(talkers.stdout)["talkers"] if ":" not in talker["name"]]  # esx1:vmk0 is none
print("VM        octets, collected             truth")
for vm in sorted(vms, key=lambda each: each["name"]):
    print(f"{vm['name']:<8}{vm['octets']['collected']:>19}{vm['octets']['truth']:>18}")
wrong = sum(vm["octets"]["collected"] != vm["octets"]["truth"] for vm in vms)
print(f"{ledger['packets']} packets, {ledger['octets'] * 8 / 86400 / 1e6:.2f} Mbit/s; CPU {cpu:.0f} s (target: at most 300)")
sys.exit(1 if wrong or len(vms) != 16 or cpu > 300 else 0)
PY
