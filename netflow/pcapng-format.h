// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Packets of a pcapng file: sections of either byte order; enhanced, simple and obsolete packet
 * blocks, each by the interface that it names; other blocks are passed over. CaptureFile uses it.
 */
#ifndef NETFLOW_PCAPNG_FORMAT_H
#define NETFLOW_PCAPNG_FORMAT_H

#include "netflow/capture-file.h"

#include <vector>

namespace netflow
{

/// See file comment.
class PcapngFormat : public CaptureFormat
{
  public:
    using CaptureFormat::CaptureFormat;

    /// Whether four octets begin a section.
    static bool KnowsMagic(const uint8_t* data);

  protected:
    bool Read(CapturedFrame& frame, bool mayMove) override;
    bool IsPlausible() override;

  private:
    /// Content of an interface description block.
    struct Interface
    {
        int linkType;
        LinkLayer link;
        uint32_t snapLength; //!< 0: no limit
        uint8_t resolution;  //!< if_tsresol
        int64_t offset;      //!< if_tsoffset, s
    };

    struct Block
    {
        uint32_t type;
        uint32_t size; //!< of all
        std::size_t
            visible; //!< octets of it in the window: the rest of a longer one does not count
    };

    /// A packet as its block describes it.
    struct Packet
    {
        uint32_t interface;
        uint64_t time; //!< in units of the interface
        bool timed;
        uint32_t captured;
        uint32_t wire;
        std::size_t dataAt; //!< in the block
    };

    bool FindBlock(Block& block, bool mayMove);
    std::string ReadHead(Block& block);
    bool IsWhole(const Block& block) const;
    bool FinishLongBlock();
    std::string BeginSection(const Block& block);
    std::string AddInterface(const Block& block);
    std::string Fill(CapturedFrame& frame, const Block& block);
    bool ReadPacket(const Block& block, Packet& packet) const;
    int64_t ToUnixNs(const Packet& packet, const Interface& interface);

    uint64_t m_longBlock{0};             //!< octets of a block longer than the window to pass yet
    std::vector<Interface> m_interfaces; //!< of the present section
};

} // namespace netflow

#endif // NETFLOW_PCAPNG_FORMAT_H
