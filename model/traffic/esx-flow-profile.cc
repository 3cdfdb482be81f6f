// SPDX-License-Identifier: GPL-2.0-only
#include "esx-flow-profile.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <fstream>

namespace ns3
{

namespace
{

/// A column, and the largest number that it may hold.
struct Column
{
    const char* name;
    uint64_t most;
};

constexpr uint64_t MS = 1ULL << 43; // 278 years
constexpr uint64_t PACKETS = 1'000'000'000;
constexpr uint64_t OCTETS = 1ULL << 40;
constexpr std::array<Column, 10> COLUMNS{{{"START_TIME", MS},
                                          {"END_TIME", MS},
                                          {"L3_PROTO", 6},
                                          {"L4_PROTO", 255},
                                          {"SRC_PORT", 65535},
                                          {"DST_PORT", 65535},
                                          {"PACKETS", PACKETS},
                                          {"BYTES", OCTETS},
                                          {"PACKETS_REV", PACKETS},
                                          {"BYTES_REV", OCTETS}}};

using Cells = std::vector<std::string>;

Cells
Split(const std::string& line)
{
    Cells cells(1);
    for (const char c : line)
    {
        if (c == ',')
        {
            cells.emplace_back();
        }
        else if (c != '\r' && c != '"')
        {
            cells.back().push_back(c);
        }
    }
    return cells;
}

/// Reads a row's cell of a name; one that is not there stays "".
std::string
CellOf(const Cells& header, const Cells& row, const char* name)
{
    const std::size_t at = std::find(header.begin(), header.end(), name) - header.begin();
    return at < row.size() ? row[at] : "";
}

bool
ReadAddress(const std::string& text, uint32_t& address)
{
    std::array<unsigned, 4> part{};
    char more = 0;
    const bool isRead = text.find_first_not_of("0123456789.") == std::string::npos &&
                        std::sscanf(text.c_str(),
                                    "%3u.%3u.%3u.%3u%c",
                                    &part[0],
                                    &part[1],
                                    &part[2],
                                    &part[3],
                                    &more) == 4;
    address = part[0] << 24 | part[1] << 16 | part[2] << 8 | part[3];
    return isRead && *std::max_element(part.begin(), part.end()) <= 255;
}

/// \return why no packets can have these octets; empty: they can
std::string
WhyNot(uint64_t packets, uint64_t octets, uint8_t protocol, const char* column)
{
    const uint64_t least = EsxHeaderOctets(protocol);
    return octets >= packets * least && octets <= packets * 65535
               ? ""
               : std::string(column) + ": " + std::to_string(packets) + " packets have " +
                     std::to_string(packets * least) + " to " + std::to_string(packets * 65535) +
                     " octets";
}

/// \param [out] layer3 4 or 6. \return what is wrong with a row; empty: nothing
std::string
ReadRow(const Cells& header, const Cells& row, EsxProfiledFlow& flow, uint64_t& layer3)
{
    std::array<uint64_t, COLUMNS.size()> n{};
    for (std::size_t i = 0; i < COLUMNS.size(); ++i)
    {
        const std::string cell = CellOf(header, row, COLUMNS[i].name);
        const char* const end = cell.data() + cell.size();
        const auto [read, error] = std::from_chars(cell.data(), end, n[i]);
        if (error != std::errc() || read != end || n[i] > COLUMNS[i].most)
        {
            return std::string(COLUMNS[i].name) + " is no number from 0 to " +
                   std::to_string(COLUMNS[i].most) + ": " + cell;
        }
    }
    const auto& [start, end, l3, l4, from, to, packets, octets, packetsBack, octetsBack] = n;
    layer3 = l3;
    if (l3 == 6)
    {
        return "";
    }
    if (l3 != 4 || end < start || packets == 0)
    {
        return l3 != 4        ? "L3_PROTO is 4 or 6"
               : packets == 0 ? "PACKETS is at least 1"
                              : "END_TIME is before START_TIME";
    }
    flow = {static_cast<int64_t>(start) * 1'000'000,
            static_cast<int64_t>(end) * 1'000'000,
            static_cast<uint8_t>(l4),
            static_cast<uint16_t>(from),
            static_cast<uint16_t>(to),
            static_cast<uint32_t>(packets),
            octets,
            static_cast<uint32_t>(packetsBack),
            octetsBack};
    for (auto [name, address] :
         {std::pair("SRC_IP", &flow.source), std::pair("DST_IP", &flow.destination)})
    {
        const std::string cell = CellOf(header, row, name);
        if (!cell.empty() && !ReadAddress(cell, *address))
        {
            return std::string(name) + " is no IPv4 address: " + cell;
        }
    }
    const std::string wrong = WhyNot(packets, octets, flow.protocol, "BYTES");
    return wrong.empty() ? WhyNot(packetsBack, octetsBack, flow.protocol, "BYTES_REV") : wrong;
}

} // namespace

uint32_t
EsxHeaderOctets(uint8_t protocol)
{
    constexpr uint8_t TCP = 6;
    return protocol == TCP ? 40 : 28; // of others the first 8 octets after the IP header
}

std::string
EsxReadFlowProfile(const std::string& path, std::vector<EsxProfiledFlow>& flows, uint64_t& others)
{
    std::ifstream file(path);
    std::string line;
    if (!file || !std::getline(file, line))
    {
        return path + ": cannot be read, or is empty";
    }
    const Cells header = Split(line);
    for (const Column& column : COLUMNS)
    {
        if (std::find(header.begin(), header.end(), column.name) == header.end())
        {
            return path + ":1: there is no column " + column.name;
        }
    }
    others = 0;
    for (uint64_t number = 2; std::getline(file, line); ++number)
    {
        EsxProfiledFlow flow;
        uint64_t layer3 = 0;
        if (line.empty() || line == "\r")
        {
            continue;
        }
        const std::string wrong = ReadRow(header, Split(line), flow, layer3);
        if (!wrong.empty())
        {
            return path + ":" + std::to_string(number) + ": " + wrong;
        }
        layer3 == 6 ? void(++others) : flows.push_back(flow);
    }
    std::stable_sort(flows.begin(), flows.end(), [](const auto& a, const auto& b) {
        return a.begin < b.begin;
    });
    const int64_t start = flows.empty() ? 0 : flows.front().begin;
    for (EsxProfiledFlow& flow : flows)
    {
        flow.begin -= start;
        flow.end -= start;
    }
    return flows.empty() ? path + ": there is no flow of IPv4 in it" : "";
}

} // namespace ns3
