// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_EXPORT_LAB_H
#define ESX_EXPORT_LAB_H

// One ESX host with NetFlow, two guests and a collector at the other end of a CSMA link:
//
//   esx1:  a .11   b .12   vmk0 .5
//          |       |       |
//          =+======+=======+= vSwitch0 ---- vmnic0 ======== collector .9:2055     10.0.0.0/24
//
// Tests let guest a send single frames at exact times; nothing answers them, so every frame in the
// books is one that a test sent, or an export datagram, or ARP.

#include "netflow/ledger.h"

#include "ns3/config.h"
#include "ns3/csma-channel.h"
#include "ns3/csma-helper.h"
#include "ns3/csma-net-device.h"
#include "ns3/esx-ethernet-helper.h"
#include "ns3/esx-host-helper.h"
#include "ns3/esx-ledger-helper.h"
#include "ns3/esx-net-netflow.h"
#include "ns3/esx-netflow-collector.h"
#include "ns3/esx-netflow-helper.h"
#include "ns3/inet-socket-address.h"
#include "ns3/internet-stack-helper.h"
#include "ns3/ipv4-address-helper.h"
#include "ns3/names.h"
#include "ns3/simulator.h"
#include "ns3/string.h"
#include "ns3/udp-header.h"
#include "ns3/uinteger.h"

#include <set>
#include <string>
#include <vector>

/// A NetFlow v5 datagram as the collector read it, decoded without the product's codec.
struct ReadDatagram
{
    struct Record
    {
        uint32_t source, destination;
        uint16_t input, output;
        uint32_t packets, octets, first, last;
        uint16_t sourcePort, destinationPort;
        uint8_t tcpFlags, protocol, tos;
    };

    ns3::Time at;
    uint16_t count, engine;
    uint32_t sysUptime, unixSecs, unixNsecs, sequence;
    std::vector<Record> records;

    static uint32_t Number(const std::vector<uint8_t>& octets, size_t at, size_t size)
    {
        uint32_t value = 0;
        for (size_t i = 0; i < size; ++i)
        {
            value = value << 8 | octets.at(at + i);
        }
        return value;
    }

    static ReadDatagram Read(const ns3::Ptr<const ns3::Packet>& packet)
    {
        std::vector<uint8_t> octets(packet->GetSize());
        packet->CopyData(octets.data(), octets.size());
        const auto u16 = [&](size_t at) { return static_cast<uint16_t>(Number(octets, at, 2)); };
        const auto u32 = [&](size_t at) { return Number(octets, at, 4); };
        ReadDatagram
            read{ns3::Simulator::Now(), u16(2), u16(20), u32(4), u32(8), u32(12), u32(16), {}};
        for (size_t at = 24; at < octets.size(); at += 48)
        {
            read.records.push_back({u32(at),
                                    u32(at + 4),
                                    u16(at + 12),
                                    u16(at + 14),
                                    u32(at + 16),
                                    u32(at + 20),
                                    u32(at + 24),
                                    u32(at + 28),
                                    u16(at + 32),
                                    u16(at + 34),
                                    octets[at + 37],
                                    octets[at + 38],
                                    octets[at + 39]});
        }
        return read;
    }
};

class NetflowLab
{
  public:
    static constexpr uint16_t IPV4 = 0x0800;
    /// Port of all export datagrams: nothing else goes there.
    static constexpr uint16_t COLLECTOR_PORT = 2055;

    /// \param hostAttribute set on the host, if its name is not empty
    /// \param fullDuplex the link is an EsxEthernetChannel
    explicit NetflowLab(const std::string& hostAttribute = "",
                        const ns3::AttributeValue& value = ns3::StringValue(),
                        bool fullDuplex = false)
    {
        // Without jitter a run is the same whatever ran before it in this process.
        ns3::Config::SetDefault("ns3::ArpL3Protocol::RequestJitter",
                                ns3::StringValue("ns3::ConstantRandomVariable[Constant=0.1]"));
        if (!hostAttribute.empty())
        {
            esx.SetHostAttribute(hostAttribute, value);
        }
        host = esx.CreateHost("esx1");
        vSwitch = esx.AddVSwitch(host, "vSwitch0");
        vSwitch->AddPortGroup("VM Network");
        collectorNode = ns3::CreateObject<ns3::Node>();
        ns3::InternetStackHelper().Install(collectorNode);
        csma.SetChannelAttribute("DataRate", ns3::StringValue("100Mbps"));
        ns3::EsxEthernetHelper ethernet;
        ethernet.SetDeviceAttribute("DataRate", ns3::StringValue("100Mbps"));
        const ns3::NodeContainer ends(host->GetVmkernelNode(), collectorNode);
        wire = fullDuplex ? ethernet.Install(ends) : csma.Install(ends);
        csma.AssignStreams(wire, 1);
        host->AddUplink(vSwitch, wire.Get(0));
        ns3::Ipv4AddressHelper("10.0.0.0", "255.255.255.0", "0.0.0.9").Assign(wire.Get(1));
        esx.AddVm(host, "a");
        esx.AddVm(host, "b");
        a = esx.AddVnic(host, "a", "VM Network", Address("10.0.0.11"));
        b = esx.AddVnic(host, "b", "VM Network", Address("10.0.0.12"));
        // Off, so that an idle lab's only records are those of the test.
        netflow.SetModuleAttribute("MeterOwnExport", ns3::BooleanValue(false));
        netflow.SetNetNetflowAttribute("AbortOnError", ns3::BooleanValue(false));
    }

    static ns3::Ipv4InterfaceAddress Address(const char* address)
    {
        return ns3::Ipv4InterfaceAddress(ns3::Ipv4Address(address), ns3::Ipv4Mask("/24"));
    }

