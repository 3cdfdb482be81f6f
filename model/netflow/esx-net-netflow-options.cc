// SPDX-License-Identifier: GPL-2.0-only
#include "model/netflow/esx-net-netflow-options.h"

#include "model/console/esx-options.h"

#include <charconv>

namespace ns3
{

namespace
{

/// \return false unless the whole text is a number in [1, high]
template <typename Number>
bool
ParseNumber(const std::string& text, uint64_t high, Number& number)
{
    uint64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end || value < 1 || value > high)
    {
        return false;
    }
    number = static_cast<Number>(value);
    return true;
}

/// \return empty, or what is wrong
std::string
CheckSwitches(const std::string& list)
{
    if (list.empty())
    {
        return "no virtual switch given (-e)";
    }
    const bool hasEmpty =
        list.front() == ',' || list.back() == ',' || list.find(",,") != std::string::npos;
    return hasEmpty ? "empty virtual switch name in '" + list + "'" : "";
}

/// Splits "host:port". \return empty, or what is wrong
std::string
SplitCollector(const std::string& text, EsxNetNetflowOptions& options)
{
    const std::size_t colon = text.find(':');
    options.collector = text.substr(0, colon);
    if (options.collector.empty())
    {
        return "no host in collector '" + text + "'";
    }
    if (colon != std::string::npos &&
        !ParseNumber(text.substr(colon + 1), UINT16_MAX, options.port))
    {
        return "bad port '" + text.substr(colon + 1) + "': 1 to 65535";
    }
    return "";
}

} // namespace

EsxNetNetflowOptions
EsxNetNetflowOptions::Parse(const std::vector<std::string>& words)
{
    const EsxOptions given = EsxOptions::Parse(words, "e:s:vph");
    EsxNetNetflowOptions options;
    options.help = given.Has('h');
    options.verbose = given.Has('v');
    options.alternatePortIds = given.Has('p');
    options.vSwitches = given.Get('e');
    options.error = given.error;
    const std::string poll = given.Get('s', "1000");
    if (options.error.empty() && !ParseNumber(poll, MAX_POLL_MS, options.pollMs))
    {
        options.error =
            "bad polling period '" + poll + "': 1 to " + std::to_string(MAX_POLL_MS) + " ms";
    }
    if (options.error.empty())
    {
        options.error = CheckSwitches(options.vSwitches);
    }
    if (options.error.empty() && given.operands.empty())
    {
        options.error = "no collector given";
    }
    if (options.error.empty() && given.operands.size() > 1)
    {
        options.error = "one collector only: " + given.operands[0] + " or " + given.operands[1];
    }
    if (options.error.empty())
    {
        options.error = SplitCollector(given.operands[0], options);
    }
    return options;
}

} // namespace ns3
