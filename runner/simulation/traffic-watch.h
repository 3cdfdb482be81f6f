// SPDX-License-Identifier: GPL-2.0-only
// Watches traffic that really sends. An application's own trace fires although packets die for want
// of an ARP reply, so the ports are watched: a pair of sender and receiver has sent once a port
// took a frame of it.
#ifndef ESXNF_TRAFFIC_WATCH_H
#define ESXNF_TRAFFIC_WATCH_H

#include "runner/scenario/scenario.h"

#include "ns3/esx-injector.h"
#include "ns3/esx-virtual-net-device.h"
#include "ns3/node.h"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace esxnf
{

/// Reading of a capture that is replayed: packets, damage, oddities.
struct ReplayedCapture
{
    uint64_t packets{0};
    std::string damage;           //!< empty: none
    std::vector<std::string> odd; //!< times and frames, a line each
};

/// Packets of a sender's item in flow fidelity.
struct FlowFidelity
{
    uint64_t packets{0};
    uint64_t simulated{0}; //!< one by one
};

/// Result of the traffic between two nodes.
struct TrafficOutcome
{
    bool sent{false};
    std::optional<ReplayedCapture> capture; //!< of traffic that is one
    std::optional<FlowFidelity> fidelity;   //!< of a sender, with its first receiver
};

/// One sender and one receiver of an item of the scenario's traffic.
struct TrafficPair
{
    const Traffic* traffic{nullptr};
    std::string from;
    std::string to;
    TrafficOutcome outcome{};
};

class TrafficWatch
{
  public:
    /// Watches a sender with an IP stack. \param destination the address that it sends to
    void Watch(const TrafficPair& pair,
               const ns3::Ptr<ns3::Node>& sender,
               ns3::Ipv4Address destination);

    /// The same of injected traffic. \param target the injector's number of the receiver
    void Watch(const TrafficPair& pair,
               const ns3::Ptr<ns3::EsxInjector>& injector,
               uint32_t target);

    /// All pairs in order of Watch(). Call after the run.
    std::vector<TrafficPair> GetPairs() const;

  private:
    /// Costs a look-up of the destination for each packet of a sender until its last pair has sent,
    /// then nothing.
    class Sender
    {
      public:
        explicit Sender(const ns3::Ptr<ns3::Node>& node);
        ~Sender();
        Sender(const Sender&) = delete;
        Sender& operator=(const Sender&) = delete;
        void Add(ns3::Ipv4Address destination, TrafficPair* pair);

      private:
        static void Sent(Sender* sender,
                         ns3::NetDevice* device,
                         ns3::Ptr<const ns3::Packet> packet);
        void Note(const ns3::Packet& packet, uint32_t before);
        void Disconnect();

        std::vector<ns3::Ptr<ns3::NetDevice>> m_devices; //!< that are watched
        std::multimap<uint32_t, TrafficPair*> m_silent;  //!< pairs by destination
    };

    struct Injected
    {
        TrafficPair* pair;
        ns3::Ptr<ns3::EsxInjector> injector;
        uint32_t target;
    };

    mutable std::deque<TrafficPair> m_pairs;               //!< stay where they are
    std::map<uint32_t, std::unique_ptr<Sender>> m_senders; //!< by node ID
    std::vector<Injected> m_injected;
};

} // namespace esxnf

#endif // ESXNF_TRAFFIC_WATCH_H
