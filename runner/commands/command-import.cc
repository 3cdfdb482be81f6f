// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * 'esx-netflow import': a scenario from a drawing.
 */
#include "runner/commands/cli.h"
#include "runner/lab/drawing.h"
#include "runner/results/scenario-report.h"
#include "runner/scenario/yaml-emitter.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

namespace esxnf
{

AddCommand AddImport;

namespace
{

const char* const IMPORT_EXAMPLES = R"(Examples:
  esx-netflow import lab.dot > lab.yaml
  esx-netflow import lab.graphml > lab.yaml
  esx-netflow dot scenarios/quickstart.yaml | esx-netflow import -
Vertices have a kind: host, switch, collector, vm, or what 'dot' writes. Exit code 2: no lab.)";

std::string
ReadAll(const std::string& path)
{
    std::ostringstream text;
    if (path == "-")
    {
        text << std::cin.rdbuf();
        return text.str();
    }
    std::ifstream file(path, std::ios::binary);
    if (!file || std::filesystem::is_directory(path))
    {
        throw UserError(fmt::format("{}: cannot be read", path));
    }
    text << file.rdbuf();
    return text.str();
}

int
Import(const std::string& path)
{
    Drawing drawing = ReadDrawing(ReadAll(path), path);
    if (drawing.name.empty())
    {
        drawing.name = path == "-" ? "imported" : std::filesystem::path(path).stem().string();
    }
    const Json root = ImportDrawing(drawing, path);
    try
    {
        Diagnostics warnings;
        BuildScenario(YamlDocument::FromJson(root, path), {}, &warnings);
        Print(warnings);
    }
    catch (const ScenarioError& error)
    {
        Print(error.GetDiagnostics());
        return EXIT_USAGE;
    }
    fmt::print("{}", EmitYaml(root));
    return EXIT_GOOD;
}

} // namespace

void
AddImport(CLI::App& program, int& exitCode)
{
    CLI::App* app = program.add_subcommand("import", "Make a scenario of a drawing (DOT, GraphML)");
    const auto path = std::make_shared<std::string>();
    app->add_option("drawing", *path, "DOT or GraphML file, - for standard input")
        ->type_name("DRAWING")
        ->required();
    app->footer(IMPORT_EXAMPLES);
    app->callback([path, &exitCode] { exitCode = Import(*path); });
}

} // namespace esxnf
