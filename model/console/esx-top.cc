// SPDX-License-Identifier: GPL-2.0-only
#include "esx-top.h"

#include "ns3/simulator.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iomanip>
#include <locale>
#include <sstream>

namespace ns3
{

namespace
{

constexpr double BITS_PER_OCTET = 8;
constexpr double MEGA = 1e6;

EsxPortCounters
Difference(const EsxPortCounters& now, const EsxPortCounters& before)
{
    EsxPortCounters difference;
    difference.framesIn = now.framesIn - before.framesIn;
    difference.octetsIn = now.octetsIn - before.octetsIn;
    difference.framesOut = now.framesOut - before.framesOut;
    difference.octetsOut = now.octetsOut - before.octetsOut;
    for (std::size_t i = 0; i < ESX_DROP_CAUSES; ++i)
    {
        difference.drops[i] = now.drops[i] - before.drops[i];
    }
    return difference;
}

double
Percent(uint64_t dropped, uint64_t passed)
{
    return dropped == 0 ? 0 : 100.0 * static_cast<double>(dropped) / (dropped + passed);
}

/// Frames that died between the decision to hand them to the device and the device.
uint64_t
DroppedAtDevice(const EsxPortCounters& counts)
{
    uint64_t dropped = 0;
    for (std::size_t i = 0; i < ESX_DROP_CAUSES; ++i)
    {
        const bool isThere =
            EsxGetInfo(static_cast<EsxDropCause>(i)).Has(EsxDropCauseInfo::AT_DEVICE);
        dropped += isThere ? counts.drops[i] : 0;
    }
    return dropped;
}

EsxTopRow
RowOf(const EsxPort& port, const EsxVSwitch& vSwitch, const EsxPortCounters& counts, double seconds)
{
    EsxTopRow row;
    row.portId = port.GetShownId();
    row.uplink = port.GetKind() == EsxPortKind::UPLINK;
    row.up = port.IsConnected() && (!row.uplink || port.GetUplink()->IsLinkUp());
    row.usedBy = port.GetName();
    row.vSwitch = vSwitch.GetName();
    if (port.GetTeamUplink())
    {
        row.teamUplink = port.GetTeamUplink()->GetName();
    }
    const uint64_t before = counts.DropsBeforeTap();
    const uint64_t into = counts.framesIn - before;
    const double scale = seconds > 0 ? 1 / seconds : 0;
    const double packetsIn = counts.framesIn * scale;
    const double packetsOut = counts.framesOut * scale;
    const double megabitsIn = counts.octetsIn * BITS_PER_OCTET / MEGA * scale;
    const double megabitsOut = counts.octetsOut * BITS_PER_OCTET / MEGA * scale;
    const double droppedIn = Percent(before, into);
    const double droppedOut = Percent(DroppedAtDevice(counts), counts.framesOut);
    row.packetsTx = row.uplink ? packetsOut : packetsIn;
    row.megabitsTx = row.uplink ? megabitsOut : megabitsIn;
    row.percentDroppedTx = row.uplink ? droppedOut : droppedIn;
    row.packetsRx = row.uplink ? packetsIn : packetsOut;
    row.megabitsRx = row.uplink ? megabitsIn : megabitsOut;
    row.percentDroppedRx = row.uplink ? droppedIn : droppedOut;
    return row;
}

/// Two decimals. Not printf's %f, which follows the locale of the process.
std::string
Fixed(double value)
{
    std::ostringstream text;
    text.imbue(std::locale::classic());
    text << std::fixed << std::setprecision(2) << value;
    return text.str();
}

std::string
Line(const std::array<std::string, 12>& cells)
{
    // positive: right-aligned; negative: left-aligned
    static constexpr std::array<int, 12> WIDTHS{-9, 6, 3, -24, -10, -16, 10, 8, 10, 8, 7, 7};
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i)
    {
        const std::size_t width = std::abs(WIDTHS[i]);
        const std::string padding(width - std::min(width, cells[i].size()), ' ');
        line += (i > 0 ? " " : "") + (WIDTHS[i] < 0 ? cells[i] + padding : padding + cells[i]);
    }
    return line + '\n';
}

} // namespace

EsxTop::EsxTop(const EsxHost& host)
    : m_host(host)
{
}

std::vector<EsxTopRow>
EsxTop::Sample()
{
    const double seconds = (Simulator::Now() - m_last).GetSeconds();
    m_last = Simulator::Now();
    std::vector<EsxTopRow> rows;
    for (const Ptr<EsxVSwitch>& vSwitch : m_host.GetVSwitches())
    {
        for (const Ptr<EsxPort>& port : vSwitch->GetPorts())
        {
            if (port->GetKind() == EsxPortKind::INTERNAL)
            {
                continue;
            }
            EsxPortCounters& before = m_before[port->GetShownId()];
            rows.push_back(
                RowOf(*port, *vSwitch, Difference(port->GetCounters(), before), seconds));
            before = port->GetCounters();
        }
    }
    return rows;
}

std::string
EsxTop::Format(const std::vector<EsxTopRow>& rows)
{
    std::string text = Line({"PORT ID",
                             "UPLINK",
                             "UP ",
                             "USED BY",
                             "TEAM-PNIC",
                             "DNAME",
                             "PKTTX/s",
                             "MbTX/s",
                             "PKTRX/s",
                             "MbRX/s",
                             "%DRPTX",
                             "%DRPRX"});
    for (const EsxTopRow& row : rows)
    {
        text += Line({std::to_string(row.portId),
                      row.uplink ? "Y" : "N",
                      row.up ? "Y " : "N ",
                      row.usedBy.substr(0, 60),
                      row.teamUplink.empty() ? "-" : row.teamUplink.substr(0, 20),
                      row.vSwitch.substr(0, 60),
                      Fixed(row.packetsTx),
                      Fixed(row.megabitsTx),
                      Fixed(row.packetsRx),
                      Fixed(row.megabitsRx),
                      Fixed(row.percentDroppedTx),
                      Fixed(row.percentDroppedRx)});
    }
    return text;
}

} // namespace ns3
