// SPDX-License-Identifier: GPL-2.0-only
#include "runner/capture/capture-frames.h"
#include "runner/scenario/distribution.h"
#include "runner/scenario/scenario-check.h"

#include "ns3/esx-flow-profile.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>
#include <tuple>

namespace esxnf
{

namespace
{

/// Checks both ends of each traffic, and that its application can run there.
class TrafficChecker
{
  public:
    TrafficChecker(const Scenario& scenario, const LabNames& lab, ScenarioNotes& notes)
        : m_scenario(scenario),
          m_lab(lab),
          m_notes(notes)
    {
        for (const Link& link : scenario.links)
        {
            link.halfDuplex ? m_halfDuplex.insert({link.a.node, link.b.node}) : void();
        }
    }

    void Check()
    {
        for (const Node& node : m_scenario.nodes)
        {
            constexpr uint8_t udp = 17;
            if (node.kind == NodeKind::Collector)
            {
                m_listening[{node.name, udp, node.listen}] = {"", "its collector"};
            }
        }
        ScenarioNotes::Taken names;
        for (const auto& item : m_scenario.traffic)
        {
            m_notes.Take(names, "traffic", item.name, item.path + "/name");
            CheckTraffic(item);
        }
    }

  private:
    void CheckTraffic(const Traffic& traffic)
    {
        m_notes.CheckWithinRun(traffic.start, traffic.path + "/start");
        m_notes.CheckWithinRun(traffic.stop, traffic.path + "/stop");
        if (traffic.start >= traffic.stop)
        {
            m_notes.Error(traffic.path + "/start",
                          fmt::format("must be before stop; {} is not before {}",
                                      Text(traffic.start),
                                      Text(traffic.stop)));
        }
        CheckApp(traffic);
        CheckInjection(traffic);
        bool allKnown = true;
        for (const auto& from : traffic.from)
        {
            allKnown &= m_notes.Known(m_lab.senders, "VM or server", from, traffic.path + "/from");
        }
        for (const auto& to : traffic.to)
        {
            allKnown &=
                m_notes.Known(m_lab.receivers, "VM, server or collector", to, traffic.path + "/to");
        }
        if (allKnown)
        {
            CheckPairs(traffic);
            CheckReceivers(traffic);
        }
    }

    /// One program of a node has a port.
    void CheckReceivers(const Traffic& traffic)
    {
        const TrafficApp& app = *traffic.app;
        for (const auto& to : app.receiver.empty() ? std::vector<std::string>() : traffic.to)
        {
            const Listener ours{app.receiver, fmt::format("{} ({})", traffic.name, app.word)};
            const auto [first, isNew] =
                m_listening.emplace(std::tuple(to, app.protocol, traffic.firstPort), ours);
            if (first->second.receiver != app.receiver)
            {
                m_notes.Error(
                    traffic.path,
                    fmt::format("port {} of {} is that of {}, and {} has a receiver of its "
                                "own; allowed: another port",
                                traffic.firstPort,
                                to,
                                first->second.who,
                                app.word));
            }
        }
    }

    void CheckApp(const Traffic& traffic)
    {
        constexpr uint32_t maxUdpPayload = 65507; // 65535 - 20 (IPv4) - 8 (UDP)
        constexpr uint32_t minRequest = 8; // its first 8 bytes say how long the response is to be
        const auto has = [&](const char* key) { return m_notes.Has(traffic.path, key); };
        if (has("packet") && (traffic.packetBytes < 1 || traffic.packetBytes > maxUdpPayload))
        {
            m_notes.Error(traffic.path + "/packet",
                          fmt::format("a packet carries 1B to {}B", maxUdpPayload));
        }
        if (has("rate") && traffic.rate.GetBitRate() == 0)
        {
            m_notes.Error(traffic.path + "/rate", "must be more than 0bps");
        }
        if (has("request") && IsBelow(Random(traffic, "request", Quantity::Octets), minRequest))
        {
            m_notes.Error(traffic.path + "/request",
                          fmt::format("a request has at least {}B", minRequest));
        }
        if (has("every"))
        {
            CheckEvery(traffic);
        }
        if (traffic.firstPort > traffic.lastPort)
        {
            m_notes.Error(traffic.path + "/ports", "the first port must not be above the last");
        }
    }

