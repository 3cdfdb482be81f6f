#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Instructions a packet of each step, beside the recorded ones: the test bench.instructions.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --build --preset release --target bench-instructions bench-instructions-ns3
ctest --preset release -R '^bench[.]instructions$' --verbose
