// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_HOST_H
#define ESX_HOST_H

#include "esx-vmkernel-log.h"

#include "ns3/esx-uplink.h"
#include "ns3/esx-vmknic.h"
#include "ns3/esx-vnic.h"
#include "ns3/esx-vswitch.h"
#include "ns3/event-id.h"
#include "ns3/node.h"
#include "ns3/traced-callback.h"

#include <string>
#include <vector>

namespace ns3
{

/**
 * One ESX Server 3.5 host, aggregated to its VMkernel node: owns the vSwitches, the uplinks, the
 * vmknics and the VMkernel log, and knows its guests, each of them an ordinary ns-3 node. Names,
 * IDs and limits are checked here; a script's mistake aborts with a reason.
 *
 * Limits (documented): 127 vSwitches, 4096 ports (reserved ones included, our reading), 512 port
 * groups.
 */
class EsxHost : public Object
{
  public:
    /// Product that the host runs.
    enum Edition
    {
        ESX35, //!< ESX Server 3.5
        ESX3I  //!< ESX Server 3i: no service console, so no NetFlow (documented)
    };

    /// How the host is.
    enum State
    {
        RUNNING,
        UNSTABLE, //!< runs on after what is documented to make it unstable
        HALTED    //!< stopped: nothing is forwarded, nothing runs
    };

    /// The state has changed.
    typedef void (*StateTracedCallback)(State state);

    /// A virtual machine.
    struct Guest
    {
        std::string name;
        Ptr<Node> node;
        std::vector<Ptr<EsxVnic>> vnics;     //!< in order of creation: eth0, eth1 …
        std::vector<std::string> portGroups; //!< of the vNICs
        std::vector<bool> connected; //!< "Connected" of the vNICs; in force while the power is on
        bool isOn{true};
        bool isHere{true}; //!< false: it moved to another host
        EventId arrival{}; //!< of a move to this host
    };

    /// A VMkernel interface.
    struct Vmknic
    {
        std::string name; //!< "vmk0"
        Ptr<EsxVmknic> device;
    };

    static constexpr uint32_t MAX_VSWITCHES = 127;   //!< documented
    static constexpr uint32_t MAX_PORTS = 4096;      //!< documented
    static constexpr uint32_t MAX_PORT_GROUPS = 512; //!< documented

    static TypeId GetTypeId();
    EsxHost();
    ~EsxHost() override;

    const std::string& GetName() const;
    Edition GetEdition() const;
    State GetState() const;
    /// Notes an event that is documented to make a host unstable: the log says so, it runs on.
    /// \param reason one line
    void MarkUnstable(const std::string& reason);
    /// Stops the host: all ports are detached; net-netflow and the console's sessions end.
    void Halt(const std::string& reason);
    Ptr<Node> GetVmkernelNode() const;
    Ptr<EsxVmkernelLog> GetLog() const;
    /// \return time since the host booted
    Time GetUptime() const;
    /// \return wall clock, nanoseconds since 1970-01-01 00:00:00 UTC
    uint64_t GetUnixTimeNs() const;
    /// \return a new world ID; the VMkernel's own is 1024
    uint32_t AllocateWorldId();

    /**
     * Adds a vSwitch and gives it the next switch ID.
     * \param name new on this host
     * \param vSwitch one that belongs to no host, with its attributes set
     */
    Ptr<EsxVSwitch> AddVSwitch(const std::string& name,
                               Ptr<EsxVSwitch> vSwitch = CreateObject<EsxVSwitch>());
    /// Deletes a vSwitch, also in the middle of a run: its tap is told, then all ports are
    /// detached. Its switch ID is not used again.
    void RemoveVSwitch(const std::string& name);
    /// \return nullptr if unknown
    Ptr<EsxVSwitch> GetVSwitch(const std::string& name) const;
    /// \return the vSwitch with this switch ID, deleted ones included; nullptr if never given
    Ptr<EsxVSwitch> GetVSwitchById(uint16_t id) const;
    /// \return in order of creation
    const std::vector<Ptr<EsxVSwitch>>& GetVSwitches() const;
    uint32_t GetNVSwitches() const;
    /// \return the vSwitch that has this port group, nullptr if none
    Ptr<EsxVSwitch> FindPortGroup(const std::string& portGroup) const;

