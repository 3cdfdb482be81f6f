// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/golden.h"

#include "runner/base/output-file.h"
#include "runner/base/user-error.h"
#include "runner/results/golden-differences.h"
#include "runner/results/summary-file.h"
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

/// Results of a run, without what a new version or a new expectation changes.
Json
KeptOf(Json summary)
{
    for (const char* key : {"versions", "verdict", "expectations", "real_collectors"})
    {
        summary.erase(key);
    }
    return summary;
}

/// A golden table beside the one of a run.
struct KeptTable
{
    std::string what; //!< "lost", "left"
    fs::path path;
    std::optional<std::string> golden;
    std::optional<std::string> now;
};

/// The files of golden results and what they are compared with.
struct Kept
{
    Kept(const std::string& goldenFolder, const std::string& name, const std::string& resultFolder)
        : summaryPath(fs::path(goldenFolder) / (name + ".json")),
          summary(ReadIfThere(summaryPath)),
          newSummary(KeptOf(
              Json::parse(ReadIfThere(fs::path(resultFolder) / "summary.json").value_or("{}"))))
    {
        for (const std::string what : {"lost", "left"})
        {
            const fs::path path = fs::path(goldenFolder) / (name + "." + what + ".csv");
            const fs::path now = fs::path(resultFolder) / ("flows-" + what + ".csv");
            tables.push_back({what, path, ReadIfThere(path), ReadIfThere(now)});
        }
    }

    std::vector<std::string> Compare() const
    {
        if (!summary)
        {
            return {fmt::format("there is no {}: 'run --update' writes it", summaryPath.string())};
        }
        const Json golden = ParseJson(*summary, summaryPath.string());
        if (!golden.is_object())
        {
            throw UserError(fmt::format("{}:1: this is no map", summaryPath.string()));
        }
        const std::string why = WhyNotGolden(golden);
        if (!why.empty())
        {
            return {fmt::format("{} proves nothing: {}", summaryPath.string(), why)};
        }
        const Json schema = golden.value("schema", Json());
        if (schema != newSummary.value("schema", Json()))
        {
            return {fmt::format("{} is of another version ({}): 'run --update' writes it anew",
                                summaryPath.string(),
                                schema.dump())};
        }
        std::vector<std::string> differences = DifferencesOfSummaries(golden, newSummary);
        for (const KeptTable& table : tables)
        {
            const std::vector<std::string> flows =
                DifferencesOfTables(table.what, table.golden.value_or(""), table.now.value_or(""));
            differences.insert(differences.end(), flows.begin(), flows.end());
        }
        return differences;
    }

    const fs::path summaryPath;
    const std::optional<std::string> summary;
    const Json newSummary;
    std::vector<KeptTable> tables;
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
GoldenFiles(const std::string& goldenFolder, const std::string& name)
{
    const std::string start = fs::path(goldenFolder) / name;
    return goldenFolder.empty() ? std::vector<std::string>()
                                : std::vector<std::string>{start + ".json",
                                                           start + ".lost.csv",
                                                           start + ".left.csv"};
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
    std::vector<std::string> differences;
    if (kept.summary &&
        Json::parse(*kept.summary, nullptr, false).is_object()) // what is broken is mended by this
    {
        differences = kept.Compare();
    }
    ReplaceFile(kept.summaryPath, kept.newSummary.dump(2) + "\n");
    for (const KeptTable& table : kept.tables)
    {
        if (table.now)
        {
            ReplaceFile(table.path, *table.now);
        }
        else
        {
            fs::remove(table.path, error);
        }
    }
    return differences;
}

} // namespace esxnf
