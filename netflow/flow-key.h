// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The key by which packets are members of one flow. The exporter is not part of it: every exporter
 * has a cache of its own.
 */
#ifndef NETFLOW_FLOW_KEY_H
#define NETFLOW_FLOW_KEY_H

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace netflow
{

/**
 * Flow key, all fields in host byte order. VLAN is outside the key, as in NetFlow v5. Ports of ICMP
 * are those of rule R10 of docs/netflow-v5-rules.md.
 * The struct has no padding (see the assertions below), so keys are compared as bytes.
 */
struct FlowKey
{
    uint32_t source{0};          //!< IPv4 source address
    uint32_t destination{0};     //!< IPv4 destination address
    uint16_t sourcePort{0};      //!< transport source port; 0 for ICMP and later fragments
    uint16_t destinationPort{0}; //!< transport destination port; ICMP: type * 256 + code
    uint16_t vSwitch{0};         //!< switch ID
    uint16_t input{0};           //!< local port ID by which the packet entered the vSwitch
    uint8_t protocol{0};         //!< IP protocol number
    uint8_t tos{0};              //!< IP type of service octet
    uint16_t unused{0};          //!< always 0; fills the struct
};

static_assert(sizeof(FlowKey) == 20, "keys are compared as 20 bytes");
static_assert(std::has_unique_object_representations_v<FlowKey>, "no padding inside a key");

/// The octets of a key as numbers of this machine, to compare and to hash.
struct FlowKeyWords
{
    explicit FlowKeyWords(const FlowKey& key)
    {
        const auto* octets = reinterpret_cast<const unsigned char*>(&key);
        std::memcpy(&first, octets, sizeof(first));
        std::memcpy(&second, octets + sizeof(first), sizeof(second));
        std::memcpy(&tail, octets + sizeof(first) + sizeof(second), sizeof(tail));
    }

    uint64_t first;
    uint64_t second;
    uint32_t tail;
};

/// In few instructions: what waits for a key from memory keeps the processor from going ahead.
inline bool
operator==(const FlowKey& a, const FlowKey& b)
{
    const FlowKeyWords left(a);
    const FlowKeyWords right(b);
#ifdef __SSE2__
    using Octets __attribute__((vector_size(16))) = char;
    Octets leftOctets;
    Octets rightOctets;
    std::memcpy(&leftOctets, &a, sizeof(leftOctets));
    std::memcpy(&rightOctets, &b, sizeof(rightOctets));
    const auto equal = reinterpret_cast<Octets>(leftOctets == rightOctets);
    return __builtin_ia32_pmovmskb128(equal) == 0xffff && left.tail == right.tail;
#else
    return ((left.first ^ right.first) | (left.second ^ right.second) | (left.tail ^ right.tail)) ==
           0;
#endif
}

inline bool
operator!=(const FlowKey& a, const FlowKey& b)
{
    return !(a == b);
}

/// Lexicographic by field in order of declaration: the order of flows in every output.
bool operator<(const FlowKey& a, const FlowKey& b);

/// Random numbers that a table mixes into the hashes of its keys, so that nobody outside can
/// choose keys that meet.
struct HashSeed
{
    uint64_t first;
    uint64_t second;
    uint64_t tail; //!< odd
};

/// \return the seed of this process: random, and another one in the next process
const HashSeed& ProcessHashSeed();

/**
 * 32-bit hash of a key: a folded 64x64 -> 128 bit multiplication (the "multiply and fold" step of
 * wyhash). The last four octets go in multiplied, so that keys that differ in a port and in the
 * protocol do not meet. Both factors are added to the product: where one is 0, the other one still
 * counts. Nothing that anybody sees may depend on a hash.
 */
inline uint32_t
Hash(const FlowKey& key, const HashSeed& seed)
{
    const FlowKeyWords words(key);
    __extension__ using Wide = unsigned __int128;
    const uint64_t a = words.first ^ seed.first;
    const uint64_t b = (words.second ^ seed.second) + words.tail * seed.tail;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<uint32_t>(static_cast<uint64_t>(product) ^
                                 static_cast<uint64_t>(product >> 64) ^ a ^ b);
}

} // namespace netflow

#endif // NETFLOW_FLOW_KEY_H
