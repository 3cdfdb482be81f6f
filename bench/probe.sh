#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Instructions per packet of 'esx-netflow probe' over a capture that this script makes (callgrind: the same number whatever
# else the machine does).
set -euo pipefail
cd "$(dirname "$0")/.."
packets=20000
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
PYTHONPATH=tests /usr/bin/python3 - "$folder/lan.pcap" $packets <<'PY'
import struct, sys
from oracle.building import ethernet, ipv4, udp
path, packets = sys.argv[1], int(sys.argv[2])
with open(path, "wb") as file:
    file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1))
    for i in range(packets):
        frame = ethernet(ipv4(udp(1024 + i % 500, 53, b"x" * 100)))
        file.write(struct.pack("<IIII", 1200000000 + i // 10000, i % 10000 * 100000, len(frame), len(frame)) + frame)
PY
instructions() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null build/esx-netflow probe -r "$1" 2>&1 >/dev/null |
    sed -n 's/.*Collected : *//p'
}
head -c $((24 + 16 + 142)) "$folder/lan.pcap" >"$folder/one.pcap"
all=$(instructions "$folder/lan.pcap")
one=$(instructions "$folder/one.pcap")
echo "probe, $packets packets of 500 flows: $(((all - one) / packets)) instructions a packet"
