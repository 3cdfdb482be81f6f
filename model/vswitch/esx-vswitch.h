// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_VSWITCH_H
#define ESX_VSWITCH_H

#include "esx-deferred-frames.h"
#include "esx-mac-table.h"
#include "esx-port-policy.h"
#include "esx-port.h"

#include "ns3/nstime.h"

#include <bitset>
#include <string>
#include <vector>

namespace ns3
{

class EsxHost;
class EsxTeam;
class EsxVSwitch;
struct EsxFrame;

/**
 * Watches the frames of a vSwitch: the NetFlow module does so. At most one a vSwitch. The vSwitch
 * does not own its tap; whoever sets it takes it out before it dies.
 */
class EsxSwitchTap
{
  public:
    virtual ~EsxSwitchTap() = default;

    /**
     * Called once for each frame accepted into a port: after security, VLAN and shaping, after the
     * forwarding decision, before delivery.
     * \param packet frame without its Ethernet header
     * \param protocol EtherType
     * \param input local port ID the frame came in by
     * \param output local port ID of its single receiver; 0 if flooded or dropped
     * \return nanoseconds that the frame waits before it goes on: 0, or not less than what is left
     * of an earlier frame's wait, so that frames keep their order
     */
    virtual int64_t Ingress(const EsxVSwitch& vSwitch,
                            const Ptr<const Packet>& packet,
                            uint16_t protocol,
                            uint16_t input,
                            uint16_t output) = 0;

    /// Counts deferred frames before this instant (EsxDeferredFrames), if it takes note of any.
    virtual void Settle()
    {
    }

    /// Called before a monitored vSwitch goes away, while it is still whole. The vSwitch forgets
    /// its tap afterwards.
    virtual void SwitchDeleted(const EsxVSwitch& vSwitch) = 0;
};

/**
 * One virtual switch ("portset") of an ESX host. Devices call Input() synchronously; the vSwitch
 * decides, tells its tap, and schedules one event per receiving node, Delay later; one for all
 * devices that keep a broadcast from their nodes (EsxVirtualNetDevice::Filters). Frames for an
 * uplink are handed to the physical NIC at once.
 *
 * Documented: MAC addresses are known by registration and never learned; no spanning tree, no
 * frame from uplink to uplink; unknown unicast goes from inside to the uplink and from an uplink
 * nowhere; broadcast and multicast go to all ports of the VLAN and, from inside, one uplink; VLANs
 * by port group (EST, VST, VGT); security, teaming and shaping of the vSwitch, overridden by a port
 * group.
 *
 * A port caches what its policies come to, so that a frame of an ordinary VM tests one word; caches
 * are renewed when a policy, a link or a connection changes (esx-vswitch-policy.cc).
 */
class EsxVSwitch : public Object
{
  public:
    /// A named set of ports with common policies.
    struct PortGroup
    {
        std::string name; //!< unique on the host
        uint16_t vlan{0}; //!< 0: untouched (EST); 1 to 4094: tagged on uplinks (VST); 4095: VGT
    };

    /**
     * Signature of the trace source Drop.
     * \param packet frame without its Ethernet header
     * \param port local port ID: before the tap the port it came in by, after it the port it was
     *             forwarded to, or came in by if there is none
     * \param cause why
     */
    typedef void (*DropTracedCallback)(Ptr<const Packet> packet, uint16_t port, EsxDropCause cause);
    /// \param port the new port
    typedef void (*ConnectedTracedCallback)(Ptr<EsxPort> port);

    /// Ports that the vSwitch has beyond the configured ones (documented).
    static constexpr uint32_t RESERVED_PORTS = 8;
    /// Uplinks that a vSwitch can have (our choice).
    static constexpr uint32_t MAX_UPLINKS = 32;

    static TypeId GetTypeId();
    EsxVSwitch();
    ~EsxVSwitch() override;

    /// \return switch ID: from the host's PortsetBase upwards in order of creation, never used
    /// again
    uint16_t GetId() const;
    const std::string& GetName() const;
    /// \return the host, nullptr once the vSwitch was removed from it
    Ptr<EsxHost> GetHost() const;
    /// \return when it was deleted; negative: never
    Time GetDeletedAt() const;
    /// \return attribute Ports
    uint32_t GetConfiguredPorts() const;
    /// \return configured ports plus RESERVED_PORTS: how many may be connected, the internal one
    /// and uplinks included
    uint32_t GetCapacity() const;

    /// \param tap not owned; nullptr: not monitored
    void SetTap(EsxSwitchTap* tap);
    EsxSwitchTap* GetTap() const;

