// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/flow-pattern.h"

#include "runner/base/number-text.h"
#include "runner/base/user-error.h"
#include "runner/scenario/addresses.h"
#include "runner/scenario/scenario-diagnostic.h"

#include <algorithm>
#include <fmt/format.h>
#include <fnmatch.h>

namespace esxnf
{

namespace
{

const char* const FORM = "SOURCE[:PORT]->DESTINATION[:PORT], where * stands for any characters, "
                         "such as '10.1.101.11:*->10.1.101.21:3306'";

std::string
Trim(const std::string& text)
{
    const std::size_t first = text.find_first_not_of(' ');
    const std::size_t last = text.find_last_not_of(' ');
    return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

bool
IsPattern(const std::string& text)
{
    return text.find_first_not_of("0123456789.*") == std::string::npos;
}

bool
Glob(const std::string& pattern, std::string_view text)
{
    return fnmatch(pattern.c_str(), std::string(text).c_str(), FNM_NOESCAPE) == 0;
}

} // namespace

AddressesByName
AddressesOf(const std::string& folder)
{
    AddressesByName addresses;
    try
    {
        for (const auto& [address, name] :
             NamesOfAddresses(LoadScenario(folder + "/resolved.yaml")))
        {
            addresses[name].push_back(ToDotted(address));
        }
    }
    catch (const ScenarioError&)
    {
        addresses.clear(); // results of another version: numbers will do
    }
    return addresses;
}

FlowPattern::FlowPattern(const std::string& text, const AddressesByName& names)
{
    const std::size_t arrow = text.find("->");
    if (arrow == std::string::npos)
    {
        throw UserError(fmt::format("'{}' is no flow: {}", text, FORM));
    }
    m_source = ParseEnd(text.substr(0, arrow), names);
    m_destination = ParseEnd(text.substr(arrow + 2), names);
}

FlowPattern::End
FlowPattern::ParseEnd(std::string text, const AddressesByName& names)
{
    text = Trim(text);
    End end;
    const auto whole = names.find(text); // "esx1:vmk0" is a name, too
    const std::size_t colon = whole == names.end() ? text.rfind(':') : std::string::npos;
    const std::string address = text.substr(0, colon);
    end.port = colon == std::string::npos ? "*" : text.substr(colon + 1);
    const auto named = names.find(address);
    end.addresses = named == names.end() ? std::vector<std::string>{address} : named->second;
    if (address.empty() || end.port.empty() ||
        end.port.find_first_not_of("0123456789*") != std::string::npos ||
        (end.port.find('*') == std::string::npos && !ReadWhole(end.port, 0, UINT16_MAX)))
    {
        throw UserError(fmt::format("'{}' is no end of a flow: {}", text, FORM));
    }
    if (named == names.end() && !IsPattern(address))
    {
        std::vector<std::string> known;
        for (const auto& [name, addresses] : names)
        {
            known.push_back(name);
        }
        throw UserError(fmt::format("'{}' is neither an address nor a name; {}",
                                    address,
                                    Suggest(address, known)));
    }
    return end;
}

bool
FlowPattern::Matches(std::string_view source,
                     std::string_view sourcePort,
                     std::string_view destination,
                     std::string_view destinationPort) const
{
    return Matches(m_source, source, sourcePort) &&
           Matches(m_destination, destination, destinationPort);
}

bool
FlowPattern::Matches(const End& end, std::string_view address, std::string_view port)
{
    return Glob(end.port, port) &&
           std::any_of(end.addresses.begin(), end.addresses.end(), [&](const std::string& pattern) {
               return Glob(pattern, address);
           });
}

} // namespace esxnf
