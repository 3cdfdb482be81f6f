#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# CPU time of whole simulations and memory of a flow, beside ns-3's CSMA and bridge and its FlowMonitor.
#   bench/simulation.sh [OPTION OF simulation.py]...
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --build --preset release --target bench-simulation >/dev/null
/usr/bin/python3 -B bench/simulation.py "$@"
