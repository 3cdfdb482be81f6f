#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Instructions of an injected packet (callgrind: the same number whatever else the machine does), by the difference of two runs of
# 10 000 and 30 000 packets of synthetic flows, so that what does not depend on packets is left out. Exit code 1 if the way through
# vSwitch and NetFlow takes more than 2500.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --build --preset release --target esx-netflow >/dev/null
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for flows in 100 300; do
  sed "s/flows: 100,/flows: $flows,/" bench/injection.yaml >"$folder/$flows.yaml"
  valgrind --tool=callgrind --callgrind-out-file="$folder/$flows" build/esx-netflow run "$folder/$flows.yaml" --out "$folder/results" \
    --quiet >"$folder/log" 2>&1 || { cat "$folder/log" && exit 1; }
  callgrind_annotate --inclusive=yes --auto=no --threshold=100 "$folder/$flows" >"$folder/$flows.functions"
done
/usr/bin/python3 -B - "$folder/100.functions" "$folder/300.functions" 20000 <<'PY'
import re, sys

FUNCTIONS = {
    "the whole run": "ns3::Simulator::Run()",
    "making the packet": "ns3::EsxSyntheticFlows::Next(",
    "vSwitch: into the port, forwarding": "ns3::EsxVSwitch::Input(",
    "of it NetFlow and ledger": "ns3::EsxNetflow::Ingress(",
    "vSwitch: out of the port": "ns3::EsxVSwitch::Delivery::Notify(",
    "vSwitch: the frame's end": "ns3::EsxVSwitch::Delivery::~Delivery(",
}


def costs(file):
    found = dict.fromkeys(FUNCTIONS, 0)
    for line in open(file):
        match = re.match(r"\s*([\d,]+) \(\s*[\d.]+%\)\s+(.*)", line)
        for part, function in FUNCTIONS.items():
            if match and f":{function}" in match[2]:
                found[part] = max(found[part], int(match[1].replace(",", "")))  # callgrind lists inlined parts apart
    return found


few, many = costs(sys.argv[1]), costs(sys.argv[2])
missing = [part for part, cost in few.items() if cost == 0]
if missing:
    sys.exit(f"injection: callgrind does not know {missing}: has something a new name?")
packet = {part: (many[part] - few[part]) / int(sys.argv[3]) for part in FUNCTIONS}
for part, cost in packet.items():
    print(f"{part:<36}{cost:>8.0f} instructions a packet")
through = sum(cost for part, cost in packet.items() if part.startswith("vSwitch"))
print(f"{'through vSwitch and NetFlow':<36}{through:>8.0f} (target: at most 2500)")
sys.exit(1 if through > 2500 else 0)
PY
