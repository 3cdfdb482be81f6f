// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Any octets as a NetFlow v5 datagram: it is refused and leaves nothing behind, or encodes to the
 * same octets again.
 */
#include "check.h"
#include "netflow/v5-codec.h"

#include <algorithm>

extern "C" int
LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size)
{
    netflow::V5Header header;
    std::vector<netflow::V5Record> records;
    const netflow::V5Error error = netflow::DecodeV5(data, size, header, records);
    if (error != netflow::V5Error::NONE)
    {
        FUZZ_CHECK(records.empty());
        FUZZ_CHECK(netflow::ToString(error)[0] != '\0');
        return 0;
    }
    FUZZ_CHECK(records.size() == header.count && header.count >= 1 &&
               header.count <= netflow::V5_MAX_RECORDS);
    std::vector<uint8_t> encoded(size);
    netflow::EncodeV5Header(header, encoded.data());
    for (std::size_t i = 0; i < records.size(); ++i)
    {
        const std::size_t at = netflow::V5_HEADER_OCTETS + i * netflow::V5_RECORD_OCTETS;
        netflow::EncodeV5Record(records[i], encoded.data() + at);
    }
    FUZZ_CHECK(std::equal(encoded.begin(), encoded.end(), data));
    return 0;
}