    void CheckEvery(const Traffic& traffic)
    {
        const auto path = traffic.path + "/every";
        const auto isSenders = [&](const AttributeSetting& setting) {
            return setting.path == path && setting.type == traffic.app->sender;
        };
        const auto& settings = SettingsOf(m_scenario.attributes, traffic.path);
        if (std::none_of(settings.begin(), settings.end(), isSenders))
        {
            m_notes.Error(path, "has a fixed interval such as 10ms");
        }
        else if (IsBelow(Random(traffic, "every", Quantity::Seconds),
                         0.5e-9)) // less than ns-3 counts
        {
            m_notes.CheckPositive(ns3::Time(), path);
        }
    }

    /// A random quantity at a key; it is right.
    Distribution Random(const Traffic& traffic, const char* key, Quantity quantity) const
    {
        Distribution distribution;
        const Json& item = m_scenario.document.GetRoot().at(Json::json_pointer(traffic.path));
        ParseDistribution(item.at(key).get<std::string>(), quantity, distribution);
        return distribution;
    }

    /// At a half-duplex link (CSMA of ns-3) stacks are silent where frames are injected: no other
    /// traffic can use them.
    void CheckInjection(const Traffic& traffic)
    {
        const auto note = [&](const std::string& name, const std::string& path) {
            if (m_halfDuplex.count(name) == 0)
            {
                return;
            }
            if (IsInternet(name))
            {
                m_notes.Error(path, name + " is at a half-duplex link, where it answers no ARP");
            }
            auto& names = traffic.IsInjected() ? m_silent : m_talking;
            names.emplace(name, path);
            const auto& others = traffic.IsInjected() ? m_talking : m_silent;
            if (const auto other = others.find(name); other != others.end())
            {
                m_notes.Error(path,
                              fmt::format("{} has injected traffic and other traffic ({}) at a "
                                          "half-duplex link, where its IP stack is silent",
                                          name,
                                          m_notes.Line(other->second)));
            }
        };
        for (const auto& from : traffic.from)
        {
            note(from, traffic.path + "/from");
        }
        for (const auto& to : traffic.to)
        {
            note(to, traffic.path + "/to");
            if (traffic.IsInjected() && m_lab.nodes.count(to) && !m_lab.senders.count(to))
            {
                m_notes.Error(traffic.path + "/to",
                              to + " is a collector; injected frames go to VMs and servers");
            }
        }
        if (traffic.app->kind == TrafficKind::Capture)
        {
            CheckCapture(traffic);
        }
        if (traffic.app->kind == TrafficKind::Flows)
        {
            CheckMix(traffic);
            if (!traffic.hours.empty() &&
                *std::max_element(traffic.hours.begin(), traffic.hours.end()) == 0)
            {
                m_notes.Error(traffic.path + "/hours", "no flow begins at any hour");
            }
        }
    }

    void CheckMix(const Traffic& traffic)
    {
        for (const auto& from : traffic.from)
        {
            if (IsInternet(from) && m_notes.Has(traffic.path, "sources"))
            {
                m_notes.Error(traffic.path + "/sources", "sources are of the pools of " + from);
            }
        }
        if (traffic.profile.empty())
        {
            return;
        }
        std::vector<ns3::EsxProfiledFlow> ignored;
        uint64_t others = 0;
        const auto wrong =
            ns3::EsxReadFlowProfile(m_scenario.PathOf(traffic.profile), ignored, others);
        const auto path = traffic.path + "/profile";
        if (!wrong.empty())
        {
            m_notes.Error(path, wrong);
        }
        else if (others > 0)
        {
            m_notes.Warn(path, fmt::format("{} flows of IPv6 are left out", others));
        }
        if (!traffic.hours.empty())
        {
            m_notes.Error(traffic.path + "/hours", "does not go with 'profile'");
        }
    }

