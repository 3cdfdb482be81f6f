// SPDX-License-Identifier: GPL-2.0-only
// Scenarios for Python: a scenario crosses as JSON text, with the YAML text that it came from, so
// that messages know its lines.
#include "bindings.h"
#include "results.h"
#include "runner/base/number-text.h"
#include "runner/base/output-file.h"
#include "runner/base/process.h"
#include "runner/commands/cli.h"
#include "runner/lab/drawing.h"
#include "runner/lab/lab-check.h"
#include "runner/lab/split-check.h"
#include "runner/results/activity.h"
#include "runner/results/results.h"
#include "runner/results/second-run.h"
#include "runner/results/summary-file.h"
#include "runner/results/summary.h"
#include "runner/scenario/data-files.h"
#include "runner/scenario/scenario-diagnostic.h"
#include "runner/scenario/yaml-emitter.h"
#include "runner/simulation/split-run.h"

#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <pybind11/stl.h>
#include <unistd.h>

namespace py = pybind11;

namespace esxnf
{

extern const char* const g_scenarioSchema;

namespace
{

/// The heartbeat of a run: lets Python handle signals and tells the progress. An error ends the
/// run.
class PythonHeartbeat
{
  public:
    explicit PythonHeartbeat(py::object progress)
        : m_progress(std::move(progress))
    {
    }

    bool Beat(const Progress& progress)
    {
        const py::gil_scoped_acquire gil;
        try
        {
            if (PyErr_CheckSignals() != 0)
            {
                throw py::error_already_set();
            }
            if (!m_progress.is_none())
            {
                m_progress(progress.now.GetSeconds(), progress.end.GetSeconds());
            }
        }
        catch (py::error_already_set& error)
        {
            m_error = error;
        }
        return !m_error;
    }

    /// None, or what Python raised.
    py::object GetError() const
    {
        return m_error ? m_error->value() : py::none();
    }

  private:
    py::object m_progress;
    std::optional<py::error_already_set> m_error;
};

/// A scenario as Python holds it.
struct Source
{
    std::string json; //!< what it says now
    std::string text; //!< the YAML that it was read from; empty: none
    std::string name; //!< what messages call it

