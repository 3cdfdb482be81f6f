#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The ledger's laws on 1000 random hosts of 10^6 packets each. Bounded and resumable: stops after
# LEDGER_LAWS_MINUTES (default 30); the next run goes on where this one stopped.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset release -DESX_NETFLOW_UNIT_TESTS=ON >/dev/null
cmake --build --preset release --target test-netflow
readonly hosts=${LEDGER_LAWS_HOSTS:-1000} packets=${LEDGER_LAWS_PACKETS:-1000000}
readonly until=$((SECONDS + 60 * ${LEDGER_LAWS_MINUTES:-30}))
# Good as long as the program is the same.
done_file=build/ledger-laws-$(sha256sum build/test-netflow | cut -c1-16)-$packets.done
readonly done_file
touch "$done_file"
for ((seed = $(wc -l <"$done_file"); seed < hosts && SECONDS < until; seed++)); do
  LEDGER_LAWS_SEED=$seed LEDGER_LAWS_PACKETS=$packets nice build/test-netflow --gtest_brief=1 \
    --gtest_also_run_disabled_tests --gtest_filter=LedgerLaws.DISABLED_HoldAtLength >build/ledger-laws.log 2>&1 || {
    cat build/ledger-laws.log
    echo "ledger laws: seed $seed breaks them"
    exit 1
  }
  echo "$seed" >>"$done_file"
done
echo "ledger laws: hold on $(wc -l <"$done_file") of $hosts random hosts of $packets packets"
