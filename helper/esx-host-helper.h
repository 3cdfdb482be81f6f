// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_HOST_HELPER_H
#define ESX_HOST_HELPER_H

#include "ns3/esx-host-container.h"
#include "ns3/esx-host.h"
#include "ns3/ipv4-address.h"
#include "ns3/ipv4-interface-address.h"
#include "ns3/net-device-container.h"
#include "ns3/object-factory.h"
#include "ns3/trace-helper.h"

#include <string>
#include <utility>
#include <vector>

namespace ns3
{

/// Direction of the frames of a port that a capture holds.
enum class EsxPcapDirection
{
    INGRESS, //!< accepted into the port: exactly what is offered to the meter
    EGRESS,  //!< handed to the port's device
    BOTH
};

/**
 * Builds ESX hosts, their vSwitches and virtual machines, with their IP stacks: IPv4 only, static
 * routes only, no forwarding (our choice). Captures have nanosecond timestamps.
 */
class EsxHostHelper : public PcapHelperForDevice, public AsciiTraceHelperForDevice
{
  public:
    EsxHostHelper();

    /// Sets an attribute of the hosts made from now on.
    void SetHostAttribute(const std::string& name, const AttributeValue& value);
    /// Sets an attribute of the vSwitches made from now on.
    void SetVSwitchAttribute(const std::string& name, const AttributeValue& value);
    /// Sets an attribute of the vNICs, vmknics and uplinks made from now on.
    void SetVnicAttribute(const std::string& name, const AttributeValue& value);
    void SetVmknicAttribute(const std::string& name, const AttributeValue& value);
    void SetUplinkAttribute(const std::string& name, const AttributeValue& value);
    /// Packets that may wait for one ARP reply at the vmknics made from now on; default 1000.
    void SetVmkernelArpQueue(uint32_t packets);

    /// \return a new host with a new VMkernel node
    Ptr<EsxHost> CreateHost(const std::string& name) const;
    /// Makes nodes the VMkernels of ESX hosts: "esx1", "esx2", ... in order. Devices and
    /// stacks that they have already stay.
    EsxHostContainer Install(const NodeContainer& vmkernels) const;

    /// \return a new vSwitch of the host
    Ptr<EsxVSwitch> AddVSwitch(Ptr<EsxHost> host, const std::string& name) const;
    /// Gives each host a new vSwitch with a port group.
    void InstallVSwitch(const EsxHostContainer& hosts,
                        const std::string& name,
                        const std::string& portGroup) const;
    /// Makes NICs of VMkernel nodes uplinks of their hosts' vSwitches of this name.
    void InstallUplinks(const NetDeviceContainer& nics, const std::string& vSwitch) const;
    /// Gives each VMkernel a vmknic and an IPv4 stack; addresses are put on by Ipv4AddressHelper.
    NetDeviceContainer InstallVmknics(const EsxHostContainer& hosts,
                                      const std::string& name,
                                      const std::string& portGroup) const;

    /// \return a new node with an IPv4 stack and no interface, registered as a guest of the host
    Ptr<Node> AddVm(Ptr<EsxHost> host, const std::string& name) const;
    /**
     * Makes nodes guests of a host and gives each a vNIC, without a stack or an address: those are
     * put on as on any device (InternetStackHelper, Ipv4AddressHelper). A node that is a guest of
     * the host already gets one more vNIC. Guests are named as ns3::Names does, else "vm" and the
     * node's ID.
     */
    NetDeviceContainer Install(const NodeContainer& guests,
                               Ptr<EsxHost> host,
                               const std::string& portGroup) const;
    /**
     * Gives a guest a vNIC with an address. Its ARP cache follows UseEsxArp().
     * \param gateway default router; Ipv4Address::GetZero(): none
     */
    Ptr<EsxVnic> AddVnic(Ptr<EsxHost> host,
                         const std::string& guest,
                         const std::string& portGroup,
                         const Ipv4InterfaceAddress& address,
                         Ipv4Address gateway = Ipv4Address::GetZero()) const;
    /**
     * Gives the VMkernel a vmknic with an address, and its IP stack if it has none yet. Its ARP
     * cache follows UseEsxArp() and holds 1000 waiting packets (our choice: ns-3's 3 would lose the
     * export bursts of a cold start).
     * \param gateway default router; Ipv4Address::GetZero(): none
     */
    Ptr<EsxVmknic> AddVmknic(Ptr<EsxHost> host,
                             const std::string& name,
                             const std::string& portGroup,
                             const Ipv4InterfaceAddress& address,
                             Ipv4Address gateway = Ipv4Address::GetZero()) const;

