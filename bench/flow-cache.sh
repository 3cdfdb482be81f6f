#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Speed of the flow cache, as a ratio to a plain table in the same run.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --build --preset release --target bench-flow-cache
for entries in 1000 100000 1000000; do
  build/bench-flow-cache "$entries"
done
