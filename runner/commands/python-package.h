// SPDX-License-Identifier: GPL-2.0-only
// Starts the parts of the program that are written in Python: the package esx_netflow, and the
// oracle. Runs them with the interpreter that the package was built for (or the one that
// ESX_NETFLOW_PYTHON names), and says what to install where something is missing.
#ifndef ESXNF_PYTHON_PACKAGE_H
#define ESXNF_PYTHON_PACKAGE_H

#include <string>
#include <vector>

namespace esxnf
{

/// Throws UserError with the line for apt-get if Python or one of its packages is
/// missing.
void RequirePython();

/// \return the path of this program; empty: it is Python, which runs the package
std::string GetProgram();

/// Processes that this one starts or becomes allocate as it does, by tcmalloc if the program is
/// linked with it: simulations in Python's processes are faster by it, too.
void ShareMalloc();

/// Becomes the package's command line, so that signals reach it. Comes back only by
/// UserError. RequirePython() comes first
[[noreturn]] void BecomePython(const std::vector<std::string>& arguments);

/// Runs the package's command line and waits. \return its exit code. RequirePython() comes
/// first
int RunPython(const std::vector<std::string>& arguments);

/// Runs the oracle, which needs nothing but Python, and waits for its end; it writes to our
/// streams. \return its exit code; throws UserError if there is no Python
int RunOracle(const std::vector<std::string>& arguments);

} // namespace esxnf

#endif // ESXNF_PYTHON_PACKAGE_H
