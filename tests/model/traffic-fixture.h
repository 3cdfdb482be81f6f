// SPDX-License-Identifier: GPL-2.0-only
#ifndef TRAFFIC_FIXTURE_H
#define TRAFFIC_FIXTURE_H

// Plain ns-3 nodes joined by SimpleNetDevices, and a tap that notes every IPv4 packet a node sends.
// The traffic tests need no ESX device.

#include "ns3/config.h"
#include "ns3/internet-stack-helper.h"
#include "ns3/ipv4-address-helper.h"
#include "ns3/ipv4-header.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/node-container.h"
#include "ns3/object-ptr-container.h"
#include "ns3/rng-seed-manager.h"
#include "ns3/simple-net-device-helper.h"
#include "ns3/simulator.h"
#include "ns3/string.h"
#include "ns3/tcp-header.h"
#include "ns3/tcp-l4-protocol.h"
#include "ns3/uinteger.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <vector>

class TrafficTest : public ::testing::Test
{
  protected:
    struct Sent
    {
        ns3::Time at;
        ns3::Ipv4Header ip;
        ns3::TcpHeader tcp; //!< of TCP packets
        uint32_t data;      //!< bytes after the TCP header

        bool Has(uint8_t flags) const
        {
            return ip.GetProtocol() == 6 && (tcp.GetFlags() & flags) == flags;
        }

        bool IsFirstSyn() const
        {
            return Has(ns3::TcpHeader::SYN) && !Has(ns3::TcpHeader::ACK);
        }
    };

    void SetUp() override
    {
        ns3::RngSeedManager::SetSeed(1);
        ns3::RngSeedManager::SetRun(1);
        // A cold ARP cache waits up to 10 ms; ns-3's 3 packets would not hold what is sent
        // meanwhile.
        ns3::Config::SetDefault("ns3::ArpCache::PendingQueueSize", ns3::UintegerValue(1000));
    }

    void TearDown() override
    {
        ns3::Simulator::Destroy();
    }

    /// Makes nodes with an IPv4 stack and taps them.
    ns3::NodeContainer MakeNodes(uint32_t count)
    {
        // A connection that never ends fails its test instead of hanging it.
        ns3::Simulator::Stop(ns3::Seconds(1000));
        ns3::NodeContainer nodes(count);
        ns3::InternetStackHelper stack;
        stack.SetIpv6StackInstall(false);
        stack.Install(nodes);
        for (uint32_t i = 0; i < count; ++i)
        {
            using Tap =
                ns3::Callback<void, ns3::Ptr<const ns3::Packet>, ns3::Ptr<ns3::Ipv4>, uint32_t>;
            nodes.Get(i)->GetObject<ns3::Ipv4L3Protocol>()->TraceConnectWithoutContext(
                "Tx",
                Tap([this](ns3::Ptr<const ns3::Packet> packet, ns3::Ptr<ns3::Ipv4>, uint32_t) {
                    Note(packet->Copy());
                }));
        }
        return nodes;
    }

    /// Joins \p nodes by one channel, subnet \p network/24, hosts from .1 up in order.
    static void Join(const ns3::NodeContainer& nodes,
                     const std::string& network,
                     const std::string& delay = "1us")
    {
        ns3::SimpleNetDeviceHelper link;
        link.SetChannelAttribute("Delay", ns3::StringValue(delay));
        link.SetDeviceAttribute("DataRate", ns3::StringValue("100Mb/s"));
        ns3::Ipv4AddressHelper addresses(network.c_str(), "255.255.255.0");
        addresses.Assign(link.Install(nodes));
    }

    template <typename Predicate>
    size_t Count(Predicate predicate) const
    {
        return std::count_if(m_sent.begin(), m_sent.end(), predicate);
    }

    /// Bytes of TCP payload sent to \p destination, repetitions included.
    uint64_t TcpDataTo(const char* destination) const
    {
        uint64_t bytes = 0;
        for (const auto& sent : m_sent)
        {
            bytes += sent.ip.GetDestination() == ns3::Ipv4Address(destination) ? sent.data : 0;
        }
        return bytes;
    }

    /// Sockets that the TCP stack of \p node still holds.
    static size_t TcpSockets(const ns3::Ptr<ns3::Node>& node)
    {
        ns3::ObjectPtrContainerValue sockets;
        node->GetObject<ns3::TcpL4Protocol>()->GetAttribute("SocketList", sockets);
        return sockets.GetN();
    }

    std::vector<Sent> m_sent;

  private:
    void Note(ns3::Ptr<ns3::Packet> packet)
    {
        Sent sent{ns3::Simulator::Now(), {}, {}, 0};
        packet->RemoveHeader(sent.ip);
        if (sent.ip.GetProtocol() == 6)
        {
            packet->RemoveHeader(sent.tcp);
            sent.data = packet->GetSize();
        }
        m_sent.push_back(sent);
    }
};

#endif // TRAFFIC_FIXTURE_H
