// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/results.h"

#include "runner/base/output-file.h"
#include "runner/results/results-tables.h"
#include "runner/results/story-tables.h"
#include "runner/scenario/addresses.h"
#include "runner/simulation/simulation.h"

#include "ns3/esx-top.h"

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

template <typename Lines>
std::string
JoinLines(const Lines& lines)
{
    std::string text;
    for (const std::string& line : lines)
    {
        text += line;
        text += '\n';
    }
    return text;
}

const Host&
FindHost(const Scenario& scenario, const std::string& name)
{
    const auto hasName = [&name](const Host& host) { return host.name == name; };
    return *std::find_if(scenario.hosts.begin(), scenario.hosts.end(), hasName);
}

Json
ToJson(const MonitoredSpan& span, const Host& host)
{
    return {{"exporter", host.name},
            {"address", ToDotted(span.address)},
            {"vswitch", span.vSwitch},
            {"engine", span.engine},
            {"from_ns", span.from.GetNanoSeconds()},
            {"to_ns", span.to.GetNanoSeconds()},
            {"uptime_at_start_ns", host.uptimeAtStart.GetNanoSeconds()},
            {"dash_p", span.alternatePortIds},
            {"idle_ns", host.netflow.idleTimeout.GetNanoSeconds()},
            {"active_ns", host.netflow.activeTimeout.GetNanoSeconds()},
            {"scan_ns", host.netflow.scanInterval.GetNanoSeconds()},
            {"meter_own_export", host.netflow.meterOwnExport},
            {"zero_unix_nsecs", host.netflow.zeroUnixNsecs},
            {"sequence_at_expiry", host.netflow.sequenceMode == "AtExpiry"}};
}

Json
ToJson(const CaptureFile& capture, const std::string& portName)
{
    Json object = {{"file", capture.file}, {"kind", capture.kind}};
    if (capture.kind == "collector")
    {
        object["node"] = capture.node;
        object["address"] = ToDotted(capture.address);
        object["udp_port"] = capture.udpPort;
    }
    else
    {
        object["exporter"] = capture.host;
        object["vswitch"] = capture.vSwitch;
        object["port"] = capture.port;
        object["name"] = portName;
        object["direction"] = "in";
        object["role"] = capture.isUplink ? "uplink" : "local";
        if (!capture.mac.empty())
        {
            object["mac"] = capture.mac;
        }
    }
    return object;
}

/// "web1.eth0" of a port's capture
std::string
PortName(const Simulation& simulation, const CaptureFile& capture)
{
    for (const auto& host : simulation.GetHosts())
    {
        if (host->GetName() == capture.host)
        {
            const auto vSwitch = host->GetVSwitch(capture.vSwitch);
            return vSwitch ? vSwitch->GetPortName(capture.port) : "";
        }
    }
    return "";
}

/// Captures that the scenario asks for may see a frame twice, or only in part: not in the index.
bool
IsIndexed(const CaptureFile& capture)
{
    return capture.kind == "port" || capture.kind == "collector";
}

/// For who recomputes everything from the captures: what was monitored when, and where the frames
/// are.
std::string
CapturesJson(const Simulation& simulation)
{
    Json index = {{"monitored", Json::array()}, {"captures", Json::array()}};
    for (const MonitoredSpan& span : simulation.GetMonitored())
    {
        const Host& host = FindHost(simulation.GetScenario(), span.host->GetName());
        index["monitored"].push_back(ToJson(span, host));
    }
    for (const CaptureFile& capture : simulation.GetCaptures())
    {
        if (IsIndexed(capture))
        {
            index["captures"].push_back(ToJson(capture, PortName(simulation, capture)));
        }
    }
    return index.dump(2) + "\n";
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

void
WriteResults(const Simulation& simulation, const Summary& summary, const std::string& directory)
{
    simulation.CloseCaptures();
    const fs::path folder = directory;
    const Scenario& scenario = simulation.GetScenario();
    WriteFile(folder / "resolved.yaml", ResolvedYaml(scenario));
    WriteSummary(summary, directory);
    if (scenario.outputs.flows)
    {
        WriteFile(folder / "flows-truth.csv", TruthTable(simulation));
        WriteFile(folder / "flows-exported.csv", ExportedTable(simulation));
        WriteFile(folder / "flows-collected.csv", CollectedTable(simulation));
        WriteFile(folder / "flows-lost.csv", LostTable(simulation));
        WriteFile(folder / "flows-left.csv", LeftTable(simulation));
        WriteFile(folder / "records.csv", RecordsTable(simulation));
        WriteFile(folder / "datagrams.csv", DatagramsTable(simulation));
    }
    if (scenario.outputs.seriesEvery.IsStrictlyPositive())
    {
        WriteFile(folder / "series.csv", SeriesTable(simulation));
        WriteFile(folder / "links.csv", LinksTable(simulation));
    }
    for (const auto& host : simulation.GetHosts())
    {
        WriteFile(folder / (host->GetName() + ".vmkernel.log"),
                  JoinLines(host->GetLog()->GetLines()));
        WriteFile(folder / (host->GetName() + ".esxtop.txt"),
                  ns3::EsxTop::Format(ns3::EsxTop(*host).Sample()));
        WriteFile(folder / (host->GetName() + ".console.log"),
                  JoinLines(host->GetObject<ns3::EsxConsole>()->GetTranscript()));
    }
    for (const auto& [file, octets] : simulation.GetAnnotatedCaptures())
    {
        WriteFile(folder / file, octets);
    }
    const std::vector<CaptureFile>& captures = simulation.GetCaptures();
    if (std::any_of(captures.begin(), captures.end(), IsIndexed))
    {
        WriteFile(folder / "captures.json", CapturesJson(simulation));
    }
}

} // namespace esxnf