    /**
     * Makes a NIC of the VMkernel node an uplink of a vSwitch. A NIC that was an uplink of a
     * vSwitch deleted since keeps its name and attributes.
     * \param name "vmnic3"; empty: the lowest free "vmnicN"
     * \param uplink one without a device, with its attributes set
     */
    Ptr<EsxUplink> AddUplink(Ptr<EsxVSwitch> vSwitch,
                             Ptr<NetDevice> device,
                             const std::string& name = "",
                             Ptr<EsxUplink> uplink = CreateObject<EsxUplink>());
    /// \return nullptr if unknown
    Ptr<EsxUplink> GetUplink(const std::string& name) const;
    const std::vector<Ptr<EsxUplink>>& GetUplinks() const;

    /**
     * Makes a VMkernel interface on the VMkernel node, without an IP address (the helper gives it
     * one).
     * \param name "vmk0"
     * \param vmknic one of no node, with its attributes set
     */
    Ptr<EsxVmknic> AddVmknic(const std::string& name,
                             const std::string& portGroup,
                             Ptr<EsxVmknic> vmknic = CreateObject<EsxVmknic>());
    /// \return nullptr if unknown
    Ptr<EsxVmknic> GetVmknic(const std::string& name) const;
    /// \return in order of creation
    const std::vector<Vmknic>& GetVmknics() const;

    /// Registers a virtual machine. Its node is the user's; it may have other devices.
    void AddGuest(const std::string& name, Ptr<Node> node);
    /// Gives a virtual machine one more vNIC, on its node, without an IP address. \param vnic one
    /// of no node, with its attributes set
    Ptr<EsxVnic> AddVnic(const std::string& guest,
                         const std::string& portGroup,
                         Ptr<EsxVnic> vnic = CreateObject<EsxVnic>());
    /**
     * Sets a vNIC's "Connected", also during a run. A vNIC that is connected again gets a new port.
     * \param vnic number of the vNIC: 0 for eth0
     * \return empty, or why it could not be connected: no such port group any more, no free port
     */
    std::string SetConnected(const std::string& guest, uint32_t vnic, bool connected);
    /// Switches a virtual machine off: all its vNICs leave their ports and neither send nor
    /// receive. Its IP stack and applications run on unheard (not modelled: their restart).
    void PowerOff(const std::string& guest);
    /// Switches it on again, its vNICs in new ports. \return empty, or which could not be connected
    std::string PowerOn(const std::string& guest);
    /**
     * VMotion: a virtual machine leaves its ports at once and is in ports of \p to after
     * \p downtime, in the port groups of the same names, whose vSwitches tell the physical
     * switches. In between it is as if switched off. Its memory moves with it. \return empty, or
     * why it stays where it is
     */
    std::string MoveGuest(const std::string& guest, const Ptr<EsxHost>& to, Time downtime);
    /// \return in order of registration, with those that moved to another host
    const std::vector<Guest>& GetGuests() const;
    /// \return nullptr if it is not here; valid until the next AddGuest or MoveGuest
    const Guest* GetGuest(const std::string& name) const;

    /// For vSwitches: aborts unless a port group of this name can be added.
    void CheckNewPortGroup(const std::string& name) const;

  protected:
    void DoInitialize() override;
    void DoDispose() override;

  private:
    Ptr<EsxVSwitch> RequirePortGroup(const std::string& portGroup) const;
    std::string NextUplinkName() const;
    Guest& RequireGuest(const std::string& name);
    std::string Plug(Guest& guest, uint32_t vnic);
    std::string WhyNotHere(const Guest& guest) const;

    std::string m_name;
    Edition m_edition{ESX35};
    State m_state{RUNNING};
    uint16_t m_portsetBase{1}; //!< first switch ID
    Time m_uptimeAtStart;
    uint64_t m_epochNs{0}; //!< wall clock at simulation time 0
    uint32_t m_nextWorld{EsxVmkernelLog::KERNEL_WORLD + 1};
    Ptr<EsxVmkernelLog> m_log;
    std::vector<Ptr<EsxVSwitch>> m_vSwitches;    //!< those that exist
    std::vector<Ptr<EsxVSwitch>> m_switchesMade; //!< all ever created, in order of their IDs
    std::vector<Ptr<EsxUplink>> m_uplinks;
    std::vector<Vmknic> m_vmknics;
    std::vector<Guest> m_guests;
    TracedCallback<State> m_stateTrace;
};

} // namespace ns3

#endif /* ESX_HOST_H */
