// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_OPTIONS_H
#define ESX_OPTIONS_H

#include <string>
#include <utility>
#include <vector>

namespace ns3
{

/// A command's words taken apart by getopt(3): clustered options, values with or without a blank
/// before them, options behind operands, "--".
struct EsxOptions
{
    std::vector<std::pair<char, std::string>> options; //!< in order, with their values
    std::vector<std::string> operands;
    std::string error; //!< empty, or "unknown option -x", "option -x needs a value"

    /// \return whether an option was given
    bool Has(char option) const;
    /// \return value of the last occurrence of an option, \p otherwise if it was not given
    std::string Get(char option, const std::string& otherwise = "") const;

    /**
     * \param words the command's words, its name first
     * \param spec as getopt's: "e:s:vp"; "+" in front: options end at the first operand
     */
    static EsxOptions Parse(const std::vector<std::string>& words, const std::string& spec);
};

} // namespace ns3

#endif // ESX_OPTIONS_H
