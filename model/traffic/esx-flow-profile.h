// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_FLOW_PROFILE_H
#define ESX_FLOW_PROFILE_H

#include <cstdint>
#include <string>
#include <vector>

namespace ns3
{

/// A flow and its answers, as a row of a profile has it.
struct EsxProfiledFlow
{
    int64_t begin{0}; //!< ns since the first flow of the profile
    int64_t end{0};   //!< the same
    uint8_t protocol{0};
    uint16_t sourcePort{0};
    uint16_t destinationPort{0};
    uint32_t packets{0};
    uint64_t octets{0};        //!< IP total lengths
    uint32_t answerPackets{0}; //!< 0: none
    uint64_t answerOctets{0};
    uint32_t source{0};      //!< IPv4 address; 0: the profile has none
    uint32_t destination{0}; //!< the same
};

/**
 * Reads a profile in the biflow CSV of CESNET's FlowTest: a header with the columns START_TIME,
 * END_TIME (ms), L3_PROTO, L4_PROTO, SRC_PORT, DST_PORT, PACKETS, BYTES, PACKETS_REV, BYTES_REV
 * and, if there are addresses, SRC_IP and DST_IP, in any order; others are ignored.
 * \param [out] flows of IPv4, in order of begin
 * \param [out] others how many rows are of IPv6, which are left out
 * \return empty, or what is wrong, with the file's name and the line
 */
std::string EsxReadFlowProfile(const std::string& path,
                               std::vector<EsxProfiledFlow>& flows,
                               uint64_t& others);

/// \return octets of the IP header and of what follows it in each packet: TCP's header, or 8
uint32_t EsxHeaderOctets(uint8_t protocol);

} // namespace ns3

#endif // ESX_FLOW_PROFILE_H
