// SPDX-License-Identifier: GPL-2.0-only
#include "runner/capture/libpcap-capture.h"

#include <pcap/pcap.h>
#include <sys/stat.h>

namespace esxnf
{

namespace
{

/// A batch ends when it has so many octets, so that jumbo frames do not make it large.
constexpr std::size_t BATCH_OCTETS = 1 << 18;

} // namespace

void
LibpcapCapture::Closer::operator()(pcap* handle) const
{
    pcap_close(handle);
}

LibpcapCapture::LibpcapCapture(const std::string& path)
    : m_path(path)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    m_handle.reset(
        pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, error));
    if (!m_handle)
    {
        const std::string reason = error; // begins with the path if the file cannot be opened
        throw CaptureError(reason.rfind(path, 0) == 0 ? reason : path + ": " + reason);
    }
    struct stat status = {};
    m_waits = fstat(fileno(pcap_file(m_handle.get())), &status) != 0 || !S_ISREG(status.st_mode);
}

std::size_t
LibpcapCapture::NextBatch(CapturedFrame* frames, std::size_t max)
{
    std::size_t count = 0;
    m_octets.clear();
    max = m_waits ? 1 : max;
    while (m_damage.empty() && count < max && m_octets.size() < BATCH_OCTETS && Read(frames[count]))
    {
        ++count;
    }
    if (count == 0 && !m_damage.empty())
    {
        throw DamagedPacket(m_path, m_count + 1, m_damage);
    }
    const uint8_t* data = m_octets.data(); // known only now that it does not grow any more
    for (std::size_t i = 0; i < count; ++i)
    {
        frames[i].data = data;
        data += frames[i].captured;
    }
    m_count += count;
    return count;
}

/// Appends the octets of the next frame. \return false at the end, and where there is damage
bool
LibpcapCapture::Read(CapturedFrame& frame)
{
    pcap_pkthdr* header = nullptr;
    const u_char* data = nullptr;
    const int result = pcap_next_ex(m_handle.get(), &header, &data);
    if (result == PCAP_ERROR_BREAK) // the end of the file
    {
        return false;
    }
    if (result != 1)
    {
        m_damage = pcap_geterr(m_handle.get());
        return false;
    }
    // At nanosecond precision tv_usec holds nanoseconds.
    const CapturedHeader read{static_cast<uint64_t>(header->ts.tv_sec),
                              static_cast<uint64_t>(header->ts.tv_usec),
                              header->caplen,
                              header->len};
    if (!IsSound(read))
    {
        m_damage = DescribeDamage(read);
        return false;
    }
    frame.unixNs = static_cast<int64_t>(read.seconds * 1'000'000'000 + read.fraction);
    frame.captured = read.captured;
    frame.wire = read.wire;
    m_octets.insert(m_octets.end(), data, data + header->caplen);
    return true;
}

int
LibpcapCapture::GetLinkType() const
{
    return pcap_datalink(m_handle.get());
}

} // namespace esxnf
