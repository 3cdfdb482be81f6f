// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * 'esx-netflow explain': what became of a flow, out of a result folder.
 */
#include "runner/commands/cli.h"
#include "runner/commands/options.h"
#include "runner/results/flow-story.h"
#include "runner/results/summary-file.h"
#include "runner/results/text.h"
#include "runner/scenario/addresses.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>

namespace esxnf
{

AddCommand AddExplain;

namespace
{

const char* const EXPLAIN_EXAMPLES = R"(Examples:
  esx-netflow explain out/losses --flow '10.1.101.11:*->10.1.101.21:3306'
  esx-netflow explain out/losses --flow 'web1->db1:3306' --lost --limit 1
  esx-netflow explain out/losses --flow '*:*->*:53' --proto udp --host esx1
Exit code 0, also if no flow matches; 2: no such folder, or a flow that cannot be meant.)";

struct ExplainOptions
{
    std::string folder;
    std::string flow;
    std::string host;
    std::string vSwitch;
    std::string protocol;
    bool lost{false};
    unsigned limit{5};
};

std::string
ProtocolNumber(const std::string& text)
{
    static const std::map<std::string, std::string> NUMBERS = {{"icmp", "1"},
                                                               {"tcp", "6"},
                                                               {"udp", "17"}};
    const auto named = NUMBERS.find(text);
    if (named != NUMBERS.end() || text.empty())
    {
        return text.empty() ? "" : named->second;
    }
    if (!ReadWhole(text, 0, UINT8_MAX))
    {
        throw UserError(
            fmt::format("--proto: '{}' is none of tcp, udp, icmp, and no number from 0 to 255",
                        text));
    }
    return text;
}

void
Explain(const ExplainOptions& options)
{
    const auto protocol = ProtocolNumber(options.protocol);
    ReadSummary(options.folder); // is it a result folder, and whole?
    const FlowFilter filter{FlowPattern(options.flow, AddressesOf(options.folder)),
                            options.host,
                            options.vSwitch,
                            protocol};
    std::vector<FlowStory> stories = ReadStories(options.folder, filter);
    if (options.lost)
    {
        const auto keptAll = [](const FlowStory& story) { return story.lost.empty(); };
        stories.erase(std::remove_if(stories.begin(), stories.end(), keptAll), stories.end());
    }
    std::size_t shown = 0;
    for (const FlowStory& story : stories)
    {
        if (options.limit != 0 && shown == options.limit)
        {
            break;
        }
        fmt::print("{}{}", shown == 0 ? "" : "\n", ToText(story));
        ++shown;
    }
    if (shown != 1 || shown < stories.size())
    {
        fmt::print("{}{} of {} flows that match{}\n",
                   shown == 0 ? "" : "\n",
                   Grouped(shown),
                   Grouped(stories.size()),
                   shown < stories.size() ? "; --limit 0 shows all" : "");
    }
}

} // namespace

void
AddExplain(CLI::App& program, int& exitCode)
{
    CLI::App* app = program.add_subcommand("explain", "Tell what became of a flow");
    const auto options = std::make_shared<ExplainOptions>();
    app->add_option("folder", options->folder, "Result folder of a run")
        ->type_name("DIR")
        ->required();
    app->add_option("--flow", options->flow, "SOURCE[:PORT]->DESTINATION[:PORT], * is any")
        ->type_name("FLOW")
        ->required();
    app->add_option("--host", options->host, "Exported by this host only")->type_name("HOST");
    app->add_option("--vswitch", options->vSwitch, "On this vSwitch only")->type_name("VSWITCH");
    app->add_option("--proto", options->protocol, "tcp, udp, icmp or a number")->type_name("PROTO");
    app->add_flag("--lost", options->lost, "Flows that lost something only");
    AddNumber(*app, "--limit", options->limit, "N", 0U, UINT32_MAX, "Flows at most, 0: all");
    app->footer(EXPLAIN_EXAMPLES);
    app->callback([options, &exitCode] {
        Explain(*options);
        exitCode = EXIT_GOOD;
    });
}

} // namespace esxnf
