// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/results.h"

#include "runner/base/output-file.h"
#include "runner/base/shared-work.h"
#include "runner/base/user-error.h"
#include "runner/simulation/simulation.h"

#include <algorithm>
#include <cstdio>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <unistd.h>

namespace esxnf
{

namespace
{

namespace fs = std::filesystem;

[[noreturn]] void
Refuse(const fs::path& path, const std::string& why)
{
    throw UserError(fmt::format("{}: {}", path.string(), why));
}

/// Runs file system calls; what they throw becomes a message about a path.
template <typename Action>
auto
OrRefuse(const fs::path& path, Action action)
{
    try
    {
        return action();
    }
    catch (const fs::filesystem_error& error)
    {
        Refuse(path, "cannot write results: " + error.code().message());
    }
}

/// Whether summary.json of ours, of whatever version, is in a folder: nothing else is ever
/// replaced.
bool
HoldsResults(const fs::path& folder)
{
    std::ifstream file(folder / "summary.json");
    const Json summary = Json::parse(file, nullptr, false);
    const Json schema = summary.is_object() ? summary.value("schema", Json()) : Json();
    return schema.is_string() && schema.get<std::string>().rfind(SUMMARY_OF_ANY_VERSION, 0) == 0;
}

void
CheckReplaceable(const fs::path& target, const std::string& asGiven)
{
    if (!fs::exists(target))
    {
        return;
    }
    if (!fs::is_directory(target))
    {
        Refuse(asGiven, "is no folder");
    }
    if ((fs::current_path().string() + "/").rfind(target.string() + "/", 0) == 0)
    {
        Refuse(asGiven, "holds the working directory; results replace a whole folder");
    }
    if (!fs::is_empty(target) && !HoldsResults(target))
    {
        Refuse(asGiven, "is neither empty nor a result folder, so it is not replaced");
    }
}

fs::path
WithSuffix(const fs::path& path, const char* what)
{
    return path.string() + fmt::format(".{}-{}", what, getpid());
}

} // namespace

std::vector<NamedFile>
InputsOf(const Scenario& scenario)
{
    std::vector<NamedFile> inputs{{"SCENARIO", scenario.document.GetFileName()}};
    for (const Traffic& traffic : scenario.traffic)
    {
        if (!traffic.file.empty())
        {
            inputs.push_back({"the traffic of", scenario.PathOf(traffic.file)});
        }
        if (!traffic.profile.empty())
        {
            inputs.push_back({"the traffic of", scenario.PathOf(traffic.profile)});
        }
    }
    return inputs;
}

ResultFolder::ResultFolder(const std::string& target)
{
    OrRefuse(target, [&] {
        m_target = fs::weakly_canonical(fs::absolute(target));
        if (!m_target.has_filename()) // "out/" is "out"
        {
            m_target = m_target.parent_path();
        }
        CheckReplaceable(m_target, target);
        fs::create_directories(m_target.parent_path());
        RemoveAbandoned(m_target);
        const fs::path temporary = WithSuffix(m_target, "tmp");
        fs::remove_all(temporary);
        fs::create_directory(temporary);
        m_temporary = temporary;
        m_hold = HoldTemporary(temporary);
    });
}

ResultFolder::~ResultFolder()
{
    if (!m_temporary.empty())
    {
        std::error_code ignored;
        fs::remove_all(m_temporary, ignored);
    }
    if (m_hold >= 0)
    {
        close(m_hold);
    }
}

std::string
ResultFolder::GetPath() const
{
    return m_temporary.string();
}

void
ResultFolder::Commit()
{
    OrRefuse(m_target, [this] {
        fs::path old = WithSuffix(m_target, "old");
        const bool replaces = fs::exists(m_target);
        if (replaces &&
            renameat2(AT_FDCWD, m_temporary.c_str(), AT_FDCWD, m_target.c_str(), RENAME_EXCHANGE) ==
                0)
        {
            old = m_temporary; // in one step
        }
        else
        {
            replaces ? fs::rename(m_target, old) : void(); // no exchange on this file system
            std::error_code error;
            fs::rename(m_temporary, m_target, error);
            if (error)
            {
                replaces ? fs::rename(old, m_target) : void();
                throw fs::filesystem_error("", error);
            }
        }
        m_temporary.clear();
        fs::remove_all(old);
    });
}

void
WriteSummary(const Summary& summary, const std::string& directory)
{
    WriteFile(fs::path(directory) / "summary.json", ToJson(summary).dump(2) + "\n");
}

namespace
{

/// \param isMine whether the next file is to be written
void
WriteFiles(const Simulation& simulation,
           const fs::path& folder,
           const std::function<bool()>& isMine)
{
    simulation.GetResults().ForEachFile(
        [&](const std::string& name, const ns3::EsxResultsHelper::Content& content) {
            const auto path = (folder / name).string();
            if (!isMine())
            {
                return;
            }
            if (const std::string* const booked = simulation.FindText(name))
            {
                return WriteFile(path, *booked);
            }
            OutputFile file(path, OutputKind::STREAM);
            content([&file](std::string_view piece) { file.Write(piece); });
            file.Close();
        },
        simulation.GetScenario().outputs.flows);
}

} // namespace

void
WriteResults(const Simulation& simulation, const Summary& summary, const std::string& directory)
{
    simulation.CloseCaptures();
    const fs::path folder = directory;
    const Scenario& scenario = simulation.GetScenario();
    WriteFile(folder / "resolved.yaml", ResolvedYaml(scenario));
    WriteSummary(summary, directory);
    constexpr uint64_t FEW = 20'000; // are written before a copy of the process is there
    const bool isLarge = scenario.outputs.flows && summary.exported.records + summary.flows > FEW;
    isLarge ? ShareWork([&](const auto& isMine) { WriteFiles(simulation, folder, isMine); })
            : WriteFiles(simulation, folder, [] { return true; });
    for (const auto& [file, octets] : simulation.GetAnnotatedCaptures())
    {
        WriteFile(folder / file, octets);
    }
}

} // namespace esxnf
