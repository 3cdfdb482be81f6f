// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/scenario-fields.h"

#include <cctype>

namespace esxnf
{

void
Read(const Json& json, uint32_t& value)
{
    value = json.is_string() ? ns3::QueueSize(json.get<std::string>()).GetValue()
                             : json.get<uint32_t>();
}

void
Read(const Json& json, uint64_t& value)
{
    if (!json.is_string())
    {
        value = json.get<uint64_t>();
        return;
    }
    const auto text = json.get<std::string>();
    const unsigned shift = text[text.find_first_not_of("0123456789")] == 'G' ? 30 : 20;
    value = static_cast<uint64_t>(std::stoull(text)) << shift;
}

void
Read(const Json& json, ns3::Ipv4Address& value)
{
    value = ns3::Ipv4Address(json.get<std::string>().c_str());
}

void
Read(const Json& json, ns3::Mac48Address& value)
{
    value = ns3::Mac48Address(json.get<std::string>().c_str());
}

void
Read(const Json& json, InterfaceAddress& value)
{
    const auto text = json.get<std::string>();
    const auto slash = text.find('/');
    value.address = ns3::Ipv4Address(text.substr(0, slash).c_str());
    value.mask = ns3::Ipv4Mask(text.substr(slash).c_str());
}

void
Read(const Json& json, LinkEnd& value)
{
    const auto text = json.get<std::string>();
    const auto colon = text.find(':');
    value = {text.substr(0, colon), text.substr(colon + 1)};
}

void
Read(const Json& json, Span& value)
{
    const auto text = json.get<std::string>();
    const auto dots = text.find("..");
    value = {ns3::Time(text.substr(0, dots)), ns3::Time(text.substr(dots + 2))};
}

std::string
ToAttributeWord(const std::string& word)
{
    std::string spelt;
    bool upper = true;
    for (const char c : word)
    {
        if (c != '-')
        {
            spelt += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
        }
        upper = c == '-';
    }
    return spelt;
}

} // namespace esxnf
