// SPDX-License-Identifier: GPL-2.0-only
#include "runner/capture/capture-frames.h"

#include <algorithm>

namespace esxnf
{

using namespace ns3;

namespace
{

constexpr uint32_t ETHERNET_HEADER = 14;
constexpr uint16_t ETHERTYPE_IPV4 = 0x0800;
constexpr uint16_t ETHERTYPE_IPV6 = 0x86dd;

} // namespace

CaptureFrames::CaptureFrames(const std::string& path)
    : m_reader(path)
{
    if (!m_reader.GetLink().IsEthernet() && !m_reader.GetLink().IsRaw())
    {
        throw CaptureError(path + ": only captures of Ethernet and of raw IP can be injected");
    }
}

bool
CaptureFrames::Next(EsxInjectedFrame& frame)
{
    const uint32_t header = m_reader.GetLink().IsEthernet() ? ETHERNET_HEADER : 0;
    CapturedFrame captured;
    do
    {
        if (!m_reader.Next(captured))
        {
            return false;
        }
    } while (captured.captured <= header);
    if (m_first < 0)
    {
        m_first = m_latest = captured.unixNs;
    }
    m_latest = std::max(m_latest, captured.unixNs);
    frame.at = NanoSeconds(m_latest - m_first);
    frame.target = 0;
    frame.source.reset();
    if (header > 0)
    {
        frame.source.emplace().CopyFrom(captured.data + 6);
        frame.protocol = static_cast<uint16_t>(captured.data[12] << 8 | captured.data[13]);
    }
    else
    {
        frame.protocol = captured.data[0] >> 4 == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4;
    }
    frame.packet = Create<Packet>(captured.data + header, captured.captured - header);
    const netflow::FrameVerdict verdict = m_reader.Parse(captured).verdict;
    if (verdict == netflow::FrameVerdict::METERABLE || verdict == netflow::FrameVerdict::NOT_IPV4)
    {
        frame.packet->AddAtEnd(Create<Packet>(captured.wire - captured.captured));
    }
    return true;
}

} // namespace esxnf
