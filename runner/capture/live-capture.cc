// SPDX-License-Identifier: GPL-2.0-only
#include "runner/capture/live-capture.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <pcap/pcap.h>
#include <poll.h>

namespace esxnf
{

namespace
{

// The longest link header here (20, Linux cooked v2) and what the parser reads behind it.
constexpr int SNAP_LENGTH = 20 + netflow::PARSE_OCTETS;
constexpr int BUFFER_OCTETS = 16 << 20; // a second of 10 Gbit/s in packets of 1500 octets, cut
constexpr int64_t NS_PER_SECOND = 1'000'000'000;

std::string
ExplainFailure(int status, const char* detail)
{
    switch (status)
    {
    case PCAP_ERROR_NO_SUCH_DEVICE:
        return "there is no such interface";
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
        return "no permission to capture: be root, or have the capability CAP_NET_RAW";
    case PCAP_ERROR_IFACE_NOT_UP:
        return "the interface is down";
    default:
        return detail && *detail ? detail : pcap_statustostr(status);
    }
}

} // namespace

void
LiveCapture::Closer::operator()(pcap* handle) const
{
    pcap_close(handle);
}

LiveCapture::LiveCapture(const std::string& interface, bool promiscuous)
    : m_interface(interface)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    m_handle.reset(pcap_create(interface.c_str(), error));
    if (!m_handle)
    {
        throw CaptureError(fmt::format("{}: {}", interface, error));
    }
    Activate(promiscuous);
    const int linkType = pcap_datalink(m_handle.get());
    m_link = LinkLayer::FromLinkType(linkType).value_or(LinkLayer());
    if (!m_link.IsKnown())
    {
        throw CaptureError(fmt::format("{}: link type {} is not supported; these are: {}",
                                       interface,
                                       LinkTypeName(linkType),
                                       LinkLayer::GetNames()));
    }
    if (pcap_setnonblock(m_handle.get(), 1, error) != 0)
    {
        throw CaptureError(fmt::format("{}: {}", interface, error));
    }
    m_descriptor = pcap_get_selectable_fd(m_handle.get());
    m_fractionUnit =
        pcap_get_tstamp_precision(m_handle.get()) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000;
}

void
LiveCapture::Activate(bool promiscuous)
{
    pcap* const handle = m_handle.get();
    pcap_set_snaplen(handle, SNAP_LENGTH);
    pcap_set_promisc(handle, promiscuous);
    pcap_set_buffer_size(handle, BUFFER_OCTETS);
    pcap_set_immediate_mode(handle, 1); // no frame waits while the clock drives expiry
    pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO); // else microseconds
    const int status = pcap_activate(handle);
    if (status < 0)
    {
        throw CaptureError(
            fmt::format("{}: {}", m_interface, ExplainFailure(status, pcap_geterr(handle))));
    }
}

bool
LiveCapture::Next(CapturedFrame& frame)
{
    pcap_pkthdr* header = nullptr;
    const u_char* data = nullptr;
    const int result = pcap_next_ex(m_handle.get(), &header, &data);
    if (result == 0)
    {
        return false;
    }
    if (result != 1)
    {
        throw CaptureError(fmt::format("{}: {}", m_interface, pcap_geterr(m_handle.get())));
    }
    frame.unixNs = std::min(header->ts.tv_sec * NS_PER_SECOND + header->ts.tv_usec * m_fractionUnit,
                            netflow::MAX_UNIX_NS);
    frame.data = data;
    frame.captured = header->caplen;
    frame.wire = header->len;
    frame.link = m_link;
    return true;
}

void
LiveCapture::Wait(std::chrono::milliseconds timeout) const
{
    pollfd waiting{m_descriptor, POLLIN, 0};
    poll(&waiting, 1, static_cast<int>(timeout.count()));
}

LiveDrops
LiveCapture::GetDrops() const
{
    pcap_stat statistics = {};
    if (pcap_stats(m_handle.get(), &statistics) != 0)
    {
        return {};
    }
    return {statistics.ps_drop, statistics.ps_ifdrop};
}

} // namespace esxnf