    /**
     * Adds a port group. Its name must be new on this host.
     * \param vlan 0 (EST), 1 to 4094 (VST), 4095 (VGT)
     */
    void AddPortGroup(const std::string& name, uint16_t vlan = 0);
    const std::vector<PortGroup>& GetPortGroups() const;
    bool HasPortGroup(const std::string& name) const;
    /// Sets the policy of the ports whose port group has none of its own, also during a run. Aborts
    /// if the policy does not make sense. A shaper that changes begins with a full bucket.
    void SetPolicy(Ptr<EsxPortPolicy> policy);
    Ptr<EsxPortPolicy> GetPolicy() const;
    /// Overrides the policy for one port group. \param policy nullptr: that of the vSwitch again
    void SetPortGroupPolicy(const std::string& portGroup, Ptr<EsxPortPolicy> policy);
    /// \return the policy in force for a port group
    Ptr<EsxPortPolicy> GetPortGroupPolicy(const std::string& portGroup) const;

    /**
     * Plugs a vNIC or vmknic into a new port and registers its MAC address.
     * \param device a device of a node, detached; its link comes up
     * \param name name of the port, "web1.eth0"
     * \return local port ID
     */
    uint16_t Connect(Ptr<EsxVirtualNetDevice> device,
                     const std::string& portGroup,
                     const std::string& name);
    /**
     * Plugs an uplink into a new port.
     * \return local port ID
     */
    uint16_t Connect(Ptr<EsxUplink> uplink);
    /// Detaches what is in a port (not the internal one). Its counters stay readable.
    void Disconnect(uint16_t local);

    /// \return the port, nullptr if the ID was never given; detached ports are still found
    Ptr<EsxPort> GetPort(uint16_t local) const;
    /// \return all ports ever made, in order of local ID (the first one has ID 1)
    const std::vector<Ptr<EsxPort>>& GetPorts() const;
    /// \return name of the port, empty if the ID was never given
    const std::string& GetPortName(uint16_t local) const;
    /// \return number of ports in use now, the internal one included
    uint32_t GetNConnected() const;
    /// \return sums over all ports ever made
    EsxPortCounters GetTotals() const;

    /**
     * A frame enters a port. For devices and for injection of traffic without a device's stack.
     * \param port local ID of a connected port
     * \param packet frame without its Ethernet header; the vSwitch takes it over
     */
    void Input(uint16_t port,
               Ptr<Packet> packet,
               const Mac48Address& source,
               const Mac48Address& destination,
               uint16_t protocol);

    /**
     * Looks for a way on which a sender's frames need not be followed one by one.
     * \param port local ID of the sender's port
     * \param octets of the largest packet
     * \param tag VLAN of the tag that frames come in with; 0: none
     * \return whether there is one now, to an adapter or an uplink: no limit, policy, trace or
     * listener on it
     */
    bool FindPassage(uint16_t port,
                     const Mac48Address& source,
                     const Mac48Address& destination,
                     uint32_t octets,
                     uint16_t tag,
                     EsxPassage& passage) const;
    EsxDeferrals& GetDeferrals();
    /// Counts deferred frames into the port that they came in by.
    void CountSent(const EsxPassage& passage, uint32_t frames, uint64_t octets);
    /// Counts deferred frames out of the port of their receiver, or of the uplink.
    void CountDelivered(const EsxPassage& passage, uint32_t frames, uint64_t octets);
    /// Delivers a deferred frame that was sent, by an event of its own. \param wait from now on
    void DeliverSingly(const EsxPassage& passage,
                       Ptr<Packet> packet,
                       const Mac48Address& source,
                       const Mac48Address& destination,
                       uint16_t protocol,
                       Time wait);
    /// Counts deferred frames before this instant; whoever reads counts calls it.
    void Settle();
    /// All deferred frames go singly from now on.
    void GoSingly();
    Time GetDelay() const;

    /// A frame came to a port that cannot take it: it is counted in, and dropped before the tap.
    void Reject(uint16_t port, Ptr<const Packet> packet, EsxDropCause cause);

    /// The device in a port has a new MAC address: registers it in place of the old one.
    void ChangeAddress(uint16_t local, const Mac48Address& from, const Mac48Address& to);
    /// Tells the physical switches where the device in a port is (EsxVirtualNetDevice::Announce).
    void Announce(uint16_t local);
    /// The device in a port got or lost its rings.
    void RingChanged(uint16_t local);
    /// The device in a port went into or out of promiscuous mode.
    void PromiscuityChanged();
    /// The link of an uplink in a port went up or down.
    void LinkChanged(uint16_t local);

  protected:
    void DoInitialize() override;
    void DoDispose() override;

  private:
    friend class EsxHost; // gives ID and name, deletes

