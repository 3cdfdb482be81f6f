// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * 'esx-netflow ifindex': an interface number of a collector becomes vSwitch, port and VM again.
 */
#include "netflow/v5-codec.h"
#include "runner/commands/cli.h"
#include "runner/commands/options.h"
#include "runner/results/scenario-loading.h"
#include "runner/simulation/simulation.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <optional>

namespace esxnf
{

AddCommand AddIfIndex;

namespace
{

const char* const IFINDEX_EXAMPLES = R"(Examples:
  esx-netflow ifindex 1549                          written with -p: vSwitch2 port 13
  esx-netflow ifindex 1549 --scenario lab.yaml      with the names of a lab
  esx-netflow ifindex 13 --engine 3                 without -p: the datagram's engine tells the vSwitch
Without a scenario, vSwitches are taken to be named vSwitch0, vSwitch1, ... in order of creation.)";

/// The options as given.
struct IfindexOptions
{
    std::vector<uint16_t> numbers;
    std::string engine;
    std::string scenario;
    std::string host;
};

/// A port of a vSwitch, by IDs.
struct PortId
{
    uint16_t vSwitch{0};
    uint16_t port{0};
};

/// "3", or as dissectors print it "0/3": engine_type and engine_id.
uint16_t
ParseEngine(const std::string& text)
{
    const std::size_t slash = text.find('/');
    const auto number = [&text](const std::string& digits, uint64_t high) {
        const std::optional<uint64_t> value = ReadWhole(digits, 0, high);
        if (!value)
        {
            throw UserError(fmt::format("--engine {}: a number from 0 to 65535, or TYPE/ID of "
                                        "0 to 255 each such as 0/3",
                                        text));
        }
        return static_cast<uint16_t>(*value);
    };
    if (slash == std::string::npos)
    {
        return number(text, UINT16_MAX);
    }
    const uint16_t type = number(text.substr(0, slash), UINT8_MAX);
    return static_cast<uint16_t>(type << 8 | number(text.substr(slash + 1), UINT8_MAX));
}

PortId
Decode(uint16_t number, const std::optional<uint16_t>& engine)
{
    if (engine)
    {
        return {*engine, number};
    }
    const uint16_t vSwitch = netflow::IfIndexToSwitch(number);
    if (vSwitch == 0)
    {
        throw UserError(fmt::format("{}: no switch ID in it, so it was written without -p; "
                                    "--engine says which vSwitch",
                                    number));
    }
    return {vSwitch, netflow::IfIndexToPort(number)};
}

/// The names that ESX gives: IDs count from 1.
void
PrintByDefaultNames(uint16_t number, const PortId& id)
{
    if (id.vSwitch == 0)
    {
        throw UserError("no vSwitch has the ID 0: IDs count from 1");
    }
    fmt::print("{}: vSwitch{} port {} (switch ID {})\n",
               number,
               id.vSwitch - 1,
               id.port,
               id.vSwitch);
}

/// The hosts to look at.
std::vector<ns3::Ptr<ns3::EsxHost>>
HostsOf(const Simulation& simulation, const std::string& name)
{
    if (name.empty())
    {
        return simulation.GetHosts();
    }
    std::vector<std::string> known;
    for (const auto& host : simulation.GetHosts())
    {
        if (host->GetName() == name)
        {
            return {host};
        }
        known.push_back(host->GetName());
    }
    throw UserError(fmt::format("--host {}: no such host; {}", name, Suggest(name, known)));
}

/// A line for each host that has this vSwitch.
void
PrintByScenario(uint16_t number, const PortId& id, const std::vector<ns3::Ptr<ns3::EsxHost>>& hosts)
{
    bool found = false;
    for (const auto& host : hosts)
    {
        const auto vSwitch = host->GetVSwitchById(id.vSwitch);
        if (vSwitch)
        {
            const std::string port = vSwitch->GetPortName(id.port);
            fmt::print("{}: {} {} port {} ({})\n",
                       number,
                       host->GetName(),
                       vSwitch->GetName(),
                       id.port,
                       port.empty() ? "nothing was ever connected there" : port);
            found = true;
        }
    }
    if (!found)
    {
        throw UserError(fmt::format("{}: no vSwitch has the ID {}", number, id.vSwitch));
    }
}

int
RunIfIndex(const IfindexOptions& options)
{
    std::optional<uint16_t> engine;
    if (!options.engine.empty())
    {
        engine = ParseEngine(options.engine);
    }
    std::optional<Scenario> scenario;
    std::unique_ptr<Simulation> simulation;
    std::vector<ns3::Ptr<ns3::EsxHost>> hosts;
    if (!options.scenario.empty())
    {
        scenario = LoadAndReport(options.scenario);
        if (!scenario)
        {
            return EXIT_USAGE;
        }
        simulation = std::make_unique<Simulation>(*scenario, SimulationOptions{});
        hosts = HostsOf(*simulation, options.host);
    }
    else if (!options.host.empty())
    {
        throw UserError("--host goes with --scenario");
    }
    for (const uint16_t number : options.numbers)
    {
        if (number == 0)
        {
            fmt::print("0: no port, or several: unknown, dropped or flooded\n");
            continue;
        }
        const PortId id = Decode(number, engine);
        simulation ? PrintByScenario(number, id, hosts) : PrintByDefaultNames(number, id);
    }
    return EXIT_GOOD;
}

} // namespace

void
AddIfIndex(CLI::App& program, int& exitCode)
{
    CLI::App* app = program.add_subcommand("ifindex", "Say which port an interface number is");
    const auto options = std::make_shared<IfindexOptions>();
    app->add_option_function<std::vector<std::string>>(
           "number",
           [options](const std::vector<std::string>& texts) {
               for (const std::string& text : texts)
               {
                   options->numbers.push_back(NumberOf<uint16_t>("N", text, 0, UINT16_MAX));
               }
           },
           "Interfaces as a collector shows them, 0 to 65535")
        ->type_name("N")
        ->required();
    app->add_option("--engine", options->engine, "Numbers were written without -p, by this engine")
        ->type_name("ID|TYPE/ID");
    app->add_option("--scenario", options->scenario, "Names of vSwitches and ports are those there")
        ->type_name("FILE");
    app->add_option("--host", options->host, "Only this host of the scenario")->type_name("NAME");
    app->footer(IFINDEX_EXAMPLES);
    app->callback([options, &exitCode] { exitCode = RunIfIndex(*options); });
}

} // namespace esxnf
