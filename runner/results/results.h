// SPDX-License-Identifier: GPL-2.0-only
// The result folder of a run. It appears whole or not at all: everything is written beside it and
// renamed at the end. No file holds wall time, a path or the name of this machine.
#ifndef ESXNF_RESULTS_H
#define ESXNF_RESULTS_H

#include "runner/base/shared-files.h"
#include "runner/results/summary.h"

#include <filesystem>
#include <string>

namespace esxnf
{

/// Inputs of a run of a scenario: its file, and the captures that it names.
std::vector<NamedFile> InputsOf(const Scenario& scenario);

/// A folder in the making.
class ResultFolder
{
  public:
    /**
     * Makes a temporary folder beside \p target, and the folders above it. Throws UserError if \p
     * target cannot be written, or is there and is neither empty nor an earlier result.
     */
    explicit ResultFolder(const std::string& target);
    /// Removes what was not committed.
    ~ResultFolder();
    ResultFolder(const ResultFolder&) = delete;
    ResultFolder& operator=(const ResultFolder&) = delete;

    /// Where to write until Commit().
    std::string GetPath() const;

    /// Puts everything at the target, in place of an earlier result. Throws UserError.
    void Commit();

  private:
    std::filesystem::path m_target;
    std::filesystem::path m_temporary;
    int m_hold{-1}; // keeps other processes from removing it
};

/// Writes all files but the captures. \param directory where the simulation wrote its captures
void WriteResults(const Simulation& simulation,
                  const Summary& summary,
                  const std::string& directory);

/// Writes summary.json alone.
void WriteSummary(const Summary& summary, const std::string& directory);

} // namespace esxnf

#endif // ESXNF_RESULTS_H
