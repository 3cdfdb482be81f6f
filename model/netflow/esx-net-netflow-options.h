// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_NET_NETFLOW_OPTIONS_H
#define ESX_NET_NETFLOW_OPTIONS_H

#include <cstdint>
#include <string>
#include <vector>

namespace ns3
{

/// net-netflow's command line, taken apart as getopt(3) does: options in any order and clustered,
/// also behind the collector; of a repeated option the last one counts. Whether the names mean
/// something is left to who starts it.
struct EsxNetNetflowOptions
{
    static constexpr uint32_t MAX_POLL_MS = 86'400'000; //!< a day (our choice)
    /// Options of vmkload_app, which starts it, for EsxOptions.
    static constexpr const char* WRAPPER_OPTIONS = "+Si:h";

    std::string vSwitches; //!< -e: names separated by commas, none empty
    std::string collector; //!< host name or address
    uint16_t port{2055};
    uint32_t pollMs{1000};        //!< -s
    bool verbose{false};          //!< -v
    bool alternatePortIds{false}; //!< -p
    bool help{false};             //!< -h: the rest was not looked at
    std::string error;            //!< empty, or what is wrong with the line

    /// \param words the command's words, its name first
    static EsxNetNetflowOptions Parse(const std::vector<std::string>& words);
};

} // namespace ns3

#endif // ESX_NET_NETFLOW_OPTIONS_H
