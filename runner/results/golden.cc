// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/golden.h"

#include "runner/commands/cli.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <sstream>

namespace esxnf
{

namespace
{

namespace fs = std::filesystem;

constexpr std::size_t MAX_LINES = 40; // of differences of one table: who wants all has the files

std::optional<std::string>
ReadIfThere(const fs::path& path)
{
    std::ifstream file(path, std::ios::binary);
    if (!file)
    {
        return std::nullopt;
    }
    return std::string(std::istreambuf_iterator<char>(file), {});
}

void
WriteOrRefuse(const fs::path& path, const std::string& text)
{
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.flush();
    if (!file)
    {
        throw CommandError(EXIT_USAGE, fmt::format("{} cannot be written", path.string()));
    }
}

/// What a run gave, without what a new version or a new expectation changes.
Json
KeptOf(Json summary)
{
    for (const char* key : {"versions", "verdict", "expectations"})
    {
        summary.erase(key);
    }
    return summary;
}

/// "/ledger/lost/arp" -> "ledger.lost.arp"
std::string
Dotted(std::string pointer)
{
    std::replace(pointer.begin(), pointer.end(), '/', '.');
    return pointer.substr(std::min<std::size_t>(pointer.size(), 1));
}

std::vector<std::string>
LinesOf(const std::string& text)
{
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);)
    {
        lines.push_back(line);
    }
    return lines;
}

/// Both files of golden results and what they are compared with.
struct Kept
{
    Kept(const std::string& goldenFolder, const std::string& name, const std::string& resultFolder)
        : summaryPath(fs::path(goldenFolder) / (name + ".json")),
          tablePath(fs::path(goldenFolder) / (name + ".lost.csv")),
          summary(ReadIfThere(summaryPath)),
          table(ReadIfThere(tablePath)),
          newSummary(KeptOf(
              Json::parse(ReadIfThere(fs::path(resultFolder) / "summary.json").value_or("{}")))),
          newTable(ReadIfThere(fs::path(resultFolder) / "flows-lost.csv"))
    {
    }

    std::vector<std::string> Compare() const
    {
        if (!summary)
        {
            return {fmt::format("there is no {}: 'run --update' writes it", summaryPath.string())};
        }
        const Json golden = Json::parse(*summary, nullptr, false);
        if (!golden.is_object())
        {
            return {fmt::format("{} is no JSON object", summaryPath.string())};
        }
        std::vector<std::string> differences = DifferencesOfSummaries(golden, newSummary);
        const std::vector<std::string> flows =
            DifferencesOfTables(table.value_or(""), newTable.value_or(""));
        differences.insert(differences.end(), flows.begin(), flows.end());
        return differences;
    }

    const fs::path summaryPath;
    const fs::path tablePath;
    const std::optional<std::string> summary;
    const std::optional<std::string> table;
    const Json newSummary;
    const std::optional<std::string> newTable;
};

} // namespace

std::vector<std::string>
DifferencesOfSummaries(const Json& golden, const Json& now)
{
    const Json was = golden.flatten();
    const Json is = now.flatten();
    std::vector<std::string> differences;
    for (const auto& [pointer, value] : was.items())
    {
        if (!is.contains(pointer))
        {
            differences.push_back(
                fmt::format("{}: was {}, is not there", Dotted(pointer), value.dump()));
        }
        else if (is.at(pointer) != value)
        {
            differences.push_back(fmt::format("{}: was {}, is {}",
                                              Dotted(pointer),
                                              value.dump(),
                                              is.at(pointer).dump()));
        }
    }
    for (const auto& [pointer, value] : is.items())
    {
        if (!was.contains(pointer))
        {
            differences.push_back(
                fmt::format("{}: was not there, is {}", Dotted(pointer), value.dump()));
        }
    }
    return differences;
}

std::vector<std::string>
DifferencesOfTables(const std::string& golden, const std::string& now)
{
    const std::vector<std::string> was = LinesOf(golden);
    const std::vector<std::string> is = LinesOf(now);
    const std::multiset<std::string> wasThere(was.begin(), was.end());
    const std::multiset<std::string> isThere(is.begin(), is.end());
    std::vector<std::string> gone;
    std::vector<std::string> added;
    std::set_difference(wasThere.begin(),
                        wasThere.end(),
                        isThere.begin(),
                        isThere.end(),
                        std::back_inserter(gone));
    std::set_difference(isThere.begin(),
                        isThere.end(),
                        wasThere.begin(),
                        wasThere.end(),
                        std::back_inserter(added));
    std::vector<std::pair<std::string, const char*>> both; // a flow's old and new line together
    for (const std::string& line : gone)
    {
        both.emplace_back(line, "-");
    }
    for (const std::string& line : added)
    {
        both.emplace_back(line, "+");
    }
    std::sort(both.begin(), both.end(), [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first < b.first : *a.second > *b.second;
    });
    std::vector<std::string> differences;
    for (const auto& [line, sign] : both)
    {
        differences.push_back(fmt::format("lost flows: {} {}", sign, line));
    }
    if (differences.size() > MAX_LINES)
    {
        const std::size_t more = differences.size() - MAX_LINES;
        differences.resize(MAX_LINES);
        differences.push_back(fmt::format("lost flows: and {} more lines", more));
    }
    return differences;
}

std::vector<std::string>
CompareWithGolden(const std::string& goldenFolder,
                  const std::string& name,
                  const std::string& resultFolder)
{
    return Kept(goldenFolder, name, resultFolder).Compare();
}

std::vector<std::string>
UpdateGolden(const std::string& goldenFolder,
             const std::string& name,
             const std::string& resultFolder)
{
    std::error_code error;
    fs::create_directories(goldenFolder, error);
    const Kept kept(goldenFolder, name, resultFolder);
    const std::vector<std::string> differences =
        kept.summary ? kept.Compare() : std::vector<std::string>{};
    WriteOrRefuse(kept.summaryPath, kept.newSummary.dump(2) + "\n");
    if (kept.newTable)
    {
        WriteOrRefuse(kept.tablePath, *kept.newTable);
    }
    else
    {
        fs::remove(kept.tablePath, error);
    }
    return differences;
}

} // namespace esxnf
