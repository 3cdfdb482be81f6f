// SPDX-License-Identifier: GPL-2.0-only
// The talkers' report as text for people, as JSON and as CSV.
#include "runner/results/talkers.h"
#include "runner/results/text.h"

#include <algorithm>
#include <fmt/format.h>

namespace esxnf
{

namespace
{

/// The cells of one quantity: truth, collected, its share, and the share of what is left.
std::vector<std::string>
Cells(const TruthAndCollected& both)
{
    return {Grouped(both.truth),
            Grouped(both.collected),
            Share(both.collected, both.truth),
            Share(both.left, both.truth)};
}

std::vector<std::string>
operator+(std::vector<std::string> cells, const std::vector<std::string>& more)
{
    cells.insert(cells.end(), more.begin(), more.end());
    return cells;
}

std::string
KindInWords(const Irregularity& found)
{
    return found.kind == "fan_out"     ? "sends to many addresses"
           : found.kind == "port_scan" ? "tries many ports of " + found.target
                                       : "sends much more octets than others";
}

const char*
UnitOf(const Irregularity& found)
{
    return found.kind == "fan_out" ? "addresses" : found.kind == "port_scan" ? "ports" : "octets";
}

Json
ToJson(const TruthAndCollected& both)
{
    return {{"truth", both.truth}, {"collected", both.collected}, {"left", both.left}};
}

/// What an irregularity was taken for that truth, or the collector, does not have.
const char*
Difference(const Irregularity& found)
{
    if (found.isInTruth == found.isInCollected)
    {
        return "";
    }
    if (found.isInTruth)
    {
        return found.isInKept ? "; not collected yet at the end" : "; hidden by the loss";
    }
    return found.isInKept ? "; only by the loss of others"
                          : "; only as others are not collected yet";
}

void
AppendTalkers(Text& text, const TalkersReport& report)
{
    TextTable table("<<<>>>>");
    table.Add({"top talkers", "", "", "octets", "collected", "", "left"});
    for (const TalkerUsage& talker : report.talkers)
    {
        table.Add(std::vector<std::string>{"  " + talker.exporter + "/" + talker.vSwitch,
                                           talker.address,
                                           talker.name} +
                  Cells(talker.octets));
    }
    Append(text, "{}", table.ToText());
}

void
AppendVms(Text& text, const TalkersReport& report)
{
    TextTable table("<<>>>>>>>>");
    table.Add(
        {"VMs", "", "octets out", "collected", "", "left", "octets in", "collected", "", "left"});
    for (const VmUsage& vm : report.vms)
    {
        table.Add(std::vector<std::string>{"  " + vm.exporter + ":" + vm.name, vm.address} +
                  Cells(vm.out) + Cells(vm.in));
    }
    Append(text, "\n{}", table.ToText());
}

void
AppendIrregular(Text& text, const TalkersReport& report)
{
    TextTable table("<<<<", "  ");
    for (const Irregularity& found : report.irregular)
    {
        table.Add({found.exporter + "/" + found.vSwitch,
                   found.address,
                   found.name,
                   fmt::format("{}: {} {}, collected {}{}",
                               KindInWords(found),
                               Grouped(found.value.truth),
                               UnitOf(found),
                               Grouped(found.value.collected),
                               Difference(found))});
    }
    Append(text, "\nirregular addresses\n{}", table.ToText());
    if (report.irregular.empty())
    {
        Append(text, "  none\n");
    }
    if (report.irregularFound > report.irregular.size())
    {
        Append(text,
               "  and {} more; --top 0 shows all\n",
               Grouped(report.irregularFound - report.irregular.size()));
    }
}

} // namespace

std::string
ToText(const TalkersReport& report)
{
    Text text;
    Append(text,
           "From {} s to {} s; what was collected beside the truth\n\n",
           report.from.GetSeconds(),
           report.to.GetSeconds());
    AppendTalkers(text, report);
    AppendVms(text, report);
    AppendIrregular(text, report);
    return fmt::to_string(text);
}

Json
ToJson(const TalkersReport& report)
{
    Json talkers = Json::array();
    for (const TalkerUsage& talker : report.talkers)
    {
        talkers.push_back({{"exporter", talker.exporter},
                           {"vswitch", talker.vSwitch},
                           {"address", talker.address},
                           {"name", talker.name},
                           {"octets", ToJson(talker.octets)},
                           {"packets", ToJson(talker.packets)},
                           {"records", ToJson(talker.records)}});
    }
    Json vms = Json::array();
    for (const VmUsage& vm : report.vms)
    {
        vms.push_back({{"exporter", vm.exporter},
                       {"vswitch", vm.vSwitch},
                       {"name", vm.name},
                       {"address", vm.address},
                       {"octets_out", ToJson(vm.out)},
                       {"octets_in", ToJson(vm.in)}});
    }
    Json irregular = Json::array();
    for (const Irregularity& found : report.irregular)
    {
        irregular.push_back({{"exporter", found.exporter},
                             {"vswitch", found.vSwitch},
                             {"address", found.address},
                             {"name", found.name},
                             {"kind", found.kind},
                             {"target", found.target},
                             {"value", ToJson(found.value)},
                             {"threshold", found.threshold},
                             {"in_truth", found.isInTruth},
                             {"in_collected", found.isInCollected},
                             {"in_collected_or_left", found.isInKept}});
    }
    return {{"from_ns", report.from.GetNanoSeconds()},
            {"to_ns", report.to.GetNanoSeconds()},
            {"talkers", talkers},
            {"vms", vms},
            {"irregular", irregular},
            {"irregular_found", report.irregularFound}};
}

std::string
ToCsv(const TalkersReport& report)
{
    Text text;
    Append(text, "kind,exporter,vswitch,address,name,measure,truth,collected,left\n");
    const auto row = [&text](const char* kind,
                             const auto& of,
                             const char* measure,
                             const TruthAndCollected& both) {
        Append(text,
               "{},{},{},{},{},{},{},{},{}\n",
               kind,
               of.exporter,
               of.vSwitch,
               of.address,
               of.name,
               measure,
               both.truth,
               both.collected,
               both.left);
    };
    for (const TalkerUsage& talker : report.talkers)
    {
        row("talker", talker, "octets", talker.octets);
        row("talker", talker, "packets", talker.packets);
        row("talker", talker, "records", talker.records);
    }
    for (const VmUsage& vm : report.vms)
    {
        row("vm", vm, "octets_out", vm.out);
        row("vm", vm, "octets_in", vm.in);
    }
    for (const Irregularity& found : report.irregular)
    {
        row("irregular", found, found.kind.c_str(), found.value);
    }
    return fmt::to_string(text);
}

} // namespace esxnf
