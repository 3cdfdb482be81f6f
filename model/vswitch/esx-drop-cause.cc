// SPDX-License-Identifier: GPL-2.0-only
#include "esx-drop-cause.h"

#include "netflow/enum-table.h"

namespace ns3
{

using netflow::Move;

const EsxDropCauseInfo&
EsxGetInfo(EsxDropCause cause)
{
    using Info = EsxDropCauseInfo;
    static constexpr Info INFOS[] = {
        {EsxDropCause::DISCONNECTED, "disconnected", Move::LOST_LINK_DOWN, Info::NO_WIRE},
        {EsxDropCause::LINK_DOWN, "link_down", Move::LOST_LINK_DOWN},
        {EsxDropCause::OVERSIZE, "oversize", Move::LOST_PORT},
        {EsxDropCause::VLAN, "vlan", Move::LOST_VLAN, Info::UNWANTED_COPY},
        {EsxDropCause::FORGED_TRANSMIT, "forged_transmit", Move::LOST_PORT},
        {EsxDropCause::SHAPING, "shaping", Move::LOST_PORT},
        {EsxDropCause::TX_RING, "tx_ring", Move::LOST_PORT},
        {EsxDropCause::OWN_PORT, "own_port", Move::LOST_PORT},
        {EsxDropCause::UNKNOWN_UNICAST, "unknown_unicast", Move::LOST_PORT, Info::UNWANTED_COPY},
        {EsxDropCause::NO_UPLINK, "no_uplink", Move::LOST_LINK_DOWN, Info::NO_WIRE},
        {EsxDropCause::MAC_CHANGE, "mac_change", Move::LOST_PORT, Info::AT_DEVICE},
        {EsxDropCause::REVERSE_FILTER, "reverse_filter", Move::LOST_PORT, Info::UNWANTED_COPY},
        {EsxDropCause::INACTIVE_UPLINK, "inactive_uplink", Move::LOST_PORT, Info::UNWANTED_COPY},
        {EsxDropCause::RECEIVER_GONE, "receiver_gone", Move::LOST_PORT, Info::AT_DEVICE},
        {EsxDropCause::RX_RING, "rx_ring", Move::LOST_PORT, Info::AT_DEVICE},
        {EsxDropCause::UPLINK_OVERSIZE, "uplink_oversize", Move::LOST_PORT, Info::AT_DEVICE},
        {EsxDropCause::UPLINK_REFUSED,
         "uplink_refused",
         Move::LOST_DEVICE_QUEUE,
         Info::AT_DEVICE | Info::NIC_REFUSES},
    };
    static_assert(netflow::HasRowOfEach(INFOS, &EsxDropCauseInfo::cause, EsxDropCause::COUNT));
    return INFOS[static_cast<std::size_t>(cause)];
}

const char*
EsxDropCauseName(EsxDropCause cause)
{
    return cause < EsxDropCause::COUNT ? EsxGetInfo(cause).name : "unknown";
}

} // namespace ns3
