// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_PACKET_SIZES_H
#define ESX_PACKET_SIZES_H

#include "ns3/random-variable-stream.h"

#include <cstdint>
#include <map>
#include <vector>

namespace ns3
{

/**
 * Sizes of the packets of many flows, so that those of one flow follow from its number alone and
 * the sum of any of them costs no more than one of them: DRAWS draws of a random variable in a
 * ring, of which each flow takes those from a place of its own on. A constant is drawn once.
 */
class EsxPacketSizes
{
  public:
    static constexpr uint32_t DRAWS = 4096;
    static constexpr uint32_t MOST = 65535; //!< IP total length
    static constexpr uint32_t PADDED = 46;  //!< least payload of an Ethernet frame

    /// The ring for packets that cannot be smaller than their headers.
    class Ring
    {
      public:
        Ring(const std::vector<uint16_t>& draws, uint32_t least);
        /// \param number of the flow. \return its place
        uint32_t PlaceOf(uint64_t number) const;
        /// \return octets of a flow's packet. \param index from 0
        uint32_t At(uint32_t place, uint32_t index) const;
        /// \return octets of a flow's packets before an index
        uint64_t SumBefore(uint32_t place, uint32_t index) const;
        /// \return the same, where each counts PADDED at least
        uint64_t PaddedSumBefore(uint32_t place, uint32_t index) const;
        uint32_t GetLeast() const; //!< the smallest size
        /// \return the largest size
        uint32_t GetMost() const;

      private:
        std::vector<uint32_t> m_sums;   //!< of all sizes before each, and of all
        std::vector<uint32_t> m_padded; //!< the same, of padded sizes
        uint32_t m_least;
        uint32_t m_most;
    };

    /// \param sizes drawn from at the first call. \param least octets of headers
    const Ring& Of(const Ptr<RandomVariableStream>& sizes, uint32_t least);

  private:
    std::vector<uint16_t> m_draws; //!< rounded
    std::map<uint32_t, Ring> m_rings;
};

} // namespace ns3

#endif // ESX_PACKET_SIZES_H
