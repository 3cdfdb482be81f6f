#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Share of the instructions of a whole run of scenarios/quickstart.yaml that goes into metering, ledger and per-flow attribution
# (callgrind, inclusive: the same numbers whatever else the machine does).
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
valgrind --tool=callgrind --callgrind-out-file="$folder/out" build/esx-netflow run scenarios/quickstart.yaml --out "$folder/results" \
  --quiet >"$folder/log" 2>&1 || { cat "$folder/log" && exit 1; }
callgrind_annotate --inclusive=yes --auto=no --threshold=100 "$folder/out" >"$folder/functions"
/usr/bin/python3 - "$folder/functions" "$folder/results/summary.json" <<'PY'
import json, re, sys

# Entry points, none inside another but where it is subtracted.
PARTS = {
    "metering and ledger, per packet": (["ns3::EsxNetflow::Ingress("], []),
    "scans": (["ns3::EsxNetflow::Scan("], []),
    "polls and packing": (["netflow::Exporter::Export(", "netflow::MeteringProcess::Poll("], ["ns3::EsxNetNetflow::Impl::Send("]),
    "fates of datagrams": (["ns3::EsxExportTracker::Sending(", "ns3::EsxExportTracker::Exported(", "ns3::EsxExportTracker::Lost(",
                            "ns3::EsxExportTracker::Received(", "ns3::EsxExportTracker::Arrived("], []),
    "flows and laws at the end": (["ns3::EsxLedger::GetFlows(", "ns3::EsxLedger::GetResidual() const"], []),
}  # fmt: skip
cost = {}
total = None
names = {name for adds, subtracts in PARTS.values() for name in adds + subtracts}
for line in open(sys.argv[1]):
    found = re.match(r"\s*([\d,]+) \(\s*[\d.]+%\)\s+(.*)", line)
    if found:
        number, what = int(found[1].replace(",", "")), found[2]
        if "PROGRAM TOTALS" in what:
            total = number
        for name in names:
            if f":{name}" in what:
                cost[name] = max(cost.get(name, 0), number)  # callgrind lists inlined parts apart
missing = [name for name in names if name not in cost and "Lost(" not in name]  # nothing is lost there
if total is None or missing:
    sys.exit(f"metering-share: callgrind does not know {missing}: has something a new name?")
packets = json.load(open(sys.argv[2]))["ledger"]["truth"]["packets"]
whole = 0
for part, (adds, subtracts) in PARTS.items():
    instructions = sum(cost.get(name, 0) for name in adds) - sum(cost.get(name, 0) for name in subtracts)
    whole += instructions
    print(f"{part:<36}{instructions:>14} {100 * instructions / total:>7.2f} % {instructions / packets:>9.0f} a packet")
print(f"{'all of it':<36}{whole:>14} {100 * whole / total:>7.2f} % {whole / packets:>9.0f} a packet")
print(f"{'the whole run':<36}{total:>14} {100:>7.2f} % {total / packets:>9.0f} a packet")
if 100 * whole / total > 2:
    sys.exit('metering-share: more than 2 %')
PY
