// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * 'esx-netflow version': the program and the libraries it was built with.
 */
#include "runner/base/version.h"
#include "runner/commands/cli.h"

#include <CLI/CLI.hpp>
#include <boost/version.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <pcap/pcap.h>

namespace esxnf
{

AddCommand AddVersion;

void
AddVersion(CLI::App& program, int& /* exitCode */)
{
    CLI::App* app =
        program.add_subcommand("version", "Print versions of the program and its libraries");
    app->callback([] {
        fmt::print("esx-netflow {}\n", ESX_NETFLOW_VERSION);
        fmt::print("ns-3 {}\n", ESX_NETFLOW_NS3_VERSION);
        fmt::print("{}\n", pcap_lib_version());
        fmt::print("yaml-cpp {}\n", ESX_NETFLOW_YAML_CPP_VERSION);
        fmt::print("nlohmann-json {}.{}.{}\n",
                   NLOHMANN_JSON_VERSION_MAJOR,
                   NLOHMANN_JSON_VERSION_MINOR,
                   NLOHMANN_JSON_VERSION_PATCH);
        fmt::print("Boost {}.{}.{}\n",
                   BOOST_VERSION / 100000,
                   BOOST_VERSION / 100 % 1000,
                   BOOST_VERSION % 100);
        fmt::print("CLI11 {}\n", CLI11_VERSION);
        fmt::print("fmt {}.{}.{}\n",
                   FMT_VERSION / 10000,
                   FMT_VERSION / 100 % 100,
                   FMT_VERSION % 100);
    });
}

} // namespace esxnf
