// SPDX-License-Identifier: GPL-2.0-only
// The files that belong to the program: scenarios, notebooks and the oracle. They are in
// share/esx-netflow of a build folder or an installation, or in the Python package, which says so.
#ifndef ESXNF_DATA_FILES_H
#define ESXNF_DATA_FILES_H

#include <string>
#include <vector>

namespace esxnf
{

/// \return the first of some folders, given as seen from the program's, that exists; else ""
std::string FindBesideProgram(const std::vector<std::string>& places);

/// \return the folder of these files, "" if there is none
std::string GetDataFolder();

/// Makes it another one.
void SetDataFolder(const std::string& folder);

/// \param asked a path, or the name of a scenario that comes with the program, such as "quickstart"
/// \param kind the folder of such files
/// \return the path; a file of that name goes first. \p asked if there is neither
std::string FindScenario(const std::string& asked, const std::string& kind = "scenarios");

} // namespace esxnf

#endif // ESXNF_DATA_FILES_H
