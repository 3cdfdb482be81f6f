// SPDX-License-Identifier: GPL-2.0-only
#include "esx-vmkernel-log.h"

#include "esx-host.h"

#include "ns3/log.h"
#include "ns3/trace-source-accessor.h"
#include "ns3/uinteger.h"

#include <cinttypes>
#include <cstdio>
#include <ctime>

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxVmkernelLog");
NS_OBJECT_ENSURE_REGISTERED(EsxVmkernelLog);

TypeId
EsxVmkernelLog::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxVmkernelLog")
            .SetParent<Object>()
            .SetGroupName("EsxNetflow")
            .AddConstructor<EsxVmkernelLog>()
            .AddAttribute("MaxLines",
                          "Lines kept in memory; when there are more, the oldest go",
                          UintegerValue(100000),
                          MakeUintegerAccessor(&EsxVmkernelLog::m_maxLines),
                          MakeUintegerChecker<uint32_t>(1))
            .AddTraceSource("Line",
                            "A line was written",
                            MakeTraceSourceAccessor(&EsxVmkernelLog::m_lineTrace),
                            "ns3::EsxVmkernelLog::LineTracedCallback");
    return tid;
}

EsxVmkernelLog::EsxVmkernelLog()
{
    NS_LOG_FUNCTION(this);
}

EsxVmkernelLog::~EsxVmkernelLog()
{
    NS_LOG_FUNCTION(this);
}

void
EsxVmkernelLog::SetHost(const EsxHost* host)
{
    m_host = host;
}

void
EsxVmkernelLog::Log(const std::string& module,
                    uint32_t number,
                    const std::string& text,
                    uint32_t world)
{
    Write(module + ": " + std::to_string(number) + ": " + text, world);
}

void
EsxVmkernelLog::Warning(const std::string& module,
                        uint32_t number,
                        const std::string& text,
                        uint32_t world)
{
    Log("WARNING: " + module, number, text, world);
}

void
EsxVmkernelLog::Write(const std::string& message, uint32_t world)
{
    if (!m_host)
    {
        return; // the host is being disposed of; there is no clock any more
    }
    const std::string line = FormatDate(m_host->GetUnixTimeNs()) + " " + m_host->GetName() +
                             " vmkernel: " + FormatUptime(m_host->GetUptime()) +
                             " cpu0:" + std::to_string(world) + ")" + message;
    ++m_written;
    m_lines.push_back(line);
    while (m_lines.size() > m_maxLines)
    {
        m_lines.pop_front();
    }
    m_lineTrace(line);
}

const std::deque<std::string>&
EsxVmkernelLog::GetLines() const
{
    return m_lines;
}

uint64_t
EsxVmkernelLog::GetNLines() const
{
    return m_written;
}

std::string
EsxVmkernelLog::FormatDate(uint64_t unixNs)
{
    // strftime's %b would follow the locale.
    static const char* const months[] =
        {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::time_t seconds = unixNs / 1000000000;
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    char text[sizeof("Nov 14 01:15:46") + 32]; // the rest is for what a compiler thinks possible
    std::snprintf(text,
                  sizeof(text),
                  "%s %2d %02d:%02d:%02d",
                  months[utc.tm_mon],
                  utc.tm_mday,
                  utc.tm_hour,
                  utc.tm_min,
                  utc.tm_sec);
    return text;
}

std::string
EsxVmkernelLog::FormatUptime(Time uptime)
{
    const int64_t ms = uptime.GetMilliSeconds();
    const int64_t s = ms / 1000;
    char text[64]; // a day count of 20 digits fits
    std::snprintf(text,
                  sizeof(text),
                  "%" PRId64 ":%02d:%02d:%02d.%03d",
                  s / 86400,
                  static_cast<int>(s / 3600 % 24),
                  static_cast<int>(s / 60 % 60),
                  static_cast<int>(s % 60),
                  static_cast<int>(ms % 1000));
    return text;
}

} // namespace ns3
