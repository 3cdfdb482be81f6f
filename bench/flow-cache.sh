#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Speed and memory of the flow cache, as ratios to a plain table in the same run.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --build --preset release --target bench-flow-cache
for flows in 1000 100000 1000000 4000000; do
  build/bench-flow-cache "$flows"
done