    void AddVmknic()
    {
        esx.AddVmknic(host, "vmk0", "VM Network", Address("10.0.0.5"));
    }

    /// Installs the collector with the attributes set on `netflow`, and notes what it reads.
    void AddCollector()
    {
        collector = ns3::DynamicCast<ns3::EsxNetflowCollector>(
            netflow.InstallCollector(collectorNode).Get(0));
        collector->TraceConnectWithoutContext(
            "Rx",
            ns3::Callback<void,
                          ns3::Ptr<const ns3::Packet>,
                          const ns3::Address&,
                          const std::string&>([this](ns3::Ptr<const ns3::Packet> packet,
                                                     const ns3::Address&,
                                                     const std::string& error) {
                if (error.empty())
                {
                    read.push_back(ReadDatagram::Read(packet));
                }
            }));
    }

    /// vmknic, collector and the module's file: what every host needs to export.
    void AddExport()
    {
        AddVmknic();
        AddCollector();
        netflow.Install(host);
    }

    ns3::Ptr<ns3::EsxNetflow> Module() const
    {
        return host->GetObject<ns3::EsxNetflow>();
    }

    /// A net-netflow that starts with the run, or now if it runs already. Its output is noted.
    ns3::Ptr<ns3::EsxNetNetflow> Start(const std::string& vSwitches = "vSwitch0",
                                       const char* address = "10.0.0.9")
    {
        auto process = ns3::DynamicCast<ns3::EsxNetNetflow>(
            netflow.InstallNetNetflow(host, vSwitches, address).Get(0));
        process->TraceConnectWithoutContext(
            "Output",
            ns3::Callback<void, const std::string&>(
                [this](const std::string& line) { output += line + "\n"; }));
        return process;
    }

    /// Launches a net-netflow now. \return what it says if it ends at once
    std::string Launch(const std::string& vSwitches = "vSwitch0")
    {
        ns3::Ptr<ns3::EsxNetNetflow> launched = ns3::CreateObject<ns3::EsxNetNetflow>();
        launched->SetAttribute("VSwitches", ns3::StringValue(vSwitches));
        launched->SetAttribute("Collector", ns3::Ipv4AddressValue("10.0.0.9"));
        host->GetVmkernelNode()->AddApplication(launched);
        return launched->Launch();
    }

    /// Calls \p action at a time of the run.
    template <typename Action>
    static void At(ns3::Time at, Action action)
    {
        ns3::Simulator::Schedule(at - ns3::Simulator::Now(), std::function<void()>(action));
    }

    /// An IPv4 packet from a to b's MAC address, which b's IP stack is not interested in.
    static ns3::Ptr<ns3::Packet> MakePacket(uint16_t sourcePort, uint32_t octets)
    {
        ns3::Ptr<ns3::Packet> packet = ns3::Create<ns3::Packet>(octets - 28);
        ns3::UdpHeader udp;
        udp.SetSourcePort(sourcePort);
        udp.SetDestinationPort(9);
        packet->AddHeader(udp);
        ns3::Ipv4Header ip;
        ip.SetSource("10.0.0.11");
        ip.SetDestination("192.0.2.1");
        ip.SetProtocol(17);
        ip.SetPayloadSize(octets - 20);
        ip.SetTtl(64);
        packet->AddHeader(ip);
        return packet;
    }

    /// One packet of a flow of its own for each source port, \p octets of IP total length.
    void Send(ns3::Time at, uint16_t sourcePort, uint32_t octets = 100)
    {
        At(at, [this, sourcePort, octets] {
            a->Send(MakePacket(sourcePort, octets), b->GetAddress(), IPV4);
        });
    }

    /// \p flows packets at once, each of a flow of its own.
    void Burst(ns3::Time at, uint16_t firstPort, uint16_t flows)
    {
        for (uint16_t i = 0; i < flows; ++i)
        {
            Send(at, firstPort + i);
        }
    }

    /// Runs until a time; the ledger is installed the first time.
    void RunUntil(ns3::Time until)
    {
        if (!books.GetLedger())
        {
            books.InstallAll();
        }
        ns3::Simulator::Stop(until - ns3::Simulator::Now());
        ns3::Simulator::Run();
    }

    netflow::Counts Moved(netflow::Move move) const
    {
        return books.GetLedger()->GetMoved(move);
    }

    uint64_t Records(netflow::Move move) const
    {
        return Moved(move).records;
    }

    const std::vector<ns3::EsxExportDatagram>& Datagrams() const
    {
        return books.GetLedger()->GetTracker()->GetDatagrams(host->GetVmkernelNode()->GetId());
    }

    /// \return lines of the host's log that contain a text
    std::vector<std::string> Logged(const std::string& text) const
    {
        std::vector<std::string> lines;
        for (const std::string& line : host->GetLog()->GetLines())
        {
            if (line.find(text) != std::string::npos)
            {
                lines.push_back(line);
            }
        }
        return lines;
    }

    ns3::EsxHostHelper esx;
    ns3::EsxNetflowHelper netflow;
    ns3::EsxLedgerHelper books;
    ns3::CsmaHelper csma;
    ns3::Ptr<ns3::EsxHost> host;
    ns3::Ptr<ns3::EsxVSwitch> vSwitch;
    ns3::Ptr<ns3::EsxVnic> a;
    ns3::Ptr<ns3::EsxVnic> b;
    ns3::Ptr<ns3::Node> collectorNode;
    ns3::NetDeviceContainer wire; //!< 0: vmnic0, 1: the collector's NIC
    ns3::Ptr<ns3::EsxNetflowCollector> collector;
    std::vector<ReadDatagram> read; //!< in order of reading
    std::string output;             //!< what net-netflow processes printed
};

#endif // ESX_EXPORT_LAB_H
