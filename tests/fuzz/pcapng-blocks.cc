// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Octets as the bodies of pcapng blocks whose lengths are right, so that a fuzzer gets at what is
 * in them. Read as a file and in pieces as from a pipe: the same frames, inside the octets that
 * were read, with times that NetFlow can tell.
 *
 * Each block takes an octet for its type, two for the length of its body, and the body.
 */
#include "check.h"
#include "netflow/capture-clock.h"
#include "netflow/capture-file.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace
{

using Bytes = std::vector<uint8_t>;

void
Append32(Bytes& bytes, uint32_t value, bool swapped)
{
    value = swapped ? __builtin_bswap32(value) : value;
    const auto* p = reinterpret_cast<const uint8_t*>(&value);
    bytes.insert(bytes.end(), p, p + sizeof(value));
}

void
AppendBlock(Bytes& file, uint32_t type, const Bytes& body, bool swapped)
{
    const auto size = static_cast<uint32_t>(12 + body.size());
    Append32(file, type, swapped);
    Append32(file, size, swapped);
    file.insert(file.end(), body.begin(), body.end());
    Append32(file, size, swapped);
}

void
AppendSection(Bytes& file, bool swapped)
{
    Bytes body(16);
    const uint32_t order = swapped ? 0x4d3c2b1a : 0x1a2b3c4d;
    std::memcpy(body.data(), &order, sizeof(order));
    AppendBlock(file, 0x0a0d0d0a, body, swapped);
}

Bytes
ToFile(const uint8_t* data, std::size_t size)
{
    Bytes file;
    bool swapped = false;
    AppendSection(file, swapped);
    while (size >= 3)
    {
        const uint8_t type = data[0];
        const std::size_t length = std::min<std::size_t>(data[1] | data[2] << 8, size - 3);
        Bytes body(data + 3, data + 3 + length);
        body.resize((length + 3) / 4 * 4);
        if (type >= 0xf0) // a section of one or the other order
        {
            swapped = type % 2 == 1;
            AppendSection(file, swapped);
        }
        else
        {
            AppendBlock(file, type % 12, body, swapped);
        }
        data += 3 + length;
        size -= 3 + length;
    }
    return file;
}

/// All that matters of the frames, in octets.
Bytes
Read(const Bytes& file, std::size_t most, uint64_t& packets)
{
    std::size_t at = 0;
    netflow::CaptureFile capture([&](uint8_t* to, std::size_t max) -> std::ptrdiff_t {
        const std::size_t count = std::min({max, most, file.size() - at});
        std::memcpy(to, file.data() + at, count);
        at += count;
        return static_cast<std::ptrdiff_t>(count);
    });
    FUZZ_CHECK(capture.Open().empty());
    Bytes all;
    netflow::CaptureClock clock;
    netflow::TimeNs uptime = 0;
    netflow::CapturedFrame frames[7];
    packets = 0;
    while (const std::size_t count = capture.NextBatch(frames, 7))
    {
        for (std::size_t i = 0; i < count; ++i)
        {
            const netflow::CapturedFrame& f = frames[i];
            FUZZ_CHECK(f.captured <= f.wire && f.captured <= file.size());
            FUZZ_CHECK(f.unixNs >= netflow::NO_TIME && f.unixNs <= netflow::MAX_UNIX_NS);
            all.insert(all.end(), f.data, f.data + f.captured);
            Append32(all, f.wire, false);
            Append32(all, static_cast<uint32_t>(f.unixNs), false);
            netflow::TimeNs time = clock.Observe(f.unixNs);
            time = time == netflow::CaptureClock::UNDECIDED ? clock.Take() : time;
            for (; time != netflow::CaptureClock::UNDECIDED; time = clock.Take())
            {
                FUZZ_CHECK(time >= uptime);
                uptime = time;
            }
        }
        packets += count;
    }
    FUZZ_CHECK(capture.GetCounts().packets == packets);
    FUZZ_CHECK(capture.DescribeDamage().empty() == (capture.GetCounts().damages == 0));
    return all;
}

} // namespace

extern "C" int
LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size)
{
    const Bytes file = ToFile(data, size);
    uint64_t asFile = 0;
    uint64_t asPipe = 0;
    FUZZ_CHECK(Read(file, SIZE_MAX, asFile) == Read(file, 11, asPipe));
    FUZZ_CHECK(asFile == asPipe);
    return 0;
}