    /// Where a frame goes. Exactly one of port, flood and cause applies.
    struct Decision
    {
        EsxPort* port{nullptr};                     //!< the single receiver
        EsxPort* blames{nullptr};                   //!< where a drop counts; nullptr: at the input
        bool flood{false};                          //!< to all but the input, and one uplink
        EsxDropCause cause{EsxDropCause::OWN_PORT}; //!< if neither of the two

        static Decision To(EsxPort* port)
        {
            return {port, nullptr, false, {}};
        }

        static Decision Flooded()
        {
            return {nullptr, nullptr, true, {}};
        }

        static Decision Dropped(EsxDropCause cause, EsxPort* blames = nullptr)
        {
            return {nullptr, blames, false, cause};
        }
    };

    class Delivery;
    class Wait;
    class FilteredFlood;

    void Attach(EsxHost* host, uint16_t id, const std::string& name);
    void Delete();
    void SetConfiguredPorts(uint32_t ports);
    void SetMtu(uint16_t mtu);
    uint16_t GetMtu() const;
    void SetDelay(Time delay);
    EsxPort& NewPort(EsxPortKind kind, const std::string& name);
    void Detach(EsxPort& port);
    void LogPort(const EsxPort& port) const;
    void DetachUplink(EsxPort& port);
    void Register(const EsxPort& port, const Mac48Address& address);
    std::size_t IndexOfPortGroup(const std::string& name) const;

    // esx-vswitch-policy.cc
    const EsxPortPolicy& PolicyOf(std::size_t group) const;
    void CheckUplinks(const EsxPortPolicy& policy) const;
    void Renew();
    void RenewPort(EsxPort& port);
    void RenewShaper(EsxPort& port, const EsxPortPolicy& policy);
    void RenewListeners();
    void NotifySwitches(EsxPort& port);

    // esx-vswitch-forwarding.cc
    bool Admit(EsxPort& input, EsxFrame& frame, uint32_t octets);
    bool Classify(const EsxPort& input, EsxFrame& frame) const;
    bool Shape(EsxPort& input, EsxFrame& frame);
    void Forward(EsxPort& input, EsxFrame& frame);
    void Dispatch(EsxPort& input, const Decision& decision, EsxFrame& frame);
    Decision Decide(const EsxPort& input, const EsxFrame& frame) const;
    static bool IsIn(const EsxPort& port, uint16_t vlan);
    bool IsOwn(const EsxFrame& frame) const;
    EsxPort* SelectUplink(const EsxPort& input, const EsxFrame& frame) const;
    EsxPort* FindExit(const EsxPort& from,
                      const Mac48Address& destination,
                      uint32_t octets,
                      uint16_t tag) const;
    void CopyToListeners(const EsxPort& input, const EsxPort* output, const EsxFrame& frame);
    void Flood(EsxPort& input, const EsxFrame& frame);
    void Output(EsxPort& port, EsxFrame& frame);
    void Transmit(EsxPort& port, EsxFrame& frame);
    void Deliver(EsxPort& port, const EsxFrame& frame, bool filtered);
    void Drop(EsxPort& port, const Ptr<const Packet>& packet, EsxDropCause cause);

    EsxHost* m_host{nullptr}; //!< the host owns the vSwitch
    Time m_deletedAt{-1};
    EsxSwitchTap* m_tap{nullptr};
    uint16_t m_id{0};
    std::string m_name;
    uint32_t m_configuredPorts{56}; //!< attribute Ports
    uint16_t m_mtu{1500};           //!< attribute Mtu, octets after the Ethernet header
    Time m_delay;                   //!< attribute Delay
    bool m_allowUnknownUplinks{false};
    Ptr<EsxPortPolicy> m_policy; //!< attribute Policy
    std::vector<PortGroup> m_portGroups;
    std::vector<Ptr<EsxPortPolicy>> m_policies; //!< of port groups that have their own, by index
    std::vector<EsxTeam> m_teams;               //!< by index of port group
    std::bitset<4096> m_vlans;                  //!< VLANs that some port group is in
    std::vector<Ptr<EsxPort>> m_ports;          //!< m_ports[i] has local ID i + 1; never shrinks
    std::vector<EsxPort*> m_uplinks;            //!< connected uplinks in order of connection
    std::vector<EsxPort*> m_listeners;          //!< ports in promiscuous mode that may be
    uint32_t m_connected{0};                    //!< ports in use now
    EsxMacTable m_macs;
    EsxDeferrals m_deferrals;

    TracedCallback<Ptr<const Packet>, uint16_t, EsxDropCause> m_dropTrace;
    TracedCallback<Ptr<EsxPort>> m_connectedTrace;
};

} // namespace ns3

#endif /* ESX_VSWITCH_H */
