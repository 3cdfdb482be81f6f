// SPDX-License-Identifier: GPL-2.0-only
#include "esx-drop-cause.h"

namespace ns3
{

const char*
EsxDropCauseName(EsxDropCause cause)
{
    static const char* const NAMES[ESX_DROP_CAUSES] = {"disconnected",
                                                       "link_down",
                                                       "oversize",
                                                       "vlan",
                                                       "forged_transmit",
                                                       "shaping",
                                                       "tx_ring",
                                                       "own_port",
                                                       "unknown_unicast",
                                                       "no_uplink",
                                                       "mac_change",
                                                       "reverse_filter",
                                                       "inactive_uplink",
                                                       "receiver_gone",
                                                       "rx_ring",
                                                       "uplink_oversize",
                                                       "uplink_refused"};
    const auto index = static_cast<std::size_t>(cause);
    return index < ESX_DROP_CAUSES ? NAMES[index] : "unknown";
}

} // namespace ns3
