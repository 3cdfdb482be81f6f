// SPDX-License-Identifier: GPL-2.0-only
// Commands that are Python: run as 'python3 -m MODULE'. Where Python is missing, the line that
// installs it is said.
#ifndef ESXNF_PYTHON_MODULE_H
#define ESXNF_PYTHON_MODULE_H

#include <string>
#include <vector>

namespace esxnf
{

/**
 * Runs a Python module and waits for its end; it writes to our streams.
 * \param module "oracle"
 * \param places folders beside the program, such as "../tests", in which the module may be: the
 * first one that has it goes before PYTHONPATH \return its exit code; throws CommandError (usage)
 * if there is no python3, or a signal ended it
 */
int RunPythonModule(const std::string& module,
                    const std::vector<std::string>& arguments,
                    const std::vector<std::string>& places);

} // namespace esxnf

#endif // ESXNF_PYTHON_MODULE_H