    Scenario Build(Diagnostics* warnings) const
    {
        return BuildScenario(YamlDocument::FromJson(Json::parse(json), name, text), {}, warnings);
    }
};

std::vector<std::string>
ToLines(const Diagnostics& diagnostics)
{
    std::vector<std::string> lines;
    for (const Diagnostic& diagnostic : diagnostics)
    {
        lines.push_back(diagnostic.ToString());
    }
    return lines;
}

/// Reads and checks a scenario, but not its lab. -> warnings
std::vector<std::string>
ReadScenario(const std::string& json, const std::string& name)
{
    Diagnostics warnings;
    Source{json, "", name}.Build(&warnings);
    return ToLines(warnings);
}

/// Loops are refused, as 'run' does.
LabReport
RequireRunnable(const Scenario& scenario)
{
    LabReport report = CheckLab(scenario);
    if (HasErrors(report.loops))
    {
        throw ScenarioError(report.loops);
    }
    return report;
}

/// -> (scenario with all defaults as JSON, as YAML, warnings, drawing in Graphviz' language, facts
/// of the lab as JSON, names of the expectations that every scenario has)
py::tuple
Check(const std::string& json, const std::string& text, const std::string& name)
{
    Diagnostics warnings;
    const Scenario scenario = Source{json, text, name}.Build(&warnings);
    const LabReport report = RequireRunnable(scenario);
    const Diagnostics lab = WarningsOf(report);
    warnings.insert(warnings.end(), lab.begin(), lab.end());
    return py::make_tuple(scenario.document.GetRoot().dump(),
                          ResolvedYaml(scenario),
                          ToLines(warnings),
                          ToDot(DrawLab(scenario)),
                          report.facts.dump(),
                          ExpectedOfEveryRun(scenario));
}

/// Where a run that is to be compared with a second one leaves its files for that time.
std::string
PassingFolder()
{
    return (std::filesystem::temp_directory_path() / fmt::format("esx-netflow-{}", getpid()))
        .string();
}

/// A run with its options, from the start to Python's dict. One that an error ended has its results
/// up to then; "error" is it.
py::dict
Run(const std::string& json,
    const std::string& text,
    const std::string& name,
    const std::optional<std::string>& out,
    bool captures,
    const py::object& progress,
    const std::string& books)
{
    const Scenario scenario = Source{json, text, name}.Build(nullptr);
    RequireRunnable(scenario);
    const bool isTwice = ExpectsSecondRun(scenario);
    RefuseSharedFiles(InputsOf(scenario), {}, {{"out =", out.value_or("")}});
    std::optional<ResultFolder> folder;
    PythonHeartbeat heartbeat(progress);
    SimulationOptions options;
    if (out || isTwice)
    {
        folder.emplace(out.value_or(PassingFolder())); // never committed without out
        options.directory = folder->GetPath();
        options.captureEverything = out && captures;
    }
    options.heartbeat = [&](const Progress& now) { return heartbeat.Beat(now); };
    std::vector<HostBook> read;
    if (!books.empty())
    {
        read = ReadBooks(scenario, books);
        options.books = &read;
    }
    std::optional<Simulation> simulation;
    std::optional<Summary> summary;
    std::optional<ResultTables> tables;
    {
        const py::gil_scoped_release released;
        simulation.emplace(scenario, options);
        simulation->Run();
        summary = Summarize(*simulation);
        tables.emplace(*simulation);
        if (folder)
        {
            WriteResults(*simulation, *summary, folder->GetPath());
        }
    }
    py::dict result = HostsToPython(*simulation);
    result["events"] = simulation->GetEvents();
    simulation.reset();
    if (isTwice && !summary->interrupted)
    {
        const py::gil_scoped_release released;
        JudgeBySecondRun(scenario, options, folder->GetPath(), *summary);
    }
    if (out)
    {
        folder->Commit();
    }
    const py::dict arrays = std::move(*tables).ToPython();
    for (const auto& [key, value] : arrays)
    {
        result[key] = value;
    }
    result["failures"] = ToLines(FailuresOf(*summary, scenario));
    result["summary"] = ToJson(*summary).dump();
    result["text"] = ToText(*summary, out.value_or("(not written)"));
    result["error"] = heartbeat.GetError();
    result["resolved"] = scenario.document.GetRoot().dump();
    return result;
}

/// Raises ScenarioError if the hosts cannot be simulated apart.
void
RequireSplittable(const std::string& json, const std::string& text, const std::string& name)
{
    const Scenario scenario = Source{json, text, name}.Build(nullptr);
    RequireRunnable(scenario);
    const Diagnostics couplings = FindCouplings(scenario);
    if (!couplings.empty())
    {
        throw ScenarioError(couplings);
    }
}

/// Writes what came of hosts that are simulated apart.
void
RunApart(const std::string& json,
         const std::string& text,
         const std::string& name,
         const std::set<std::string>& hosts,
         const std::string& folder)
{
    const Scenario scenario = Source{json, text, name}.Build(nullptr);
    PythonHeartbeat heartbeat(py::none{});
    const py::gil_scoped_release released;
    SimulateApart(scenario, hosts, folder, [&](const Progress& now) {
        return heartbeat.Beat(now);
    });
}

/// -> what YAML text says, as JSON text
std::string
ParseYaml(const std::string& text, const std::string& name)
{
    return YamlDocument::Parse(text, name).GetRoot().dump();
}

/// -> what a YAML file says, as JSON text
std::string
LoadYaml(const std::string& path)
{
    return YamlDocument::Load(path).GetRoot().dump();
}

/// The command line: everything but what is Python itself.
int
Main(const std::vector<std::string>& arguments)
{
    std::vector<const char*> argv{"esx-netflow"};
    for (const std::string& argument : arguments)
    {
        argv.push_back(argument.c_str());
    }
    argv.push_back(nullptr);
    return RunProgram(static_cast<int>(argv.size()) - 1, argv.data());
}

/// -> summary.json of a result folder, checked
std::string
ReadSummaryText(const std::string& folder)
{
    return ReadSummary(folder).dump();
}

std::string
ToYaml(const std::string& json)
{
    return EmitYaml(Json::parse(json));
}

using NamedPaths = std::vector<std::pair<std::string, std::string>>;

/// Raises RunError if an output, with the name of its option, is an input.
void
RefuseFiles(const NamedPaths& inputs, const NamedPaths& outputs)
{
    std::vector<NamedFile> files[2];
    for (const NamedPaths* paths : {&inputs, &outputs})
    {
        for (const auto& [option, path] : *paths)
        {
            files[paths == &outputs].push_back({option, path});
        }
    }
    RefuseSharedFiles(files[0], files[1]);
}

} // namespace

void
BindScenario(py::module_& module)
{
    py::register_exception<ScenarioError>(module, "ScenarioError", PyExc_ValueError);
    py::register_exception<UserError>(module, "RunError", PyExc_RuntimeError);
    module.def("parse_yaml", &ParseYaml, py::arg("text"), py::arg("name"));
    module.def("load_yaml", &LoadYaml, py::arg("path"));
    module.def("suggest", &Suggest, py::arg("word"), py::arg("allowed"));
    module.def("set_data_folder", &SetDataFolder, py::arg("folder"));
    module.def("find_scenario", &FindScenario, py::arg("asked"), py::arg("kind") = "scenarios");
    module.def("read_whole", &ReadWhole, py::arg("text"), py::arg("low"), py::arg("high"));
    module.def("read_real", &ReadReal, py::arg("text"), py::arg("low"), py::arg("high"));
    module.def("read_duration", &ReadDuration, py::arg("text"));
    module.attr("DURATION_FORM") = DURATION_FORM;
    module.def("main", &Main, py::arg("arguments"));
    module.def("prepare_process", &PrepareProcess);
    module.def("read_summary", &ReadSummaryText, py::arg("folder"));
    module.def("refuse_shared_files", &RefuseFiles, py::arg("inputs"), py::arg("outputs"));
    module.def("replace_file", &ReplaceFile, py::arg("path"), py::arg("text"));
    module.def("to_yaml", &ToYaml, py::arg("json"));
    module.def("schema", [] { return std::string(g_scenarioSchema); });
    module.def("read_scenario", &ReadScenario, py::arg("json"), py::arg("name"));
    module.def("check", &Check, py::arg("json"), py::arg("text"), py::arg("name"));
    module.def("run",
               &Run,
               py::arg("json"),
               py::arg("text"),
               py::arg("name"),
               py::arg("out") = py::none(),
               py::arg("captures") = false,
               py::arg("progress") = py::none(),
               py::arg("books") = "");
    module.def("require_splittable",
               &RequireSplittable,
               py::arg("json"),
               py::arg("text"),
               py::arg("name"));
    module.def("run_apart",
               &RunApart,
               py::arg("json"),
               py::arg("text"),
               py::arg("name"),
               py::arg("hosts"),
               py::arg("folder"));
}

} // namespace esxnf
