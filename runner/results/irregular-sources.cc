// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/irregular-sources.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

namespace esxnf
{

namespace
{

/// The most ports that a source tried at one destination.
std::pair<std::string, std::size_t>
MostPorts(const SourceSums& sums)
{
    std::pair<std::string, std::size_t> most{"", 0};
    for (const auto& [destination, ports] : sums.portsOf)
    {
        if (ports.size() > most.second)
        {
            most = {std::string(destination), ports.size()};
        }
    }
    return most;
}

std::size_t
PortsAt(const SourceSums& sums, const std::string& destination)
{
    const auto found = sums.portsOf.find(destination);
    return found == sums.portsOf.end() ? 0 : found->second.size();
}

/// From how many octets a source's volume is irregular; no limit if there is nothing to compare
/// with.
double
VolumeLimit(std::vector<double> octets, double times)
{
    constexpr std::size_t ENOUGH = 3;
    const auto middle = octets.begin() + static_cast<std::ptrdiff_t>(octets.size() / 2);
    std::nth_element(octets.begin(), middle, octets.end());
    return octets.size() < ENOUGH || *middle <= 0 ? HUGE_VAL : times * *middle;
}

class Watch
{
  public:
    Watch(const WindowUsage& usage,
          const std::map<std::string, std::string>& names,
          const TalkersOptions& options)
        : m_names(names),
          m_options(options)
    {
        std::map<std::pair<std::string, std::string>, BySide<std::vector<double>>> volumes;
        for (const auto& [key, sums] : usage.GetSources())
        {
            for (const Side side : {TRUTH, COLLECTED, KEPT})
            {
                if (sums[side].octets > 0)
                {
                    volumes[{std::get<0>(key), std::get<1>(key)}][side].push_back(
                        sums[side].octets);
                }
            }
        }
        for (auto& [place, octets] : volumes)
        {
            for (const Side side : {TRUTH, COLLECTED, KEPT})
            {
                m_limits[place][side] =
                    octets[side].empty() ? HUGE_VAL : VolumeLimit(octets[side], options.volume);
            }
        }
        for (const auto& [key, sums] : usage.GetSources())
        {
            Look(key, sums);
        }
    }

    std::vector<Irregularity> TakeFound()
    {
        const auto place = [](const Irregularity& i) { return std::tie(i.exporter, i.vSwitch); };
        std::stable_sort(m_found.begin(), m_found.end(), [&](const auto& a, const auto& b) {
            return place(a) != place(b)           ? place(a) < place(b)
                   : a.timesLimit != b.timesLimit ? a.timesLimit > b.timesLimit
                                                  : a.address < b.address;
        });
        return std::move(m_found);
    }

  private:
    void Look(const SourceKey& key, const BySide<SourceSums>& sums)
    {
        const auto numbers = [&sums](const auto& read) {
            BySide<double> values{};
            for (unsigned side = 0; side < SIDES; ++side)
            {
                values[side] = static_cast<double>(read(sums[side]));
            }
            return values;
        };
        const auto all = [](uint64_t limit) {
            BySide<double> limits{};
            limits.fill(static_cast<double>(limit));
            return limits;
        };
        Note(key,
             "fan_out",
             "",
             numbers([](const SourceSums& s) { return s.portsOf.size(); }),
             all(m_options.fanOut));
        std::string target = MostPorts(sums[TRUTH]).first;
        target = target.empty() ? MostPorts(sums[COLLECTED]).first : target;
        Note(key,
             "port_scan",
             target,
             numbers([&target](const SourceSums& s) { return PortsAt(s, target); }),
             all(m_options.ports));
        Note(key,
             "volume",
             "",
             numbers([](const SourceSums& s) { return s.octets; }),
             m_limits[{std::get<0>(key), std::get<1>(key)}]);
    }

    void Note(const SourceKey& key,
              const char* kind,
              const std::string& target,
              const BySide<double>& values,
              const BySide<double>& limits)
    {
        const bool inTruth = values[TRUTH] >= limits[TRUTH];
        const bool inCollected = values[COLLECTED] >= limits[COLLECTED];
        if (!inTruth && !inCollected)
        {
            return;
        }
        const auto& [exporter, vSwitch, address] = key;
        const auto name = m_names.find(address);
        m_found.push_back(
            {exporter,
             vSwitch,
             address,
             name == m_names.end() ? "" : name->second,
             kind,
             target,
             {ToWhole(values[TRUTH]),
              ToWhole(values[COLLECTED]),
              ToWhole(values[KEPT]) - ToWhole(values[COLLECTED])},
             std::isinf(limits[TRUTH]) ? 0 : ToWhole(limits[TRUTH]),
             inTruth,
             inCollected,
             values[KEPT] >= limits[KEPT],
             std::max(values[TRUTH] / limits[TRUTH], values[COLLECTED] / limits[COLLECTED])});
    }

    const std::map<std::string, std::string>& m_names;
    const TalkersOptions& m_options;
    std::map<std::pair<std::string, std::string>, BySide<double>> m_limits;
    std::vector<Irregularity> m_found;
};

} // namespace

std::vector<Irregularity>
FindIrregular(const WindowUsage& usage,
              const std::map<std::string, std::string>& names,
              const TalkersOptions& options)
{
    return Watch(usage, names, options).TakeFound();
}

} // namespace esxnf
