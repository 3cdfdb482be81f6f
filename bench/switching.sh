#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Instructions that a frame costs on its way from VM to VM (callgrind: the same number whatever else the machine does), through
# the vSwitch and through ns-3's CSMA and bridge; without what the sender's event and its packet cost. Start-up (learning,
# initialisation) is taken out by the difference of two runs. Exit code 1 if a target is missed.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --build --preset release --target bench-switching >/dev/null
few=2000
many=6000
instructions() { # way, VMs, frames
  valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='ns3::Simulator::Run()' \
    build/bench-switching --way="$1" --vms="$2" --frames="$3" 2>&1 | sed -n 's/.*Collected : *//p'
}
cost() { # way, VMs
  local first second
  first=$(instructions "$1" "$2" $few)
  second=$(instructions "$1" "$2" $many)
  echo $(((second - first) / (many - few)))
}
bad=0
for vms in 8 64; do
  none[vms]=$(cost none $vms)
  esx[vms]=$(($(cost esx $vms) - none[vms]))
  bridge[vms]=$(($(cost bridge $vms) - none[vms]))
  ratio=$((bridge[vms] * 10 / esx[vms]))
  echo "$vms VMs: vSwitch ${esx[vms]}, CSMA and bridge ${bridge[vms]} instructions a frame: 1/$((ratio / 10)).$((ratio % 10)) (target: at most 1/8)"
  [ $ratio -ge 80 ] || bad=1
done
growth=$((esx[64] * 1000 / esx[8]))
echo "vSwitch, 64 VMs to 8: $((growth / 1000)).$(printf %03d $((growth % 1000))) (target: at most 1.100)"
[ $growth -le 1100 ] || bad=1
csma=$(($(cost csma 8) - none[8]))
ethernet=$(($(cost ethernet 8) - none[8]))
echo "full-duplex link $ethernet, CSMA $csma instructions a hop: $((ethernet * 100 / csma)) % (target: at most 50 %)"
[ $((ethernet * 2)) -le $csma ] || bad=1
exit $bad
