#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# How cost grows with the number of hosts: CPU time of runs and of validate, instructions of a frame, beside CSMA and bridge.
#   bench/scale.sh [OPTION OF scale.py]...
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --build --preset release --target esx-netflow bench-instructions-ns3 bench-switching >/dev/null
exec /usr/bin/python3 -B bench/scale.py "$@"
