// SPDX-License-Identifier: GPL-2.0-only
// Messages about a scenario: the place in the file and what is allowed there. Every part of the
// runner that reads or judges a scenario speaks through these types; only the command line prints
// them.
#ifndef ESXNF_SCENARIO_DIAGNOSTIC_H
#define ESXNF_SCENARIO_DIAGNOSTIC_H

#include <stdexcept>
#include <string>
#include <vector>

namespace esxnf
{

enum class Severity
{
    Info,
    Warning,
    Error
};

/// A position in a file, counted from 1; line 0 means the file as a whole.
struct TextPosition
{
    std::string file;
    int line = 0;
    int column = 0;
};

/// One line for the user.
struct Diagnostic
{
    Severity severity = Severity::Error;
    TextPosition place;
    std::string where; //!< dotted path in the scenario, such as hosts.esx1.vms.web1.nics[0]
    std::string what;  //!< what is wrong and what is allowed

    /// \return "file:line:column: where: what"; warnings and infos say so before "where".
    std::string ToString() const;
};

using Diagnostics = std::vector<Diagnostic>;

/// \return true if one of them is an error.
bool HasErrors(const Diagnostics& diagnostics);

/// The scenario cannot be used; carries at least one error. what() holds all lines.
class ScenarioError : public std::runtime_error
{
  public:
    explicit ScenarioError(Diagnostics diagnostics);

    const Diagnostics& GetDiagnostics() const;

  private:
    Diagnostics m_diagnostics;
};

/**
 * The tail of a message about an unknown word.
 * \param word what the user wrote
 * \param allowed the words that are allowed here
 * \return "did you mean 'x'?" if one is near, else "allowed: x, y"; "there are none" if nothing is
 * allowed
 */
std::string Suggest(const std::string& word, const std::vector<std::string>& allowed);

} // namespace esxnf

#endif // ESXNF_SCENARIO_DIAGNOSTIC_H
