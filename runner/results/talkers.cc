// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/talkers.h"

#include "runner/base/user-error.h"
#include "runner/results/irregular-sources.h"
#include "runner/results/summary-file.h"
#include "runner/results/window-usage.h"
#include "runner/scenario/addresses.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <tuple>

namespace esxnf
{

namespace
{

TruthAndCollected
ToWhole(const BySide<double>& sums)
{
    const uint64_t collected = esxnf::ToWhole(sums[COLLECTED]);
    return {esxnf::ToWhole(sums[TRUTH]), collected, esxnf::ToWhole(sums[KEPT]) - collected};
}

template <typename Read>
TruthAndCollected
Both(const BySide<SourceSums>& sums, Read read)
{
    return ToWhole(BySide<double>{read(sums[TRUTH]), read(sums[COLLECTED]), read(sums[KEPT])});
}

/// The first ones of each vSwitch. \param top how many; 0: all \param items by vSwitch
template <typename Item>
std::vector<Item>
FirstOfEach(const std::vector<Item>& items, std::size_t top)
{
    std::vector<Item> first;
    std::size_t rank = 0;
    const Item* before = nullptr;
    for (const Item& item : items)
    {
        const bool isSamePlace = before && std::tie(before->exporter, before->vSwitch) ==
                                               std::tie(item.exporter, item.vSwitch);
        rank = isSamePlace ? rank + 1 : 0;
        before = &item;
        if (top == 0 || rank < top)
        {
            first.push_back(item);
        }
    }
    return first;
}

std::vector<TalkerUsage>
TopTalkers(const WindowUsage& usage,
           const std::map<std::string, std::string>& names,
           std::size_t top)
{
    std::vector<TalkerUsage> talkers;
    for (const auto& [key, sums] : usage.GetSources())
    {
        const auto& [exporter, vSwitch, address] = key;
        const auto name = names.find(address);
        talkers.push_back({exporter,
                           vSwitch,
                           address,
                           name == names.end() ? "" : name->second,
                           Both(sums, [](const SourceSums& s) { return s.octets; }),
                           Both(sums, [](const SourceSums& s) { return s.packets; }),
                           Both(sums, [](const SourceSums& s) { return s.records; })});
    }
    const auto place = [](const TalkerUsage& talker) {
        return std::tie(talker.exporter, talker.vSwitch);
    };
    std::stable_sort(talkers.begin(), talkers.end(), [&](const auto& a, const auto& b) {
        return place(a) != place(b) ? place(a) < place(b) : a.octets.truth > b.octets.truth;
    });
    return FirstOfEach(talkers, top);
}

std::vector<VmUsage>
VmsOf(const WindowUsage& usage, const Scenario& scenario)
{
    std::vector<VmUsage> vms;
    for (const Host& host : scenario.hosts)
    {
        for (const Vm& vm : host.vms)
        {
            for (const Nic& nic : vm.nics)
            {
                VmUsage used;
                used.exporter = host.name;
                used.vSwitch = host.FindVSwitchOf(nic.portGroup)->name;
                used.name = vm.name;
                used.address = ToDotted(nic.address.address);
                const SourceKey key{used.exporter, used.vSwitch, used.address};
                const auto source = usage.GetSources().find(key);
                if (source != usage.GetSources().end())
                {
                    used.out = Both(source->second, [](const SourceSums& s) { return s.octets; });
                }
                used.in = ToWhole(BySide<double>{usage.GetOctetsTo(key, TRUTH),
                                                 usage.GetOctetsTo(key, COLLECTED),
                                                 usage.GetOctetsTo(key, KEPT)});
                vms.push_back(used);
            }
        }
    }
    return vms;
}

Scenario
ScenarioOf(const std::string& folder)
{
    try
    {
        return LoadScenario(folder + "/resolved.yaml");
    }
    catch (const ScenarioError& error)
    {
        throw UserError(error.what());
    }
}

} // namespace

TalkersReport
ReadTalkers(const std::string& folder, const TalkersOptions& options)
{
    TalkersReport report;
    const auto end = ns3::NanoSeconds(ReadSummary(folder).at("end_ns").get<int64_t>());
    report.from = options.last ? std::max(ns3::Time(0), end - *options.last)
                               : options.from.value_or(ns3::Time(0));
    report.to = options.to ? std::min(*options.to, end) : end;
    if (report.from >= report.to)
    {
        throw UserError(fmt::format("the window is empty: the run ends at {} s", end.GetSeconds()));
    }
    const Scenario scenario = ScenarioOf(folder);
    std::map<std::string, std::string> names;
    for (const auto& [address, name] : NamesOfAddresses(scenario))
    {
        names[ToDotted(address)] = name;
    }
    const WindowUsage usage(folder, scenario, report.from, report.to);
    report.talkers = TopTalkers(usage, names, options.top);
    report.vms = VmsOf(usage, scenario);
    const std::vector<Irregularity> irregular = FindIrregular(usage, names, options);
    report.irregularFound = irregular.size();
    report.irregular = FirstOfEach(irregular, options.top);
    return report;
}

} // namespace esxnf
