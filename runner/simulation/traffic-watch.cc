// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/traffic-watch.h"

#include "runner/capture/capture-reader.h"

#include "ns3/boolean.h"
#include "ns3/channel.h"
#include "ns3/esx-capture-frames.h"
#include "ns3/simulator.h"

#include <algorithm>
#include <array>

namespace esxnf
{

using namespace ns3;

namespace
{

constexpr uint32_t ETHERNET = 14;

/// The first octets of a packet, read as IPv4 headers.
struct Headers
{
    /// \param before octets in front of the IP header
    Headers(const Packet& packet, uint32_t before)
    {
        std::array<uint8_t, ETHERNET + 64> copied{};
        const uint32_t size = packet.CopyData(copied.data(), before + octets.size()) - before;
        std::copy_n(copied.begin() + before, octets.size(), octets.begin());
        const uint32_t ipSize = (octets[0] & 15) * 4;
        isWhole = octets[0] >> 4 == 4 && ipSize >= 20 && size >= ipSize + 4;
        isFirstFragment = ((octets[6] & 0x1f) | octets[7]) == 0;
        if (isWhole)
        {
            destination =
                uint32_t{octets[16]} << 24 | octets[17] << 16 | octets[18] << 8 | octets[19];
            port = static_cast<uint16_t>(octets[ipSize + 2] << 8 | octets[ipSize + 3]);
        }
    }

    std::array<uint8_t, 64> octets{};
    bool isWhole{false};
    bool isFirstFragment{false};
    uint32_t destination{0};
    uint16_t port{0}; //!< destination port
};

bool
IsOf(const Traffic& traffic, const Headers& headers)
{
    const TrafficApp& app = *traffic.app;
    return headers.octets[9] == app.protocol &&
           (!app.Has(TrafficApp::PORTS) ||
            (headers.isFirstFragment && headers.port >= traffic.firstPort &&
             headers.port <= traffic.lastPort));
}

ReplayedCapture
Describe(const EsxCaptureFrames& frames)
{
    BooleanValue trustIpLength;
    frames.GetAttribute("TrustIpLength", trustIpLength);
    ReplayedCapture capture{frames.GetCounts().packets, frames.GetDamage(), {}};
    capture.odd = DescribeClock(frames.GetClockCounts(), 0, true);
    const std::vector<std::string> odd =
        DescribeCapture(frames.GetCounts(),
                        trustIpLength.Get() ? CapturedLengths::LOST : CapturedLengths::TRUE);
    capture.odd.insert(capture.odd.end(), odd.begin(), odd.end());
    return capture;
}

} // namespace

void
TrafficWatch::Watch(const TrafficPair& pair, const Ptr<ns3::Node>& sender, Ipv4Address destination)
{
    m_pairs.push_back(pair);
    std::unique_ptr<Sender>& watched = m_senders[sender->GetId()];
    if (!watched)
    {
        watched = std::make_unique<Sender>(sender);
    }
    watched->Add(destination, &m_pairs.back());
}

void
TrafficWatch::Watch(const TrafficPair& pair, const Ptr<EsxInjector>& injector, uint32_t target)
{
    m_pairs.push_back(pair);
    m_injected.push_back({&m_pairs.back(), injector, target});
}

std::vector<TrafficPair>
TrafficWatch::GetPairs() const
{
    for (const Injected& injected : m_injected)
    {
        if (!injected.injector->GetNode())
        {
            continue; // silenced, and disposed of
        }
        injected.pair->outcome.sent = injected.injector->HasSentTo(injected.target);
        if (const auto frames = DynamicCast<EsxCaptureFrames>(injected.injector->GetSource()))
        {
            injected.pair->outcome.capture = Describe(*frames);
        }
        if (injected.pair->traffic->inFlowFidelity && injected.target == 0)
        {
            const uint64_t packets = injected.injector->GetSent();
            injected.pair->outcome.fidelity = {packets, packets - injected.injector->GetPassed()};
        }
    }
    return {m_pairs.begin(), m_pairs.end()};
}

TrafficWatch::Sender::Sender(const Ptr<ns3::Node>& node)
{
    for (uint32_t i = 0; i < node->GetNDevices(); ++i)
    {
        const auto device = node->GetDevice(i);
        if (device->GetChannel() || DynamicCast<EsxVirtualNetDevice>(device)) // no loopback
        {
            device->TraceConnectWithoutContext(
                "MacTx",
                MakeBoundCallback(&Sender::Sent, this, PeekPointer(device)));
            m_devices.push_back(device);
        }
    }
}

TrafficWatch::Sender::~Sender()
{
    Disconnect();
}

void
TrafficWatch::Sender::Add(Ipv4Address destination, TrafficPair* pair)
{
    m_silent.emplace(destination.Get(), pair);
}

/// A device is about to hand a packet to its port.
void
TrafficWatch::Sender::Sent(Sender* sender, NetDevice* device, Ptr<const Packet> packet)
{
    if (device->IsLinkUp() && !EsxNetDevice::IsInjected(*packet)) // it is in a port
    {
        const bool isPhysical = device->GetChannel() != nullptr;
        sender->Note(*packet, isPhysical ? ETHERNET : 0);
    }
}

void
TrafficWatch::Sender::Note(const Packet& packet, uint32_t before)
{
    const Headers headers(packet, before);
    if (!headers.isWhole)
    {
        return; // ARP
    }
    auto [pair, end] = m_silent.equal_range(headers.destination);
    while (pair != end)
    {
        if (IsOf(*pair->second->traffic, headers))
        {
            pair->second->outcome.sent = true;
            pair = m_silent.erase(pair);
        }
        else
        {
            ++pair;
        }
    }
    if (m_silent.empty() && !m_devices.empty())
    {
        Simulator::ScheduleNow(&Sender::Disconnect, this); // a trace cannot lose a listener here
    }
}

void
TrafficWatch::Sender::Disconnect()
{
    for (const auto& device : m_devices)
    {
        device->TraceDisconnectWithoutContext(
            "MacTx",
            MakeBoundCallback(&Sender::Sent, this, PeekPointer(device)));
    }
    m_devices.clear();
}

} // namespace esxnf
