// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * 'esx-netflow dot': the lab of a scenario in Graphviz' language.
 */
#include "runner/commands/cli.h"
#include "runner/lab/drawing.h"
#include "runner/results/scenario-loading.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>

namespace esxnf
{

AddCommand AddDot;

namespace
{

const char* const DOT_EXAMPLES = R"(Example:
  esx-netflow dot scenarios/quickstart.yaml | dot -Tsvg -o quickstart.svg)";

} // namespace

void
AddDot(CLI::App& program, int& exitCode)
{
    CLI::App* app = program.add_subcommand("dot", "Draw the lab of a scenario (Graphviz)");
    const auto path = std::make_shared<std::string>();
    app->add_option("scenario", *path, "Scenario file")->type_name("SCENARIO")->required();
    const auto graphml = std::make_shared<bool>(false);
    app->add_flag("--graphml", *graphml, "GraphML instead, for yEd, Gephi, NetworkX");
    app->footer(DOT_EXAMPLES);
    app->callback([path, graphml, &exitCode] {
        const std::optional<Scenario> scenario = LoadAndReport(*path);
        if (!scenario)
        {
            exitCode = EXIT_USAGE;
            return;
        }
        const Drawing drawing = DrawLab(*scenario);
        fmt::print("{}", *graphml ? ToGraphml(drawing) : ToDot(drawing));
    });
}

} // namespace esxnf
