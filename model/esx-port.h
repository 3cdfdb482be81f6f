// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_PORT_H
#define ESX_PORT_H

#include "ns3/mac48-address.h"
#include "ns3/object.h"
#include "ns3/packet.h"
#include "ns3/traced-callback.h"

#include <array>
#include <cstdint>
#include <string>

namespace ns3
{

class EsxUplink;
class EsxVirtualNetDevice;

/// What is plugged into a port of a vSwitch.
enum class EsxPortKind : uint8_t
{
    INTERNAL, //!< local port 1, the vSwitch's own (documented)
    UPLINK,   //!< a physical NIC, "vmnic0"
    VMKNIC,   //!< a VMkernel interface, "vmk0"
    VNIC      //!< a guest's network card
};

/// Why a frame died in a vSwitch (our choice of causes). Those before OWN_PORT strike before the
/// tap, at ingress; the others after it.
enum class EsxDropCause : uint8_t
{
    DISCONNECTED,    //!< sent into a port whose device is detached or whose vSwitch was deleted
    LINK_DOWN,       //!< came from the wire over an uplink that is administratively down
    OVERSIZE,        //!< longer than the vSwitch's MTU
    OWN_PORT,        //!< its destination is the port it came from
    UNKNOWN_UNICAST, //!< from an uplink, to a MAC address nobody registered
    NO_UPLINK,       //!< from inside, to a MAC address nobody registered, and no uplink is up
    RECEIVER_GONE,   //!< the receiver was detached while the frame was on its way
    UPLINK_OVERSIZE, //!< longer than the MTU of the physical NIC
    UPLINK_REFUSED   //!< the physical NIC did not take it (its queue is full)
};

/// Number of values of EsxDropCause.
constexpr std::size_t ESX_DROP_CAUSES = static_cast<std::size_t>(EsxDropCause::UPLINK_REFUSED) + 1;

/// \return the cause as results spell it: lower case, words joined by underscores
const char* EsxDropCauseName(EsxDropCause cause);

/// \return true if frames that die of this cause are never offered to the tap
constexpr bool
EsxDropIsBeforeTap(EsxDropCause cause)
{
    return cause < EsxDropCause::OWN_PORT;
}

/**
 * Counts of one port since its connection. Octets are layer-2 payload: what follows the Ethernet
 * header (and, later, VLAN tags).
 *
 * Law L0: framesIn = framesAccepted + drops of causes that strike before the tap.
 */
struct EsxPortCounters
{
    uint64_t framesIn{0};       //!< frames that arrived at the port from its device
    uint64_t octetsIn{0};       //!< their octets
    uint64_t framesAccepted{0}; //!< of these, frames offered to the tap (if there is one)
    uint64_t octetsAccepted{0}; //!< their octets
    uint64_t framesOut{0};      //!< frames handed to the port's device
    uint64_t octetsOut{0};      //!< their octets
    std::array<uint64_t, ESX_DROP_CAUSES> drops{}; //!< frames by EsxDropCause

    /// \return frames dropped of this cause
    uint64_t Drops(EsxDropCause cause) const;
    /// \return frames dropped before the tap
    uint64_t DropsBeforeTap() const;
    /// Adds another port's counts.
    EsxPortCounters& operator+=(const EsxPortCounters& other);
};

/**
 * One port of a vSwitch: an identity that lasts as long as the vSwitch object, its counters and its
 * trace sources. A port is used for one connection; when its device is detached it stays, for
 * results to name it, and its local ID is not given again (our choice).
 *
 * Made by EsxVSwitch only, which also does all forwarding; the port holds no behaviour of its own.
 */
class EsxPort : public Object
{
  public:
    static TypeId GetTypeId();
    ~EsxPort() override;

    /// \return local port ID, from 1; the ifIndex of NetFlow v5 records (without -p)
    uint16_t GetLocalId() const;
    /// \return the port ID shown to people: (switch ID << 24) | local ID (documented)
    uint32_t GetShownId() const;
    EsxPortKind GetKind() const;
    /// \return "vmnic0", "vmk0", "web1.eth0", or "internal"
    const std::string& GetName() const;
    /// \return name of its port group; empty for uplinks and the internal port
    const std::string& GetPortGroup() const;
    /// \return false once the device was detached (always true for the internal port)
    bool IsConnected() const;
    const EsxPortCounters& GetCounters() const;
    /// \return the vNIC or vmknic in this port, nullptr if another kind or detached
    Ptr<EsxVirtualNetDevice> GetDevice() const;
    /// \return the uplink in this port, nullptr if another kind or detached
    Ptr<EsxUplink> GetUplink() const;

    /**
     * \param packet frame without its Ethernet header; not changed
     * \return a copy with the Ethernet header in front and no padding or FCS: what a capture holds
     */
    static Ptr<Packet> MakeFrame(const Ptr<const Packet>& packet,
                                 const Mac48Address& source,
                                 const Mac48Address& destination,
                                 uint16_t protocol);

  protected:
    void DoDispose() override;

  private:
    friend class EsxVSwitch;

    uint16_t m_switchId{0};
    uint16_t m_localId{0};
    EsxPortKind m_kind{EsxPortKind::INTERNAL};
    bool m_connected{false};
    std::string m_name;
    std::string m_portGroup;
    uint32_t m_nodeId{0};              //!< of the node of m_device: the context of its events
    Ptr<EsxVirtualNetDevice> m_device; //!< set for VMKNIC and VNIC while connected
    Ptr<EsxUplink> m_uplink;           //!< set for UPLINK while connected
    EsxPortCounters m_counters;

    TracedCallback<Ptr<const Packet>> m_ingressTrace; //!< Ethernet frames offered to the tap
    TracedCallback<Ptr<const Packet>> m_egressTrace;  //!< Ethernet frames handed to the device
};

} // namespace ns3

#endif /* ESX_PORT_H */
