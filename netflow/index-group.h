// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Four places of the flow table's index, looked at together. The flow table alone uses it.
 *
 * Candidates for a key are found in one go and without a branch: a loop over places that ends
 * at another one for each key is mispredicted, and then nothing that follows can begin until memory
 * has answered.
 */
#ifndef NETFLOW_INDEX_GROUP_H
#define NETFLOW_INDEX_GROUP_H

#include <cstdint>
#include <cstring>

namespace netflow
{

/// A view of a group; it begins at a multiple of its size.
class IndexGroup
{
  public:
    static constexpr uint32_t PLACES = 4;

    explicit IndexGroup(const uint32_t* places)
        : m_places(places)
    {
    }

    uint32_t At(uint32_t place) const
    {
        return m_places[place];
    }

    /// One bit for each place, the lowest for the first: whether it is \p value in the bits of
    /// \p mask.
    uint32_t Matches(uint32_t value, uint32_t mask) const
    {
        Quad places;
        std::memcpy(&places, __builtin_assume_aligned(m_places, sizeof(places)), sizeof(places));
        const auto equal = ((places ^ value) & mask) == 0; // all bits of a place, or none
#ifdef __SSE2__
        using Floats __attribute__((vector_size(16))) = float;
        return static_cast<uint32_t>(__builtin_ia32_movmskps(reinterpret_cast<Floats>(equal)));
#else
        return static_cast<uint32_t>((equal[0] & 1) | (equal[1] & 2) | (equal[2] & 4) |
                                     (equal[3] & 8));
#endif
    }

  private:
    using Quad __attribute__((vector_size(16))) = uint32_t;

    const uint32_t* m_places;
};

} // namespace netflow

#endif // NETFLOW_INDEX_GROUP_H