    bool IsInternet(const std::string& name) const
    {
        const auto node = m_lab.nodes.find(name);
        return node != m_lab.nodes.end() && node->second->kind == NodeKind::Internet;
    }

    /// Whether all values are the same and too small.
    static bool IsBelow(const Distribution& distribution, double least)
    {
        return distribution.kind == "constant" && distribution.parameters[0] < least;
    }

    void CheckCapture(const Traffic& traffic)
    {
        if (traffic.to.size() > 1)
        {
            m_notes.Error(traffic.path + "/to", "a capture goes to one VM");
        }
        if (traffic.file.empty())
        {
            m_notes.Error(traffic.path, "'file' is missing; allowed: the name of a capture");
            return;
        }
        try
        {
            ns3::CreateObject<CaptureFrames>(m_scenario.PathOf(traffic.file));
        }
        catch (const CaptureError& error)
        {
            m_notes.Error(traffic.path + "/file", error.what());
        }
    }

    /// Only by a gateway does traffic get to other networks, and to and from an internet.
    void CheckPairs(const Traffic& traffic)
    {
        for (const auto& from : traffic.from)
        {
            for (const auto& to : traffic.to)
            {
                const auto& inside = IsInternet(from) ? to : from;
                if (from == to)
                {
                    m_notes.Error(traffic.path + "/to",
                                  fmt::format("{} would send to itself", from));
                }
                else if (IsInternet(from) || IsInternet(to))
                {
                    CheckInternet(traffic, IsInternet(from) ? from : to, inside);
                }
                else if (!ShareNetwork(m_lab.senders.at(from), m_lab.receivers.at(to)) &&
                         !m_lab.gateways.count(from))
                {
                    m_notes.Error(traffic.path + "/to",
                                  fmt::format("{} has no address on a network of {}, which has no "
                                              "gateway",
                                              to,
                                              from));
                }
            }
        }
    }

    /// \param inside the other end
    void CheckInternet(const Traffic& traffic, const std::string& net, const std::string& inside)
    {
        if (traffic.app->kind != TrafficKind::Flows || IsInternet(inside))
        {
            m_notes.Error(traffic.path,
                          fmt::format("{} is an internet; allowed: 'app: flows' between it and VMs "
                                      "or servers",
                                      net));
        }
        else if (!m_lab.gateways.count(inside))
        {
            m_notes.Error(traffic.path,
                          fmt::format("{} has no gateway, by which {} is reached", inside, net));
        }
        else if (traffic.to.size() > 1 && std::count(traffic.to.begin(), traffic.to.end(), net) > 0)
        {
            m_notes.Error(traffic.path + "/to", net + " is an internet: it receives alone");
        }
    }

    static bool ShareNetwork(const LabNames::Addresses& ours, const LabNames::Addresses& theirs)
    {
        return std::any_of(ours.begin(), ours.end(), [&](const auto& a) {
            return std::any_of(theirs.begin(), theirs.end(), [&](const auto& b) {
                return a.SharesNetworkWith(b.address);
            });
        });
    }

    const Scenario& m_scenario;
    const LabNames& m_lab;
    ScenarioNotes& m_notes;
    std::set<std::string> m_halfDuplex; //!< nodes at half-duplex links
    ScenarioNotes::Taken m_silent;      //!< VMs at whose ports frames are injected, or arrive
    ScenarioNotes::Taken m_talking;     //!< VMs and nodes with other traffic

    struct Listener
    {
        std::string receiver; //!< TypeId
        std::string who;
    };

    std::map<std::tuple<std::string, uint8_t, uint16_t>, Listener> m_listening; //!< by IP protocol
};

} // namespace

void
CheckTraffic(const Scenario& scenario, const LabNames& lab, ScenarioNotes& notes)
{
    TrafficChecker(scenario, lab, notes).Check();
}

} // namespace esxnf
