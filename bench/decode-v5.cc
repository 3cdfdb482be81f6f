// SPDX-License-Identifier: GPL-2.0-only
// Decodes a file of NetFlow v5 datagrams, one behind the other, into arrays of headers and records,
// and prints the least CPU time of several rounds in ms. bench/python.sh compares
// esx_netflow.decode_v5 with it.
#include "netflow/v5-codec.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <vector>

namespace
{

/// \return CPU time in ms; \p records is how many there were
double
Decode(const std::vector<uint8_t>& octets, std::size_t& records)
{
    const std::clock_t begin = std::clock();
    std::vector<netflow::V5Header> headers;
    std::vector<netflow::V5Record> all;
    std::vector<netflow::V5Record> some;
    headers.reserve(octets.size() / netflow::V5_MAX_OCTETS + 1);
    all.reserve(octets.size() / netflow::V5_RECORD_OCTETS);
    for (std::size_t at = 0; at < octets.size();)
    {
        netflow::V5Header header = netflow::DecodeV5Header(&octets[at]);
        const std::size_t size =
            netflow::V5_HEADER_OCTETS + header.count * netflow::V5_RECORD_OCTETS;
        if (netflow::DecodeV5(&octets[at], size, header, some) != netflow::V5Error::NONE)
        {
            std::fprintf(stderr, "refused at octet %zu\n", at);
            std::exit(1);
        }
        headers.push_back(header);
        all.insert(all.end(), some.begin(), some.end());
        at += size;
    }
    records = all.size();
    return 1e3 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

} // namespace

int
main(int argc, char** argv)
{
    if (argc != 2)
    {
        std::fprintf(stderr, "Usage: bench-decode-v5 FILE\n");
        return 2;
    }
    std::ifstream file(argv[1], std::ios::binary);
    const std::vector<uint8_t> octets{std::istreambuf_iterator<char>(file), {}};
    std::size_t records = 0;
    double best = 1e9;
    for (int round = 0; round < 15; ++round)
    {
        best = std::min(best, Decode(octets, records));
    }
    std::printf("%zu %.3f\n", records, best);
    return 0;
}
