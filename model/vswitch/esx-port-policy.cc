// SPDX-License-Identifier: GPL-2.0-only
#include "esx-port-policy.h"

#include "model/esx-compat.h"

#include "ns3/boolean.h"
#include "ns3/enum.h"
#include "ns3/string.h"
#include "ns3/uinteger.h"

#include <algorithm>
#include <sstream>

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(EsxPortPolicy);

namespace
{

/// "vmnic0,vmnic1" -> two names
std::vector<std::string>
SplitNames(const std::string& text)
{
    std::vector<std::string> names;
    std::istringstream stream(text);
    for (std::string name; std::getline(stream, name, ',');)
    {
        names.push_back(name);
    }
    return names;
}

} // namespace

TypeId
EsxPortPolicy::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxPortPolicy")
            .SetParent<Object>()
            .SetGroupName("EsxNetflow")
            .AddConstructor<EsxPortPolicy>()
            .AddAttribute("Promiscuous",
                          "Whether an adapter in promiscuous mode gets all frames of its VLAN "
                          "(documented default: reject)",
                          BooleanValue(false),
                          MakeBooleanAccessor(&EsxPortPolicy::m_promiscuous),
                          MakeBooleanChecker())
            .AddAttribute("MacChanges",
                          "Whether a guest that changed its MAC address still gets frames "
                          "(documented default: accept)",
                          BooleanValue(true),
                          MakeBooleanAccessor(&EsxPortPolicy::m_macChanges),
                          MakeBooleanChecker())
            .AddAttribute("ForgedTransmits",
                          "Whether a guest may send with a source address that its adapter does "
                          "not have (documented default: accept)",
                          BooleanValue(true),
                          MakeBooleanAccessor(&EsxPortPolicy::m_forgedTransmits),
                          MakeBooleanChecker())
            .AddAttribute("Teaming",
                          "How the uplink of a frame is chosen: PortId, MacHash, IpHash or "
                          "Explicit",
                          EnumValue(PORT_ID),
                          MakeEsxEnumAccessor<Teaming>(&EsxPortPolicy::m_teaming),
                          MakeEnumChecker(PORT_ID,
                                          "PortId",
                                          MAC_HASH,
                                          "MacHash",
                                          IP_HASH,
                                          "IpHash",
                                          EXPLICIT_ORDER,
                                          "Explicit"))
            .AddAttribute("Failback",
                          "Whether an uplink is used again as soon as its link is back "
                          "(documented default: yes)",
                          BooleanValue(true),
                          MakeBooleanAccessor(&EsxPortPolicy::m_failback),
                          MakeBooleanChecker())
            .AddAttribute("NotifySwitches",
                          "Whether a frame tells physical switches where a port is, when it is "
                          "connected or moves to another uplink (documented default: yes)",
                          BooleanValue(true),
                          MakeBooleanAccessor(&EsxPortPolicy::m_notify),
                          MakeBooleanChecker())
            .AddAttribute("ActiveUplinks",
                          "Names in order, as \"vmnic0,vmnic1\"; empty: all but the standby ones",
                          StringValue(""),
                          MakeStringAccessor(&EsxPortPolicy::m_active),
                          MakeStringChecker())
            .AddAttribute("StandbyUplinks",
                          "Names in order of preference; used while no active uplink is up",
                          StringValue(""),
                          MakeStringAccessor(&EsxPortPolicy::m_standby),
                          MakeStringChecker())
            .AddAttribute("Shaping",
                          "Whether frames from a port into the vSwitch are shaped",
                          BooleanValue(false),
                          MakeBooleanAccessor(&EsxPortPolicy::m_shaping),
                          MakeBooleanChecker())
            .AddAttribute("AverageRate",
                          "Rate over many bursts, of Ethernet frames without FCS",
                          DataRateValue(DataRate("102400kbps")),
                          MakeDataRateAccessor(&EsxPortPolicy::m_average),
                          MakeDataRateChecker())
            .AddAttribute("PeakRate",
                          "Rate within a burst; at least the average rate",
                          DataRateValue(DataRate("102400kbps")),
                          MakeDataRateAccessor(&EsxPortPolicy::m_peak),
                          MakeDataRateChecker())
            .AddAttribute("BurstSize",
                          "Octets that a port that was silent may send at the peak rate",
                          UintegerValue(102400ULL * 1024),
                          MakeUintegerAccessor(&EsxPortPolicy::m_burst),
                          MakeUintegerChecker<uint64_t>())
            .AddAttribute("ShaperQueue",
                          "Frames that can wait in a port's shaper (our choice)",
                          UintegerValue(100),
                          MakeUintegerAccessor(&EsxPortPolicy::m_queue),
                          MakeUintegerChecker<uint32_t>());
    return tid;
}

EsxPortPolicy::EsxPortPolicy() = default;
EsxPortPolicy::~EsxPortPolicy() = default;

Ptr<EsxPortPolicy>
EsxPortPolicy::Copy() const
{
    return CopyObject<EsxPortPolicy>(Ptr<const EsxPortPolicy>(this));
}

std::string
EsxPortPolicy::Check() const
{
    if (m_shaping && m_average.GetBitRate() == 0)
    {
        return "shaping needs an average rate above 0";
    }
    if (m_shaping && m_peak < m_average)
    {
        return "the peak rate is below the average rate";
    }
    if (m_shaping && m_burst == 0)
    {
        return "shaping needs a burst size above 0";
    }
    std::vector<std::string> names = GetActiveUplinks();
    for (const std::string& name : GetStandbyUplinks())
    {
        names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    return twice != names.end() ? "uplink " + *twice + " is listed twice" : "";
}

bool
EsxPortPolicy::AllowsPromiscuous() const
{
    return m_promiscuous;
}

bool
EsxPortPolicy::AllowsMacChanges() const
{
    return m_macChanges;
}

bool
EsxPortPolicy::AllowsForgedTransmits() const
{
    return m_forgedTransmits;
}

EsxPortPolicy::Teaming
EsxPortPolicy::GetTeaming() const
{
    return m_teaming;
}

bool
EsxPortPolicy::HasFailback() const
{
    return m_failback;
}

bool
EsxPortPolicy::NotifiesSwitches() const
{
    return m_notify;
}

std::vector<std::string>
EsxPortPolicy::GetActiveUplinks() const
{
    return SplitNames(m_active);
}

std::vector<std::string>
EsxPortPolicy::GetStandbyUplinks() const
{
    return SplitNames(m_standby);
}

bool
EsxPortPolicy::IsShaping() const
{
    return m_shaping;
}

DataRate
EsxPortPolicy::GetAverageRate() const
{
    return m_average;
}

DataRate
EsxPortPolicy::GetPeakRate() const
{
    return m_peak;
}

uint64_t
EsxPortPolicy::GetBurstSize() const
{
    return m_burst;
}

uint32_t
EsxPortPolicy::GetShaperQueue() const
{
    return m_queue;
}

} // namespace ns3
