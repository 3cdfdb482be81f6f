// SPDX-License-Identifier: GPL-2.0-only
// Rules of links and routers: full duplex, what a frame takes, VLANs of a trunk, ICMP of routers.
#include "esx-test-case.h"

#include "ns3/esx-ethernet-helper.h"
#include "ns3/esx-physical-switch.h"
#include "ns3/esx-router-helper.h"
#include "ns3/icmpv4.h"
#include "ns3/inet-socket-address.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/string.h"
#include "ns3/udp-socket-factory.h"

using namespace ns3;

namespace
{

/// Two servers in networks of their own, on one router: 10.0.1.2 - router .1 - 10.0.2.2.
struct RoutedLab
{
    RoutedLab()
    {
        nodes.Create(3);
        EsxRouterHelper::Install(nodes.Get(0));
        EsxRouterHelper::InstallServer(NodeContainer(nodes.Get(1), nodes.Get(2)));
        for (uint32_t i : {1U, 2U})
        {
            links.push_back(EsxEthernetHelper().Install(nodes.Get(0), nodes.Get(i)));
            const std::string net = "10.0." + std::to_string(i);
            EsxRouterHelper::AddInterface(links.back().Get(0),
                                          {(net + ".1").c_str(), "255.255.255.0"});
            EsxRouterHelper::AddInterface(links.back().Get(1),
                                          {(net + ".2").c_str(), "255.255.255.0"},
                                          (net + ".1").c_str());
        }
        nodes.Get(1)->GetObject<Ipv4L3Protocol>()->TraceConnectWithoutContext(
            "LocalDeliver",
            Callback<void, const Ipv4Header&, Ptr<const Packet>, uint32_t>(
                [this](const Ipv4Header& header, Ptr<const Packet> packet, uint32_t) {
                    Icmpv4Header icmp;
                    packet->PeekHeader(icmp);
                    told = header.GetProtocol() == 1 ? icmp.GetType() * 10 + icmp.GetCode() : -1;
                }));
    }

    /// \return type * 10 + code of the ICMP message that answers a datagram
    int Send(const char* to)
    {
        const auto socket = Socket::CreateSocket(nodes.Get(1), UdpSocketFactory::GetTypeId());
        socket->Connect(InetSocketAddress(to, 9));
        socket->Send(Create<Packet>(100));
        Simulator::Run();
        return told;
    }

    NodeContainer nodes;
    std::vector<NetDeviceContainer> links;
    int told{0};
};

ESX_CASE(RoutedLab, Unreachable, "A router tells which network and which host cannot be reached")
{
    ESX_SAME(lab.Send("10.9.9.9"), 30);
    ESX_SAME(lab.Send("10.0.2.77"), 31);
    ESX_SAME(lab.Send("10.0.2.2"), 33); // it is there, and nobody listens
}

/// A cable between two nodes, and when frames arrive.
struct CableLab
{
    CableLab()
    {
        nodes.Create(2);
        helper.SetDeviceAttribute("DataRate", DataRateValue(DataRate("100Mbps")));
        devices = helper.Install(nodes);
    }

    /// Arrivals are noted from now on, in the place of the nodes' stacks.
    void Listen()
    {
        for (uint32_t i : {0U, 1U})
        {
            devices.Get(i)->SetReceiveCallback(NetDevice::ReceiveCallback(
                [this](Ptr<NetDevice>, Ptr<const Packet>, uint16_t, const Address&) {
                    arrivals.push_back(Simulator::Now());
                    return true;
                }));
        }
    }

    void Send(uint32_t end, uint32_t payload)
    {
        devices.Get(end)->Send(Create<Packet>(payload), devices.Get(1 - end)->GetAddress(), 0x0800);
    }

    EsxEthernetHelper helper;
    NodeContainer nodes;
    NetDeviceContainer devices;
    std::vector<Time> arrivals;
};

ESX_CASE(
    CableLab,
    FrameTime,
    "A frame takes FCS, preamble and gap beside its 60 octets or more; directions are independent")
{
    lab.Listen();
    lab.Send(0, 1500);
    lab.Send(1, 1500); // does not wait for the other
    lab.Send(0, 10);   // 60 octets at least, behind the first
    Simulator::Run();
    ESX_SAME(lab.arrivals.size(), 3U);
    ESX_SAME(lab.arrivals.at(0), NanoSeconds((1514 + 24) * 80));
    ESX_SAME(lab.arrivals.at(1), lab.arrivals.at(0));
    ESX_SAME(lab.arrivals.at(2), NanoSeconds((1514 + 24 + 60 + 24) * 80));
}

ESX_CASE(CableLab,
         NoContention,
         "Without contention frames wait for nobody, and a short one overtakes a long one")
{
    for (uint32_t i : {0U, 1U})
    {
        lab.devices.Get(i)->SetAttribute("Contention", StringValue("None"));
    }
    lab.Listen();
    lab.Send(0, 1500);
    lab.Send(0, 1500);
    lab.Send(0, 10);
    Simulator::Run();
    ESX_SAME(lab.arrivals.size(), 3U);
    ESX_SAME(lab.arrivals.at(0), NanoSeconds((60 + 24) * 80));
    ESX_SAME(lab.arrivals.at(1), NanoSeconds((1514 + 24) * 80));
    ESX_SAME(lab.arrivals.at(2), lab.arrivals.at(1));
}

ESX_CASE(CableLab,
         VlanOfATrunk,
         "The device of a VLAN gives its frames a tag and takes only its own")
{
    const auto one = EsxRouterHelper::AddVlan(lab.devices.Get(0), 101);
    const auto other = EsxRouterHelper::AddVlan(lab.devices.Get(1), 102);
    uint32_t taken = 0;
    const auto count =
        [&taken](Ptr<NetDevice>, Ptr<const Packet> packet, uint16_t, const Address&) {
            taken += packet->GetSize();
            return true;
        };
    other->SetReceiveCallback(NetDevice::ReceiveCallback(count));
    one->Send(Create<Packet>(100), other->GetAddress(), 0x0800);
    Simulator::Run();
    ESX_SAME(taken, 0U);
    const auto same = EsxRouterHelper::AddVlan(lab.devices.Get(1), 101);
    same->SetReceiveCallback(NetDevice::ReceiveCallback(count));
    one->Send(Create<Packet>(100), other->GetAddress(), 0x0800);
    Simulator::Run();
    ESX_SAME(taken, 100U);
}

} // namespace

std::vector<TestCase*>
EsxLinkCases()
{
    return {new Unreachable, new FrameTime, new NoContention, new VlanOfATrunk};
}
