// SPDX-License-Identifier: GPL-2.0-only
#include "runner/probe/vlan-map.h"

#include "runner/base/user-error.h"

#include <charconv>
#include <fmt/format.h>
#include <set>

namespace esxnf
{

namespace
{

constexpr std::size_t VLANS = 4096;
constexpr uint16_t MAX_VLAN = 4094; // 4095 is reserved by 802.1Q

/// Reads a number at the front of \p rest and what ends it ('\0': the end of the text).
bool
Take(const char*& rest,
     const char* end,
     uint16_t low,
     uint16_t high,
     char terminator,
     uint16_t& out)
{
    const auto [next, error] = std::from_chars(rest, end, out);
    const bool ended = terminator ? next != end && *next == terminator : next == end;
    rest = next + (terminator ? 1 : 0);
    return error == std::errc{} && ended && out >= low && out <= high;
}

} // namespace

void
VlanMap::Add(const std::string& text)
{
    uint16_t vlan = 0;
    Ingress ingress;
    const char* rest = text.data();
    const char* const end = rest + text.size();
    if (!Take(rest, end, 1, MAX_VLAN, '=', vlan) ||
        !Take(rest, end, 1, UINT16_MAX, ':', ingress.vSwitch) ||
        !Take(rest, end, 0, UINT16_MAX, '\0', ingress.port))
    {
        throw UserError(fmt::format("--map: '{}' is not VLAN=SWITCH:PORT with a VLAN of 1 to {}, "
                                    "a switch ID of 1 to 65535 and a port of 0 to 65535",
                                    text,
                                    MAX_VLAN));
    }
    m_byVlan.resize(VLANS, Ingress{0, 0});
    if (m_byVlan[vlan].vSwitch != 0)
    {
        throw UserError(fmt::format("--map: VLAN {} is mapped twice", vlan));
    }
    m_byVlan[vlan] = ingress;
}

std::vector<uint16_t>
VlanMap::GetSwitches() const
{
    std::set<uint16_t> switches;
    for (const Ingress& ingress : m_byVlan)
    {
        if (ingress.vSwitch != 0)
        {
            switches.insert(ingress.vSwitch);
        }
    }
    return {switches.begin(), switches.end()};
}

} // namespace esxnf
