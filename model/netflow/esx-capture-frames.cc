// SPDX-License-Identifier: GPL-2.0-only
#include "esx-capture-frames.h"

#include "netflow/capture-clock.h"
#include "netflow/capture-file.h"

#include "ns3/abort.h"
#include "ns3/boolean.h"

#include <algorithm>
#include <deque>

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(EsxCaptureFrames);

namespace
{

constexpr uint32_t ETHERNET_SOURCE = 6;

} // namespace

struct EsxCaptureFrames::Impl
{
    explicit Impl(netflow::ReadOctets read)
        : file(std::move(read))
    {
    }

    netflow::CaptureFile file;
    netflow::CaptureClock clock;
    std::deque<EsxInjectedFrame> held; //!< their times are known of the first `decided`
    std::size_t decided{0};
    bool ended{false};
};

TypeId
EsxCaptureFrames::GetTypeId()
{
    static TypeId tid = TypeId("ns3::EsxCaptureFrames")
                            .SetParent<EsxFrameSource>()
                            .SetGroupName("EsxNetflow")
                            .AddConstructor<EsxCaptureFrames>()
                            .AddAttribute("TrustIpLength",
                                          "Whether the IP total length counts of packets that were "
                                          "cut without a note of their length",
                                          BooleanValue(false),
                                          MakeBooleanAccessor(&EsxCaptureFrames::m_trustIpLength),
                                          MakeBooleanChecker());
    return tid;
}

EsxCaptureFrames::EsxCaptureFrames() = default;
EsxCaptureFrames::~EsxCaptureFrames() = default;

std::string
EsxCaptureFrames::Open(const std::string& path)
{
    std::string error;
    netflow::ReadOctets octets = netflow::OpenOctets(path, error);
    if (!octets)
    {
        return path + ": " + error;
    }
    m_impl = std::make_unique<Impl>(std::move(octets));
    error = m_impl->file.Open();
    return error.empty() ? "" : path + ": " + error;
}

bool
EsxCaptureFrames::Next(EsxInjectedFrame& frame)
{
    NS_ABORT_MSG_IF(!m_impl, "EsxCaptureFrames: no capture is open");
    while (m_impl->decided == 0 && Read())
    {
    }
    if (m_impl->decided == 0)
    {
        return false;
    }
    frame = std::move(m_impl->held.front());
    m_impl->held.pop_front();
    --m_impl->decided;
    return true;
}

/// Reads a frame, and gives times to those that can have one now. \return false at the end
bool
EsxCaptureFrames::Read()
{
    using netflow::CaptureClock;
    using netflow::FrameVerdict;
    if (m_impl->ended)
    {
        return false;
    }
    netflow::CapturedFrame read;
    netflow::TimeNs time = CaptureClock::UNDECIDED;
    m_impl->ended = m_impl->file.NextBatch(&read, 1) == 0;
    if (m_impl->ended)
    {
        m_impl->clock.Decide();
    }
    else
    {
        const netflow::LinkLayer::Header header = read.link.ReadHeader(read.data, read.captured);
        if (!read.link.IsKnown() || read.captured <= header.size)
        {
            return true;
        }
        EsxInjectedFrame& frame = m_impl->held.emplace_back();
        frame.protocol = header.etherType;
        if (read.link.IsEthernet())
        {
            frame.source.emplace().CopyFrom(read.data + ETHERNET_SOURCE);
        }
        frame.packet = Create<Packet>(read.data + header.size, read.captured - header.size);
        const netflow::PacketSummary packet = m_impl->file.Parse(read, m_trustIpLength);
        if (packet.verdict == FrameVerdict::METERABLE || packet.verdict == FrameVerdict::NOT_IPV4)
        {
            const uint32_t told =
                m_trustIpLength && packet.verdict == FrameVerdict::METERABLE
                    ? header.size + read.link.GetTags(read.data, read.captured) + packet.octets
                    : 0;
            frame.packet->AddAtEnd(Create<Packet>(std::max(read.wire, told) - read.captured));
        }
        time = m_impl->clock.Observe(read.unixNs);
    }
    for (time = time == CaptureClock::UNDECIDED ? m_impl->clock.Take() : time;
         time != CaptureClock::UNDECIDED;
         time = m_impl->clock.Take())
    {
        m_impl->held[m_impl->decided++].at = NanoSeconds(time);
    }
    m_impl->clock.TakeBoots(); // absolute times are the simulation's
    return true;
}

std::string
EsxCaptureFrames::GetDamage() const
{
    return m_impl && m_impl->ended ? m_impl->file.DescribeDamage() : "";
}

const netflow::CaptureCounts&
EsxCaptureFrames::GetCounts() const
{
    NS_ABORT_MSG_IF(!m_impl, "EsxCaptureFrames: no capture is open");
    return m_impl->file.GetCounts();
}

netflow::ClockCounts
EsxCaptureFrames::GetClockCounts() const
{
    NS_ABORT_MSG_IF(!m_impl, "EsxCaptureFrames: no capture is open");
    return m_impl->clock.GetCounts();
}

} // namespace ns3
