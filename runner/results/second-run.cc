// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/second-run.h"

#include "runner/results/results.h"
#include "runner/simulation/real-collectors.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

namespace esxnf
{

namespace
{

namespace fs = std::filesystem;

std::set<std::string>
NamesIn(const fs::path& folder)
{
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder))
    {
        names.insert(entry.path().filename().string());
    }
    return names;
}

bool
HaveEqualBytes(const fs::path& one, const fs::path& other)
{
    std::ifstream first(one, std::ios::binary);
    std::ifstream second(other, std::ios::binary);
    if (!first || !second)
    {
        return false;
    }
    using Octets = std::istreambuf_iterator<char>;
    return std::equal(Octets(first), Octets(), Octets(second), Octets());
}

} // namespace

bool
ExpectsSecondRun(const Scenario& scenario)
{
    const auto wanted = [](const Expectation& e) { return e.check == CHECK_DETERMINISTIC; };
    return std::any_of(scenario.expect.begin(), scenario.expect.end(), wanted);
}

std::vector<std::string>
DifferingFiles(const std::string& folder, const std::string& other)
{
    std::set<std::string> names = NamesIn(folder);
    names.merge(NamesIn(other));
    std::vector<std::string> differing;
    for (const std::string& name : names)
    {
        if (!HaveEqualBytes(fs::path(folder) / name, fs::path(other) / name))
        {
            differing.push_back(name);
        }
    }
    return differing;
}

std::vector<std::string>
JudgeBySecondRun(const Scenario& scenario,
                 SimulationOptions options,
                 const std::string& folder,
                 Summary& summary)
{
    ResultFolder again(folder + "-again"); // never committed: it goes at the end
    options.directory = again.GetPath();
    options.exported = nullptr;
    options.realClock = nullptr;
    {
        Simulation simulation(scenario, options);
        simulation.Run();
        WriteResults(simulation, Summarize(simulation), again.GetPath());
        summary.interrupted = simulation.WasInterrupted();
    } // its captures are complete now
    if (summary.interrupted)
    {
        WriteSummary(summary, folder);
        return {};
    }
    std::vector<std::string> differing = DifferingFiles(folder, again.GetPath());
    // Only the first run feeds real collectors.
    const auto sent = std::remove(differing.begin(), differing.end(), RealCollectors::SENT);
    differing.erase(sent, differing.end());
    for (std::size_t i = 0; i < scenario.expect.size(); ++i)
    {
        if (scenario.expect[i].check == CHECK_DETERMINISTIC)
        {
            summary.verdicts.at(i).measured = static_cast<double>(differing.size());
            summary.verdicts.at(i).pass = differing.empty();
        }
    }
    WriteSummary(summary, folder);
    return differing;
}

} // namespace esxnf
