// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_PORT_H
#define ESX_PORT_H

#include "esx-drop-cause.h"

#include "ns3/mac48-address.h"
#include "ns3/nstime.h"
#include "ns3/object.h"
#include "ns3/packet.h"
#include "ns3/traced-callback.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>

namespace ns3
{

class EsxPortPolicy;
class EsxShaper;
class EsxUplink;
class EsxVirtualNetDevice;
class EsxVSwitch;

/// Kind of device in a port of a vSwitch.
enum class EsxPortKind : uint8_t
{
    INTERNAL, //!< local port 1, the vSwitch's own (documented)
    UPLINK,   //!< a physical NIC, "vmnic0"
    VMKNIC,   //!< a VMkernel interface, "vmk0"
    VNIC      //!< a guest's network card
};

/**
 * Counts of one port since its connection. Octets are layer-2 payload: what follows the Ethernet
 * header and its VLAN tag.
 *
 * Law L0: framesIn = framesAccepted + drops of causes that strike before the tap + frames that wait
 * in the port's shaper (EsxPort::GetShaperBacklog()).
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
    EsxPort();
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
    Time GetConnectedAt() const;
    /// \return when the device was detached; negative: it is connected
    Time GetDisconnectedAt() const;
    /// \return VLAN of its port group: 0, 1 to 4094, or ESX_VLAN_GUEST
    uint16_t GetVlan() const;
    const EsxPortCounters& GetCounters() const;
    /// \return frames that wait in the port's shaper
    std::size_t GetShaperBacklog() const;
    /// \return the uplink that this port's frames leave by now, unless they are hashed one by one;
    /// nullptr: none is up
    Ptr<EsxUplink> GetTeamUplink() const;
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
    friend class EsxTeam; // reads links and bits of uplinks

    /// Reasons for a frame that enters to leave the short way. A port of an ordinary VM has none.
    enum IngressFlag : uint8_t
    {
        IN_GONE = 1,         //!< detached
        IN_UPLINK = 2,       //!< frames come tagged from the wire
        IN_CHECK_SOURCE = 4, //!< forged transmits are rejected
        IN_SHAPED = 8
    };

    /// Checks that are due before a frame is handed to the port.
    enum EgressFlag : uint8_t
    {
        OUT_MAC_CHANGED = 1, //!< the guest changed its address, and that is rejected
        OUT_RING = 2         //!< the device can be full
    };

    // In the order of use on the way of a frame.
    uint8_t m_inFlags{0};
    uint8_t m_outFlags{0};
    bool m_tagged{false}; //!< frames in a VLAN leave with a tag: uplinks and VGT
    bool m_hashed{false}; //!< the team chooses an uplink for each frame
    bool m_connected{false};
    EsxPortKind m_kind{EsxPortKind::INTERNAL};
    uint16_t m_localId{0};
    uint16_t m_vlan{0}; //!< its frames' VLAN: 0 to 4094; 0 for uplinks and VGT
    uint16_t m_switchId{0};
    uint16_t m_group{0};               //!< index of its port group, if it is in one
    uint32_t m_nodeId{0};              //!< of the node of m_device: the context of its events
    EsxVSwitch* m_vSwitch{nullptr};    //!< nullptr: it is gone
    EsxPort* m_team{nullptr};          //!< the uplink its frames leave by, if not hashed
    uint64_t m_bit{0};                 //!< of an uplink: its bit in the masks of other ports
    uint64_t m_unicastFrom{0};         //!< uplinks it takes unicast frames from
    uint64_t m_groupFrom{0};           //!< uplinks it takes broadcast and multicast from
    Ptr<EsxVirtualNetDevice> m_device; //!< set for VMKNIC and VNIC while connected
    Ptr<EsxUplink> m_uplink;           //!< set for UPLINK while connected
    EsxPortCounters m_counters;
    std::unique_ptr<EsxShaper> m_shaper; //!< set while shaped
    std::string m_name;
    std::string m_portGroup;
    Time m_connectedAt;
    Time m_disconnectedAt{-1};
    bool m_linkWasUp{false}; //!< of an uplink: what its team was told last
    bool m_failed{false};    //!< of an uplink: its link went down, and it was not needed since

    TracedCallback<Ptr<const Packet>> m_ingressTrace; //!< Ethernet frames offered to the tap
    TracedCallback<Ptr<const Packet>> m_egressTrace;  //!< Ethernet frames handed to the device
};

} // namespace ns3

#endif /* ESX_PORT_H */