    /**
     * Sets the ARP rule of vNICs and vmknics (our choice) on devices with an IPv4 interface:
     * AddVnic() and AddVmknic() do it themselves. An address that was not answered is asked for
     * again as soon as there is a packet for it, where ns-3 would drop packets for 100 s first.
     * Guests retry after one second and up to a quarter more, by the MAC address: those that begin
     * together do not retry together.
     */
    static void UseEsxArp(const NetDeviceContainer& devices);

    /**
     * Fills the ARP caches of nodes (guests, VMkernels, collectors, routers) for each other where
     * they share a subnet, so that traffic between them begins without ARP. Call it once, when all
     * of them have their addresses; for large labs, with the pairs that talk. vSwitches announce
     * the nodes' vNICs and vmknics to the physical switches when the run begins, as ARP would.
     */
    static void FillArp(const NodeContainer& nodes);
    static void FillArp(const std::vector<std::pair<Ptr<Node>, Ptr<Node>>>& pairs);

    /// Makes a guest as fast as it is to be: rings bind from now on, and the guest gets ns-3's
    /// default queue disc, which the transmit ring stops when it is full. Once for each vNIC.
    void SetGuestRate(Ptr<EsxVnic> vnic, DataRate rate) const;

    /// Assigns streams from \p stream on to whatever draws random numbers at nodes: stacks,
    /// applications of EsxTrafficHelper, impairments of links, queue discs of uplinks. In the
    /// order of the nodes and of what they have. \return how many were used
    static int64_t AssignStreams(const NodeContainer& nodes, int64_t stream);
    /// The same for VMkernels and guests.
    static int64_t AssignStreams(const EsxHostContainer& hosts, int64_t stream);

    using PcapHelperForDevice::EnablePcap;
    /**
     * Captures a port in Ethernet form.
     * \param prefix the file is <prefix>-<host>-<vSwitch>-<port>.pcap
     * \param explicitFilename true: prefix is the name of the file
     * \param snapLength octets of each frame that are kept
     * \return the capture: closed, it tells whether all was written
     */
    Ptr<PcapFileWrapper> EnablePcap(const std::string& prefix,
                                    Ptr<EsxVSwitch> vSwitch,
                                    uint16_t port,
                                    EsxPcapDirection direction,
                                    bool explicitFilename = false,
                                    uint32_t snapLength = SNAP_ALL) const;

    /// \return a new capture with Ethernet link type and nanosecond timestamps. The sinks that hold
    /// it keep it open; it is closed with the last of them.
    static Ptr<PcapFileWrapper> CreateCapture(const std::string& filename,
                                              uint32_t snapLength = SNAP_ALL);
    /// Writes the Ethernet frames of a trace source into a capture, with the checksums that ns-3
    /// does not compute (EsxFillFrameChecksums).
    static void Capture(const Ptr<Object>& object,
                        const std::string& trace,
                        const Ptr<PcapFileWrapper>& file);

    static constexpr uint32_t SNAP_ALL = 65535; //!< whole frames

  private:
    void EnablePcapInternal(std::string prefix,
                            Ptr<NetDevice> device,
                            bool promiscuous,
                            bool explicitFilename) override;
    /// "-": handed to the vSwitch, "d": dropped before it, "r": received.
    void EnableAsciiInternal(Ptr<OutputStreamWrapper> stream,
                             std::string prefix,
                             Ptr<NetDevice> device,
                             bool explicitFilename) override;

    ObjectFactory m_hostFactory;
    ObjectFactory m_vSwitchFactory;
    ObjectFactory m_vnicFactory;
    ObjectFactory m_vmknicFactory;
    ObjectFactory m_uplinkFactory;
    uint32_t m_arpQueue{1000}; //!< our choice; ns-3: 3
};

} // namespace ns3

#endif /* ESX_HOST_HELPER_H */
