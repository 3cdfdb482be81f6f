#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Cost of Python beside the C++ program: CPU times, the least of several rounds.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --build --preset release --target bench-decode-v5 esx-netflow _core
PYTHONPATH=build/python exec /usr/bin/python3 bench/python-speed.py build
