// SPDX-License-Identifier: GPL-2.0-only
#include "esx-packet-sizes.h"

#include <algorithm>
#include <cmath>

namespace ns3
{

namespace
{

uint64_t
SumOf(const std::vector<uint32_t>& sums, uint32_t place, uint32_t index)
{
    const uint64_t size = sums.size() - 1;
    const uint64_t end = uint64_t{place} + index;
    return end / size * sums.back() + sums[end % size] - sums[place];
}

} // namespace

EsxPacketSizes::Ring::Ring(const std::vector<uint16_t>& draws, uint32_t least)
    : m_sums{0},
      m_padded{0},
      m_least(MOST),
      m_most(least)
{
    m_sums.reserve(draws.size() + 1);
    m_padded.reserve(draws.size() + 1);
    for (uint32_t size : draws)
    {
        size = std::max(size, least);
        m_least = std::min(m_least, size);
        m_most = std::max(m_most, size);
        m_sums.push_back(m_sums.back() + size); // below 2^28
        m_padded.push_back(m_padded.back() + std::max(size, PADDED));
    }
}

/// A flow's number, stirred (the finalizer of SplitMix64): neighbours begin far from each other.
uint32_t
EsxPacketSizes::Ring::PlaceOf(uint64_t number) const
{
    number += 0x9e3779b97f4a7c15;
    number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9;
    number = (number ^ number >> 27) * 0x94d049bb133111eb;
    return (number ^ number >> 31) % (m_sums.size() - 1);
}

uint32_t
EsxPacketSizes::Ring::At(uint32_t place, uint32_t index) const
{
    const uint64_t at = (uint64_t{place} + index) % (m_sums.size() - 1);
    return m_sums[at + 1] - m_sums[at];
}

uint64_t
EsxPacketSizes::Ring::SumBefore(uint32_t place, uint32_t index) const
{
    return SumOf(m_sums, place, index);
}

uint64_t
EsxPacketSizes::Ring::PaddedSumBefore(uint32_t place, uint32_t index) const
{
    return SumOf(m_padded, place, index);
}

uint32_t
EsxPacketSizes::Ring::GetLeast() const
{
    return m_least;
}

uint32_t
EsxPacketSizes::Ring::GetMost() const
{
    return m_most;
}

const EsxPacketSizes::Ring&
EsxPacketSizes::Of(const Ptr<RandomVariableStream>& sizes, uint32_t least)
{
    if (m_draws.empty())
    {
        m_draws.resize(DynamicCast<ConstantRandomVariable>(sizes) ? 1 : DRAWS);
        std::generate(m_draws.begin(), m_draws.end(), [&sizes] {
            return static_cast<uint16_t>(
                std::clamp<double>(std::round(sizes->GetValue()), 0, MOST));
        });
    }
    return m_rings.try_emplace(least, m_draws, least).first->second;
}

} // namespace ns3
