// SPDX-License-Identifier: GPL-2.0-only
// The summary at the end of a run, for people: what was seen is what was collected, lost and left.
#include "runner/results/summary.h"
#include "runner/results/text.h"

#include "ns3/esx-table.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace esxnf
{

namespace
{

/// A collector's datagrams, and the findings in its exporters' sequences.
void
AppendCollector(Text& text, const ns3::EsxCollectorSummary& collector)
{
    Append(text, "  {} received {}", collector.node, Counted(collector.datagrams, "datagram"));
    if (collector.sequenceFailures == 0)
    {
        Append(text, " and no gaps in the sequence\n");
        return;
    }
    Append(text,
           "; by the sequence {} missing, {} late, {}, {}\n",
           Counted(collector.missing, "record"),
           Counted(collector.late, "datagram"),
           Counted(collector.duplicates, "duplicate"),
           Counted(collector.restarts, "restart"));
}

void
AppendRow(Text& text, const std::string& what, const netflow::Counts& counts)
{
    Append(text,
           "  {:<24}{:>14}{:>18}{:>12}\n",
           what,
           Grouped(counts.packets),
           Grouped(counts.octets),
           Grouped(counts.records));
}

/// Where what is left is, in the words of a row.
std::string
LeftWhere(const std::string& state)
{
    return state == "live"     ? "left in the cache"
           : state == "queued" ? "left in purgatory"
                               : "left on the way";
}

void
AppendBalance(Text& text, const Summary& summary)
{
    Append(text, "  {:<24}{:>14}{:>18}{:>12}\n", "", "packets", "octets", "records");
    AppendRow(text, "seen", summary.truth);
    AppendRow(text, "collected", summary.collected);
    if (summary.lost.empty())
    {
        AppendRow(text, "lost", {});
    }
    for (const auto& [cause, counts] : summary.lost)
    {
        AppendRow(text, "lost: " + cause, counts);
    }
    for (const auto& [state, counts] : summary.left)
    {
        AppendRow(text, LeftWhere(state), counts);
    }
    AppendRow(text, "residual", summary.residual);
    const std::size_t exporters = summary.GetExporters().size();
    if (exporters > 1)
    {
        Append(text,
               "  Sums over {} exporters: a packet that several of them see is counted by each.\n",
               exporters);
    }
    Append(text,
           "  {}\n\n",
           summary.Balances()      ? "Every packet, octet and record is accounted for."
           : summary.bound.Holds() ? "THE LEDGER DOES NOT BALANCE: this is a bug in esx-netflow."
                                   : "LESS WAS LOST THAN THE LINKS ALLOW: this is a bug in "
                                     "esx-netflow.");
}

void
AppendFacts(Text& text, const Summary& summary)
{
    Append(text,
           "  {} seen; {} exported in {}",
           Counted(summary.flows, "flow"),
           Counted(summary.exported.records, "record"),
           Counted(summary.datagrams, "datagram"));
    const char* separator = "; not metered: ";
    for (const auto& [reason, counts] : summary.ignored)
    {
        Append(text, "{}{} {}", separator, Counted(counts.packets, "frame"), reason);
        separator = ", ";
    }
    Append(text, "\n");
    for (const ns3::EsxTotal& total : ns3::EsxTotals())
    {
        if (*total.why && total.get(summary) > 0)
        {
            const std::string counted = Counted(total.get(summary), total.noun);
            Append(text, "  {} {}: {}\n", counted, total.words, total.why);
        }
    }
    for (const ns3::EsxHostSummary& host : summary.hosts)
    {
        if (host.isUnstable)
        {
            Append(text,
                   "  {} {}: a virtual switch with NetFlow activated was deleted\n",
                   host.name,
                   host.hasHalted ? "halted" : "may be unstable");
        }
    }
    for (const ns3::EsxCollectorSummary& collector : summary.collectors)
    {
        AppendCollector(text, collector);
    }
}

/// The bound that the links' rates set to the exports.
void
AppendBound(Text& text, const ExportBound& bound)
{
    if (bound.sent == 0)
    {
        return;
    }
    Append(text, "  of {} exported the links ", Counted(bound.sent, "octet"));
    if (bound.leastLost == 0)
    {
        Append(text, "can carry all; {} were lost\n", Grouped(bound.lost));
        return;
    }
    Append(text,
           "must lose at least {}{}; {} were lost\n",
           Grouped(bound.leastLost),
           bound.links.empty() ? "" : fmt::format(" ({})", JoinSome(bound.links)),
           Grouped(bound.lost));
}

/// Traffic that sent nothing, and frames that links dropped.
void
AppendTrafficFacts(Text& text, const Summary& summary)
{
    if (summary.truth.packets == 0)
    {
        Append(text, "  nothing was metered\n");
    }
    if (!summary.silent.empty())
    {
        Append(text,
               "  {} of {} traffic items sent nothing\n",
               Grouped(summary.silent.size()),
               Grouped(summary.trafficItems));
    }
    for (const auto& [name, from, capture] : summary.replays)
    {
        Append(text, "  {} from {}: {} read\n", name, from, Counted(capture.packets, "packet"));
        for (const std::string& line : capture.odd)
        {
            Append(text, "    {}\n", line);
        }
        if (!capture.damage.empty())
        {
            Append(text, "    damaged: {}\n", capture.damage);
        }
    }
    FlowFidelity inFlowFidelity;
    for (const FlowTraffic& traffic : summary.flowTraffic)
    {
        inFlowFidelity.packets += traffic.counts.packets;
        inFlowFidelity.simulated += traffic.counts.simulated;
    }
    if (!summary.flowTraffic.empty())
    {
        Append(text,
               "  flow fidelity: of {} {} were simulated one by one\n",
               Counted(inFlowFidelity.packets, "packet"),
               Grouped(inFlowFidelity.simulated));
    }
    uint64_t dropped = 0;
    std::vector<std::string> links;
    for (const ns3::EsxLinkDrops& link : summary.links)
    {
        dropped += link.GetTotal();
        for (const auto& [cause, frames] :
             {std::pair("queue", link.queue), {"errors", link.errors}, {"down", link.down}})
        {
            if (frames > 0)
            {
                links.push_back(fmt::format("{} {} {}", link.link, cause, Grouped(frames)));
            }
        }
    }
    if (dropped > 0)
    {
        Append(text, "  links dropped {}: {}\n", Counted(dropped, "frame"), JoinSome(links));
    }
    AppendBound(text, summary.bound);
}

void
AppendTalkers(Text& text, const Summary& summary)
{
    if (summary.talkers.empty())
    {
        return;
    }
    TextTable table("<<<>>>", "  ");
    table.Add({"top talkers", "", "", "octets", "collected", "left"});
    for (const ns3::EsxTalker& talker : summary.talkers)
    {
        const uint64_t octets = talker.truth.octets;
        table.Add({ns3::EsxDotted(talker.source),
                   talker.name,
                   talker.exporter + "/" + talker.vSwitch,
                   Grouped(octets),
                   Share(talker.collected.octets, octets),
                   Share(talker.left.octets, octets)});
    }
    Append(text, "\n{}", table.ToText());
}

std::string
Wanted(const ns3::EsxExpectation& expectation)
{
    if (std::isinf(expectation.atMost))
    {
        return fmt::format("{} or more", expectation.atLeast);
    }
    if (std::isinf(expectation.atLeast))
    {
        return fmt::format("{} or less", expectation.atMost);
    }
    if (expectation.atLeast == expectation.atMost)
    {
        return fmt::format("{}", expectation.atLeast);
    }
    return fmt::format("{} to {}", expectation.atLeast, expectation.atMost);
}

void
AppendExpectations(Text& text, const Summary& summary)
{
    if (summary.verdicts.empty())
    {
        return;
    }
    const auto met = std::count_if(summary.verdicts.begin(),
                                   summary.verdicts.end(),
                                   [](const ns3::EsxVerdict& verdict) { return verdict.pass; });
    Append(text, "\n  {} of {} expectations met\n", met, summary.verdicts.size());
    for (const ns3::EsxVerdict& verdict : summary.verdicts)
    {
        Append(text, "  {}  {}", verdict.pass ? "ok    " : "FAILED", verdict.expectation.name);
        if (!verdict.pass)
        {
            const double measured = verdict.measured;
            Append(text,
                   ": {}, wanted {}",
                   std::isnan(measured) ? "nothing" : fmt::format("{}", measured),
                   Wanted(verdict.expectation));
            Append(text, "{}{}", verdict.why.empty() ? "" : ": ", verdict.why);
        }
        Append(text, "\n");
    }
}

/// All is said of a line that failed: what it was to print, and what it printed.
void
AppendSteps(Text& text, const Summary& summary)
{
    if (summary.steps.empty())
    {
        return;
    }
    const auto passed = std::count_if(summary.steps.begin(),
                                      summary.steps.end(),
                                      [](const StepVerdict& step) { return step.Passes(); });
    Append(text, "\n  {} of {} console lines went as expected\n", passed, summary.steps.size());
    for (const StepVerdict& step : summary.steps)
    {
        if (!step.Passes())
        {
            Append(text,
                   "  FAILED  {} s, {}: {}\n          {}\n",
                   step.at.GetSeconds(),
                   step.host,
                   step.command,
                   step.Explain());
        }
    }
}

} // namespace

std::string
ToText(const Summary& summary, const std::string& folder)
{
    Text text;
    Append(text,
           "{}: {} s simulated, seed {}{}\n\n",
           summary.name,
           summary.end.GetSeconds(),
           summary.seed,
           summary.interrupted ? ", then interrupted" : "");
    AppendBalance(text, summary);
    AppendFacts(text, summary);
    AppendTrafficFacts(text, summary);
    AppendTalkers(text, summary);
    AppendExpectations(text, summary);
    AppendSteps(text, summary);
    Append(text, "\n  results: {}\n", folder);
    return fmt::to_string(text);
}

} // namespace esxnf
