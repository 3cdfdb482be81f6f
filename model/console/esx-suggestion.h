// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_SUGGESTION_H
#define ESX_SUGGESTION_H

#include <string>
#include <vector>

namespace ns3
{

/**
 * The tail of a message about an unknown word.
 * \param word what the user wrote
 * \param allowed the words that are allowed here
 * \return "did you mean 'x'?" if one is near, else "allowed: x, y"; "there are none" if nothing is
 * allowed
 */
std::string EsxSuggest(const std::string& word, const std::vector<std::string>& allowed);

} // namespace ns3

#endif // ESX_SUGGESTION_H
