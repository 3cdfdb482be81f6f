// SPDX-License-Identifier: GPL-2.0-only
// The net-netflow commands of a console line, read as the console reads them: for what is told of a
// scenario before its run. Errors of a line are left to the console.
#ifndef ESXNF_EXPORT_COMMANDS_H
#define ESXNF_EXPORT_COMMANDS_H

#include "model/netflow/esx-net-netflow-options.h"
#include "runner/scenario/scenario.h"

#include <string>
#include <vector>

namespace esxnf
{

/// "kill" of "/bin/kill"
std::string BaseName(const std::string& path);

/**
 * \return options of each net-netflow that the line would start, in order; nothing of a line that
 * the shell refuses, and no command that net-netflow or vmkload_app answers with its usage
 */
std::vector<ns3::EsxNetNetflowOptions> FindExportCommands(const std::string& line);

/**
 * \param names of -e: separated by commas
 * \return those that no vSwitch of the host has; with one of them net-netflow does not start
 */
std::vector<std::string> UnknownVSwitches(const Host& host, const std::string& names);

} // namespace esxnf

#endif // ESXNF_EXPORT_COMMANDS_H
