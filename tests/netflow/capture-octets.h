// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Captures in memory, for the tests of what reads them.
 */
#ifndef TESTS_NETFLOW_CAPTURE_OCTETS_H
#define TESTS_NETFLOW_CAPTURE_OCTETS_H

#include "netflow/octet-window.h"

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <vector>

namespace netflow
{
namespace test
{

using Bytes = std::vector<uint8_t>;

/// Appends words in this machine's byte order, or the other one.
inline void
Append(Bytes& bytes, std::initializer_list<uint32_t> words, bool swapped = false)
{
    for (uint32_t word : words)
    {
        word = swapped ? __builtin_bswap32(word) : word;
        const auto* p = reinterpret_cast<const uint8_t*>(&word);
        bytes.insert(bytes.end(), p, p + sizeof(word));
    }
}

/// Octets as a pipe gives them. \param most how many at once
inline ReadOctets
ReadFrom(Bytes bytes, std::size_t most = SIZE_MAX)
{
    auto rest = std::make_shared<Bytes>(std::move(bytes));
    return [rest, most, at = std::size_t{0}](uint8_t* to, std::size_t max) mutable {
        const std::size_t count = std::min({max, most, rest->size() - at});
        std::copy_n(rest->begin() + static_cast<std::ptrdiff_t>(at), count, to);
        at += count;
        return static_cast<std::ptrdiff_t>(count);
    };
}

/// A block of pcapng.
inline void
AppendBlock(Bytes& bytes, uint32_t type, Bytes body, bool swapped = false)
{
    body.resize((body.size() + 3) / 4 * 4);
    const auto size = static_cast<uint32_t>(body.size() + 12);
    Append(bytes, {type, size}, swapped);
    bytes.insert(bytes.end(), body.begin(), body.end());
    Append(bytes, {size}, swapped);
}

} // namespace test
} // namespace netflow

#endif // TESTS_NETFLOW_CAPTURE_OCTETS_H
