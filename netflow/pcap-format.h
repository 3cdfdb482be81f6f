// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Packets of a pcap file: versions 2.0 to 2.4, either byte order, micro- or nanoseconds, and
 * Kuznetzov's longer headers. CaptureFile uses it.
 */
#ifndef NETFLOW_PCAP_FORMAT_H
#define NETFLOW_PCAP_FORMAT_H

#include "netflow/capture-file.h"

namespace netflow
{

/// See file comment.
class PcapFormat : public CaptureFormat
{
  public:
    using CaptureFormat::CaptureFormat;

    /// Whether the window, at least four octets, begins with a magic number of pcap.
    bool KnowsMagic();

    /// Reads the file's header. \return what is wrong with it, or nothing
    std::string ReadHead();

  protected:
    std::size_t ReadUsual(CapturedFrame* frames, std::size_t max) override;
    bool Read(CapturedFrame& frame, bool mayMove) override;
    bool IsPlausible() override;

  private:
    /// A packet's header.
    struct Header
    {
        uint32_t seconds; //!< since 1970
        uint32_t fraction;
        uint32_t captured;
        uint32_t wire;
    };

    /// Whether lengths come in the other order: libpcap's rule for old files.
    enum class LengthOrder : uint8_t
    {
        USUAL,
        SWAPPED,
        LARGER_LAST,
    };

    Header ReadHeader(const uint8_t* at) const;
    void Fill(CapturedFrame& frame, const Header& header);
    bool IsOddAndFar(const Header& header) const;
    bool IsPlausibleHeader(const Header& header, uint32_t secondsBefore) const;

    uint32_t m_unit{1000}; //!< of the fraction, ns
    uint32_t m_snapLength{0};
    std::size_t m_headerSize{16};
    LengthOrder m_lengths{LengthOrder::USUAL};
    LinkLayer m_link;
    int m_linkType{0};
    uint32_t m_latest{0}; //!< seconds of the packet before; 0: none
};

} // namespace netflow

#endif // NETFLOW_PCAP_FORMAT_H
