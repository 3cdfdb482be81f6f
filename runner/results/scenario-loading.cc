// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/scenario-loading.h"

#include "runner/lab/lab-check.h"

#include <cstdio>
#include <fmt/format.h>

namespace esxnf
{

void
Print(const Diagnostics& diagnostics)
{
    for (const Diagnostic& diagnostic : diagnostics)
    {
        std::FILE* const stream = diagnostic.severity == Severity::Info ? stdout : stderr;
        fmt::print(stream, "{}\n", diagnostic.ToString());
    }
}

std::optional<Scenario>
LoadAndReport(const std::string& path, const Overrides& overrides, Diagnostics* errors)
{
    try
    {
        Diagnostics warnings;
        Scenario scenario = LoadScenario(path, overrides, &warnings);
        Print(warnings);
        return scenario;
    }
    catch (const ScenarioError& error)
    {
        Print(error.GetDiagnostics());
        if (errors)
        {
            *errors = error.GetDiagnostics();
        }
        return std::nullopt;
    }
}

std::optional<Scenario>
LoadWithoutLoops(const std::string& path)
{
    std::optional<Scenario> scenario = LoadAndReport(path);
    if (!scenario)
    {
        return std::nullopt;
    }
    const Diagnostics loops = CheckLoops(FrameGraph(*scenario));
    Print(loops);
    return HasErrors(loops) ? std::nullopt : std::move(scenario);
}

} // namespace esxnf
