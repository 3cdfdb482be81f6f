// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * 'esx-netflow talkers': who sent what, as collected and in truth.
 */
#include "runner/commands/cli.h"
#include "runner/commands/options.h"
#include "runner/results/talkers.h"
#include "runner/scenario/scenario.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <optional>

namespace esxnf
{

AddCommand AddTalkers;

namespace
{

const char* const TALKERS_EXAMPLES = R"(Examples:
  esx-netflow talkers out/losses
  esx-netflow talkers out/losses --window 60s..120s --top 3
  esx-netflow talkers out/day --last 24h --format json
Irregular: one source that sends to many addresses, tries many ports of one address, or
sends many times the octets of the median source of its vSwitch.)";

struct TalkersArguments
{
    std::string folder;
    std::string window;
    std::string last;
    std::string format{"text"};
    TalkersOptions talkers;
};

/// Throws UserError.
ns3::Time
ParseTime(const std::string& text, const char* option)
{
    const std::optional<int64_t> ns = ReadDuration(text);
    if (!ns)
    {
        throw UserError(fmt::format("{}: '{}' is no {}", option, text, DURATION_FORM + 2));
    }
    return ns3::NanoSeconds(*ns);
}

void
Print(TalkersArguments options)
{
    if (!options.window.empty())
    {
        const std::size_t dots = options.window.find("..");
        if (dots == std::string::npos)
        {
            throw UserError(fmt::format("--window: '{}' is no two times joined by two dots such "
                                        "as 10s..20s",
                                        options.window));
        }
        options.talkers.from = ParseTime(options.window.substr(0, dots), "--window");
        options.talkers.to = ParseTime(options.window.substr(dots + 2), "--window");
    }
    if (!options.last.empty())
    {
        options.talkers.last = ParseTime(options.last, "--last");
    }
    const TalkersReport report = ReadTalkers(options.folder, options.talkers);
    fmt::print("{}",
               options.format == "json"  ? ToJson(report).dump(2) + "\n"
               : options.format == "csv" ? ToCsv(report)
                                         : ToText(report));
}

} // namespace

void
AddTalkers(CLI::App& program, int& exitCode)
{
    CLI::App* app = program.add_subcommand("talkers", "Tell who sent what, collected and in truth");
    const auto options = std::make_shared<TalkersArguments>();
    TalkersOptions& talkers = options->talkers;
    app->add_option("folder", options->folder, "Result folder of a run")
        ->type_name("DIR")
        ->required();
    CLI::Option* window =
        app->add_option("--window", options->window, "Simulated time, e.g. 10s..20s");
    window->type_name("A..B");
    app->add_option("--last", options->last, "So long before the end, e.g. 24h")
        ->type_name("TIME")
        ->excludes(window);
    AddNumber<uint64_t>(*app,
                        "--top",
                        talkers.top,
                        "N",
                        0,
                        UINT64_MAX,
                        "Talkers and irregular addresses of each vSwitch, 0: all");
    AddNumber<uint64_t>(*app,
                        "--fan-out",
                        talkers.fanOut,
                        "N",
                        0,
                        UINT64_MAX,
                        "Irregular from so many addresses");
    AddNumber<uint64_t>(*app,
                        "--ports",
                        talkers.ports,
                        "N",
                        0,
                        UINT64_MAX,
                        "Irregular from so many ports of one address");
    AddNumber(*app,
              "--volume",
              talkers.volume,
              "N",
              1.0,
              1e9,
              "Irregular from so many times the median");
    app->add_option("--format", options->format, "text, json or csv")
        ->type_name("FORMAT")
        ->check(CLI::IsMember({"text", "json", "csv"}).description(""))
        ->capture_default_str();
    app->footer(TALKERS_EXAMPLES);
    app->callback([options, &exitCode] {
        Print(*options);
        exitCode = EXIT_GOOD;
    });
}

} // namespace esxnf
