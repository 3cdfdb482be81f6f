// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/golden.h"

#include "runner/commands/cli.h"
#include "runner/results/golden-differences.h"
#include "runner/scenario/yaml-document.h"

#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <optional>

namespace esxnf
{

namespace
{

namespace fs = std::filesystem;

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
    for (const char* key : {"versions", "verdict", "expectations", "real_collectors"})
    {
        summary.erase(key);
    }
    return summary;
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
        const std::string why = WhyNotGolden(golden);
        if (!why.empty())
        {
            return {fmt::format("{} proves nothing: {}", summaryPath.string(), why)};
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

std::string
WhyNotGolden(const Json& summary)
{
    if (summary.value("verdict", "") == "interrupted")
    {
        return "the run was interrupted";
    }
    const Json::json_pointer seen("/ledger/truth/packets");
    return summary.contains(seen) && summary.at(seen) != 0 ? "" : "no packet was metered";
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
    std::vector<std::string> differences =
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
