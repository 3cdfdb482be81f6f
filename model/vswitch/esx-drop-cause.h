// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_DROP_CAUSE_H
#define ESX_DROP_CAUSE_H

#include "netflow/ledger.h"

#include <cstddef>
#include <cstdint>

namespace ns3
{

/// Why a frame died in a vSwitch (our choice of causes). Those before OWN_PORT strike before the
/// tap, at ingress; the others after it.
enum class EsxDropCause : uint8_t
{
    DISCONNECTED,    //!< sent into a port whose device is detached or whose vSwitch was deleted
    LINK_DOWN,       //!< came from the wire over an uplink that is administratively down
    OVERSIZE,        //!< longer than the vSwitch's MTU
    VLAN,            //!< tagged by a guest in a VST port group, or of a VLAN no port group is in
    FORGED_TRANSMIT, //!< its source is not the adapter's address, and that is rejected
    SHAPING,         //!< the queue of the port's shaper is full
    TX_RING,         //!< the vNIC's transmit ring is full
    OWN_PORT,        //!< its destination is the port it came from
    UNKNOWN_UNICAST, //!< from an uplink, to a MAC address nobody registered in its VLAN
    NO_UPLINK,       //!< from inside, to such an address, and no uplink of its team is up
    MAC_CHANGE,      //!< the receiver changed its MAC address, and that is rejected
    REVERSE_FILTER,  //!< came back over an uplink, or its receivers use another uplink
    INACTIVE_UPLINK, //!< came in on an uplink that the receiver's team does not use
    RECEIVER_GONE,   //!< the receiver was detached while the frame was on its way
    RX_RING,         //!< the receiver's ring is full
    UPLINK_OVERSIZE, //!< longer than the MTU of the physical NIC
    UPLINK_REFUSED,  //!< the physical NIC did not take it (its queue is full)
    COUNT
};

constexpr std::size_t ESX_DROP_CAUSES = static_cast<std::size_t>(EsxDropCause::COUNT);

/// Fixed properties of an EsxDropCause.
struct EsxDropCauseInfo
{
    enum Trait : uint8_t
    {
        UNWANTED_COPY = 1, //!< may be of a flooded frame where it is not wanted: no loss, unless
                           //!< every copy dies
        AT_DEVICE = 2,     //!< between the decision to hand it to a device and the device (esxtop)
        NO_WIRE = 4,       //!< the host has no link for it, and notices (EsxLossWatch)
        NIC_REFUSES = 8    //!< the same, or its NIC's queue is full
    };

    EsxDropCause cause;
    const char* name;   //!< as results spell it: lower case, words joined by underscores
    netflow::Move move; //!< of an export datagram that dies so
    unsigned traits{0}; //!< of Trait

    bool Has(Trait trait) const
    {
        return (traits & trait) != 0;
    }
};

const EsxDropCauseInfo& EsxGetInfo(EsxDropCause cause);
const char* EsxDropCauseName(EsxDropCause cause);

/// \return true if frames that die of this cause are never offered to the tap
constexpr bool
EsxDropIsBeforeTap(EsxDropCause cause)
{
    return cause < EsxDropCause::OWN_PORT;
}

} // namespace ns3

#endif /* ESX_DROP_CAUSE_H */
