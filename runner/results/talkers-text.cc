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

/// "83.4 %" of truth; "-" if there was nothing to collect.
std::string
Share(const TruthAndCollected& both)
{
    return both.truth == 0 ? "-"
                           : fmt::format("{:.1f} %",
                                         100.0 * static_cast<double>(both.collected) /
                                             static_cast<double>(both.truth));
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
    return {{"truth", both.truth}, {"collected", both.collected}};
}

void
AppendTalkers(Text& text, const TalkersReport& report)
{
    Append(text,
           "{:<18}{:<16}{:<14}{:>16}{:>16}{:>9}\n",
           "top talkers",
           "",
           "",
           "octets",
           "collected",
           "");
    for (const TalkerUsage& talker : report.talkers)
    {
        Append(text,
               "  {:<16}{:<16}{:<14}{:>16}{:>16}{:>9}\n",
               talker.exporter + "/" + talker.vSwitch,
               talker.address,
               talker.name,
               talker.octets.truth,
               talker.octets.collected,
               Share(talker.octets));
    }
}

void
AppendVms(Text& text, const TalkersReport& report)
{
    Append(text,
           "\n{:<18}{:<16}{:>14}{:>14}{:>9}{:>14}{:>14}{:>9}\n",
           "VMs",
           "",
           "octets out",
           "collected",
           "",
           "octets in",
           "collected",
           "");
    for (const VmUsage& vm : report.vms)
    {
        Append(text,
               "  {:<16}{:<16}{:>14}{:>14}{:>9}{:>14}{:>14}{:>9}\n",
               vm.exporter + ":" + vm.name,
               vm.address,
               vm.out.truth,
               vm.out.collected,
               Share(vm.out),
               vm.in.truth,
               vm.in.collected,
               Share(vm.in));
    }
}

void
AppendIrregular(Text& text, const TalkersReport& report)
{
    Append(text, "\nirregular addresses\n");
    for (const Irregularity& found : report.irregular)
    {
        Append(text,
               "  {:<16}{:<16}{:<14} {}: {} {}, collected {}{}\n",
               found.exporter + "/" + found.vSwitch,
               found.address,
               found.name,
               KindInWords(found),
               found.value.truth,
               UnitOf(found),
               found.value.collected,
               !found.isInCollected ? "; hidden by the loss"
               : !found.isInTruth   ? "; only by the loss of others"
                                    : "");
    }
    if (report.irregular.empty())
    {
        Append(text, "  none\n");
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
                             {"in_collected", found.isInCollected}});
    }
    return {{"from_ns", report.from.GetNanoSeconds()},
            {"to_ns", report.to.GetNanoSeconds()},
            {"talkers", talkers},
            {"vms", vms},
            {"irregular", irregular}};
}

std::string
ToCsv(const TalkersReport& report)
{
    Text text;
    Append(text, "kind,exporter,vswitch,address,name,measure,truth,collected\n");
    const auto row = [&text](const char* kind,
                             const auto& of,
                             const char* measure,
                             const TruthAndCollected& both) {
        Append(text,
               "{},{},{},{},{},{},{},{}\n",
               kind,
               of.exporter,
               of.vSwitch,
               of.address,
               of.name,
               measure,
               both.truth,
               both.collected);
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
