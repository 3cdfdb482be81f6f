// SPDX-License-Identifier: GPL-2.0-only
#include "esx-top.h"

#include "ns3/simulator.h"

#include <cstdio>

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

/// What died between the decision to hand it to the device and the device.
uint64_t
DroppedAtDevice(const EsxPortCounters& counts)
{
    return counts.Drops(EsxDropCause::MAC_CHANGE) + counts.Drops(EsxDropCause::RECEIVER_GONE) +
           counts.Drops(EsxDropCause::RX_RING) + counts.Drops(EsxDropCause::UPLINK_OVERSIZE) +
           counts.Drops(EsxDropCause::UPLINK_REFUSED);
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
    char line[256];
    std::snprintf(line,
                  sizeof(line),
                  "%-9s %6s %2s  %-24s %-10s %-16s %10s %8s %10s %8s %7s %7s\n",
                  "PORT ID",
                  "UPLINK",
                  "UP",
                  "USED BY",
                  "TEAM-PNIC",
                  "DNAME",
                  "PKTTX/s",
                  "MbTX/s",
                  "PKTRX/s",
                  "MbRX/s",
                  "%DRPTX",
                  "%DRPRX");
    std::string text = line;
    for (const EsxTopRow& row : rows)
    {
        std::snprintf(line,
                      sizeof(line),
                      "%-9u %6s %2s  %-24.60s %-10.20s %-16.60s %10.2f %8.2f %10.2f %8.2f %7.2f "
                      "%7.2f\n",
                      row.portId,
                      row.uplink ? "Y" : "N",
                      row.up ? "Y" : "N",
                      row.usedBy.c_str(),
                      row.teamUplink.empty() ? "-" : row.teamUplink.c_str(),
                      row.vSwitch.c_str(),
                      row.packetsTx,
                      row.megabitsTx,
                      row.packetsRx,
                      row.megabitsRx,
                      row.percentDroppedTx,
                      row.percentDroppedRx);
        text += line;
    }
    return text;
}

} // namespace ns3
