#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The table of bench/RESULTS.md: whole processes beside other exporters, over captures of known truth (about 1.3 GB in
# DATA, by default a folder that is removed at the end).
#   bench/peers.sh [OPTION OF peers.py]...
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --build --preset release --target esx-netflow bench-workload bench-v5-sink
if [[ ${DATA:-} ]]; then
  data=$DATA
else
  data=$(mktemp -d)
  trap 'rm -rf "$data"' EXIT
fi
/usr/bin/python3 -B bench/peers.py "$data" "$@"
