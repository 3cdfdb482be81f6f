// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_VSWITCH_H
#define ESX_VSWITCH_H

#include "esx-mac-table.h"
#include "esx-port.h"

#include "ns3/nstime.h"

#include <string>
#include <vector>

namespace ns3
{

class EsxHost;
class EsxVSwitch;

/**
 * What watches the frames of a vSwitch: the NetFlow module. At most one a vSwitch. The vSwitch
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
     */
    virtual void Ingress(const EsxVSwitch& vSwitch,
                         const Ptr<const Packet>& packet,
                         uint16_t protocol,
                         uint16_t input,
                         uint16_t output) = 0;

    /// Called before a monitored vSwitch goes away, while it is still whole. The vSwitch forgets
    /// its tap afterwards.
    virtual void SwitchDeleted(const EsxVSwitch& vSwitch) = 0;
};

/**
 * One virtual switch ("portset") of an ESX host. Devices call Input() synchronously; the vSwitch
 * decides, tells its tap, and schedules one event per receiving device, Delay later. Frames for an
 * uplink are handed to the physical NIC at once.
 *
 * Documented: MAC addresses are known by registration and never learned; no spanning tree, no
 * frame from uplink to uplink; unknown unicast goes from inside to the uplink and from an uplink
 * nowhere; broadcast and multicast go to all ports and, from inside, one uplink.
 *
 * Not modelled yet: VLANs (port groups of VLAN 0 only), security policies, shaping, teaming (the
 * first uplink whose link is up is used).
 */
class EsxVSwitch : public Object
{
  public:
    /// A named set of ports with common policies.
    struct PortGroup
    {
        std::string name; //!< unique on the host
        uint16_t vlan{0}; //!< 0: frames pass untouched (EST)
    };

    /**
     * \param vSwitch the vSwitch
     * \param packet frame without its Ethernet header
     * \param port local port ID: before the tap the port it came in by, after it the port it was
     *             forwarded to, or came in by if there is none
     * \param cause why
     */
    typedef void (*DropTracedCallback)(Ptr<const Packet> packet, uint16_t port, EsxDropCause cause);

    /// Ports that the vSwitch has beyond the configured ones (documented).
    static constexpr uint32_t RESERVED_PORTS = 8;

    static TypeId GetTypeId();
    EsxVSwitch();
    ~EsxVSwitch() override;

    /// \return switch ID: from the host's PortsetBase upwards in order of creation, never used
    /// again
    uint16_t GetId() const;
    const std::string& GetName() const;
    /// \return the host, nullptr once the vSwitch was removed from it
    Ptr<EsxHost> GetHost() const;
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
     * \param vlan only 0 can be simulated now
     */
    void AddPortGroup(const std::string& name, uint16_t vlan = 0);
    const std::vector<PortGroup>& GetPortGroups() const;
    bool HasPortGroup(const std::string& name) const;

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
    std::string GetPortName(uint16_t local) const;
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

    /// A frame came to a port that cannot take it: it is counted in, and dropped before the tap.
    void Reject(uint16_t port, Ptr<const Packet> packet, EsxDropCause cause);

    /// The device in a port has a new MAC address: registers it in place of the old one.
    void ChangeAddress(uint16_t local, const Mac48Address& from, const Mac48Address& to);

  protected:
    void DoDispose() override;

  private:
    friend class EsxHost; // gives ID and name, deletes

    /// Where a frame goes. Exactly one of port, flood and cause applies.
    struct Decision
    {
        EsxPort* port{nullptr};                     //!< the single receiver
        bool flood{false};                          //!< to all but the input, and one uplink
        EsxDropCause cause{EsxDropCause::OWN_PORT}; //!< if neither of the two
    };

    void Attach(EsxHost* host, uint16_t id, const std::string& name);
    void Delete();
    void SetConfiguredPorts(uint32_t ports);
    EsxPort& NewPort(EsxPortKind kind, const std::string& name);
    void Detach(EsxPort& port);
    void LogPort(const EsxPort& port) const;
    void Register(const EsxPort& port, const Mac48Address& address);
    bool Accept(EsxPort& input, const Ptr<Packet>& packet);
    Decision Decide(const EsxPort& input, uint64_t destination) const;
    EsxPort* SelectUplink(const EsxPort& input) const;
    void Flood(const EsxPort& input,
               const Ptr<Packet>& packet,
               const Mac48Address& source,
               const Mac48Address& destination,
               uint16_t protocol);
    void Output(EsxPort& port,
                Ptr<Packet> packet,
                const Mac48Address& source,
                const Mac48Address& destination,
                uint16_t protocol);
    void Transmit(EsxPort& port,
                  Ptr<Packet> packet,
                  const Mac48Address& source,
                  const Mac48Address& destination,
                  uint16_t protocol);
    void Deliver(uint16_t port,
                 Ptr<Packet> packet,
                 Mac48Address source,
                 Mac48Address destination,
                 uint16_t protocol);
    void Drop(EsxPort& port, const Ptr<const Packet>& packet, EsxDropCause cause);

    EsxHost* m_host{nullptr}; //!< the host owns the vSwitch
    EsxSwitchTap* m_tap{nullptr};
    uint16_t m_id{0};
    std::string m_name;
    uint32_t m_configuredPorts{56}; //!< attribute Ports
    uint16_t m_mtu{1500};           //!< attribute Mtu, octets after the Ethernet header
    Time m_delay;                   //!< attribute Delay
    std::vector<PortGroup> m_portGroups;
    std::vector<Ptr<EsxPort>> m_ports; //!< m_ports[i] has local ID i + 1; never shrinks
    std::vector<EsxPort*> m_uplinks;   //!< connected uplinks in order of connection
    uint32_t m_connected{0};           //!< ports in use now
    EsxMacTable m_macs;

    TracedCallback<Ptr<const Packet>, uint16_t, EsxDropCause> m_dropTrace;
};

} // namespace ns3

#endif /* ESX_VSWITCH_H */
