// SPDX-License-Identifier: GPL-2.0-only
// Who has which address in a scenario: names for people instead of numbers.
#ifndef ESXNF_ADDRESSES_H
#define ESXNF_ADDRESSES_H

#include "runner/scenario/scenario.h"

#include <map>
#include <string>

namespace esxnf
{

/// VM, "esx1:vmk0", or node by address. Of several that have one, the first.
std::map<ns3::Ipv4Address, std::string> NamesOfAddresses(const Scenario& scenario);

/// "10.6.125.11"
std::string ToDotted(ns3::Ipv4Address address);

} // namespace esxnf

#endif // ESXNF_ADDRESSES_H
