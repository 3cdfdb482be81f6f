// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_PHYSICAL_SWITCH_H
#define ESX_PHYSICAL_SWITCH_H

#include "ns3/esx-deferred-frames.h"
#include "ns3/mac48-address.h"
#include "ns3/net-device.h"
#include "ns3/nstime.h"
#include "ns3/object.h"
#include "ns3/traced-callback.h"

#include <bitset>
#include <map>
#include <unordered_map>
#include <vector>

namespace ns3
{

class EsxEthernetNetDevice;

/// Why a physical switch dropped a frame.
enum class EsxPhysicalSwitchDrop : uint8_t
{
    VLAN,      //!< of a VLAN that the port it came in by is not in
    PORT_DOWN, //!< the port its destination was learned at has no link; other ports get it
    SAME_PORT, //!< its destination is where it came from
    NO_PORT,   //!< no other port with a link is in its VLAN
    BLOCKED    //!< by a spanning tree: the port it came in by is closed for all frames
};

/**
 * A physical Ethernet switch between ESX hosts and collectors, aggregated to its node: adopts the
 * node's Ethernet devices as ports through ns-3's public hooks, as BridgeNetDevice does, but knows
 * IEEE 802.1Q: access ports are in one VLAN and carry no tags; trunk ports are in the allowed VLANs
 * and tag all but the native one. It learns where addresses are, per VLAN, and forgets them after
 * AgeingTime. Forwarding adds no event: a frame goes out in the call that brought it in.
 *
 * Not modelled: the spanning tree protocol (a loop storms, unless SetBlocked() closes ports), link
 * aggregation, time through the switch, a limit of its address table, its own management interface.
 */
class EsxPhysicalSwitch : public Object
{
  public:
    static constexpr uint16_t DEFAULT_VLAN = 1;

    /// \param packet frame without its Ethernet header, as it came in
    /// \param port number of the port it came in by
    typedef void (*DropTracedCallback)(Ptr<const Packet> packet,
                                       uint16_t port,
                                       EsxPhysicalSwitchDrop cause);

    static TypeId GetTypeId();
    EsxPhysicalSwitch();
    ~EsxPhysicalSwitch() override;

    /**
     * Adopts a device as a port: an access port of VLAN 1 until told otherwise. Aborts if the
     * device is of no node or cannot send with others' addresses, or the number is taken.
     * \param number as on the front panel, from 1
     */
    void AddPort(uint16_t number, Ptr<NetDevice> device);
    /// \param vlan 1 to 4094
    void SetAccess(uint16_t number, uint16_t vlan);
    /**
     * \param allowed VLANs 1 to 4094; empty: all
     * \param native VLAN of untagged frames; they are dropped unless it is allowed
     */
    void SetTrunk(uint16_t number,
                  const std::vector<uint16_t>& allowed,
                  uint16_t native = DEFAULT_VLAN);
    /// Takes a port's link down or gives it back, whatever the device says. Frames for addresses
    /// that were learned there are flooded meanwhile.
    void SetDown(uint16_t number, bool down);

    /// Closes a port for all frames in both directions, as a spanning tree does, or opens it. Its
    /// link stays up.
    void SetBlocked(uint16_t number, bool blocked);

    /**
     * Enters an address for good, here and in the switches behind: where its frames come from. It
     * moves when they come in by another port, and is not forgotten when they cease.
     * \param device port to whose cable the address is
     * \param tag VLAN of the tag that its frames come in with; 0: none
     */
    void Enter(const Mac48Address& address, const NetDevice& device, uint16_t tag);
    /// \return the device at the other end of a cable; nullptr: none, or several
    static Ptr<NetDevice> FarEndOf(const NetDevice& device);

    /**
     * Looks for a way on which frames need not be followed one by one: both addresses are entered
     * for good.
     * \param device that they come in by
     * \param [in,out] tag VLAN of their tag as they come in, and as they leave; 0: none
     * \return the device that they leave by; nullptr: there is none
     */
    NetDevice* FindPassage(const NetDevice& device,
                           const Mac48Address& source,
                           const Mac48Address& destination,
                           uint16_t& tag) const;
    EsxDeferrals& GetDeferrals();

    /// \return numbers of the ports in order
    std::vector<uint16_t> GetPorts() const;
    /// \return true if a port is in a VLAN
    bool IsMember(uint16_t number, uint16_t vlan) const;
    /// \return the port at which an address was learned and not forgotten since; 0: none
    uint16_t GetPortOf(const Mac48Address& address, uint16_t vlan) const;

  protected:
    void DoDispose() override;

  private:
    struct Port
    {
        uint16_t number;
        Ptr<NetDevice> device;
        EsxEthernetNetDevice* own;       //!< the same, if it is one of ours
        std::bitset<4096> vlans;         //!< those it is in
        uint16_t untagged{DEFAULT_VLAN}; //!< VLAN that has no tag here
        bool trunk{false};
        bool down{false};
        bool blocked{false};
    };

    struct Learned
    {
        uint16_t port;
        Time until;
    };

    /// A frame inside the switch.
    struct Frame
    {
        Ptr<Packet> packet; //!< without tag
        Mac48Address source;
        Mac48Address destination;
        uint16_t protocol; //!< EtherType behind the tag
        uint16_t vlan;
        uint8_t priority;
    };

    Port& Require(uint16_t number);
    static bool IsOpen(const Port& port);
    void Receive(Ptr<NetDevice> device,
                 Ptr<const Packet> packet,
                 uint16_t protocol,
                 const Address& source,
                 const Address& destination,
                 NetDevice::PacketType type);
    void Take(const Port& input,
              const Ptr<Packet>& packet,
              const Mac48Address& source,
              const Mac48Address& destination,
              uint16_t protocol);
    bool Classify(const Port& port, Frame& frame) const;
    void Learn(const Port& port, const Frame& frame);
    void Forward(const Port& input, const Frame& frame, const Ptr<const Packet>& received);
    static void Send(const Port& port, const Frame& frame, const Ptr<Packet>& packet);
    void Forget(uint16_t number);

    Time m_ageingTime;                //!< attribute AgeingTime
    std::map<uint16_t, Port> m_ports; //!< by number
    std::unordered_map<const NetDevice*, const Port*> m_byDevice;
    std::unordered_map<uint64_t, Learned>
        m_learned; //!< by address and VLAN; never iterated in order
    EsxDeferrals m_deferrals;
    TracedCallback<Ptr<const Packet>, uint16_t, EsxPhysicalSwitchDrop> m_dropTrace;
};

} // namespace ns3

#endif /* ESX_PHYSICAL_SWITCH_H */
