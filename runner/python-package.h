// SPDX-License-Identifier: GPL-2.0-only
// What of the program is written in Python: reports and sweeps. Runs 'python3 -m esx_netflow' with
// the interpreter that the package was built for (or the one that ESX_NETFLOW_PYTHON names), and
// says what to install where something is missing.
#ifndef ESXNF_PYTHON_PACKAGE_H
#define ESXNF_PYTHON_PACKAGE_H

#include <string>
#include <vector>

namespace esxnf
{

/// Throws CommandError (usage) with the line for apt-get if Python or one of its packages is
/// missing.
void RequirePython();

/// Runs 'python3 -m esx_netflow ARGUMENTS' and waits. \return its exit code. RequirePython() comes
/// first
int RunPython(const std::vector<std::string>& arguments);

} // namespace esxnf

#endif // ESXNF_PYTHON_PACKAGE_H
