// SPDX-License-Identifier: GPL-2.0-only
#include "model/console/esx-suggestion.h"

#include <algorithm>
#include <numeric>

namespace ns3
{

namespace
{

// More than this many candidates are neither compared nor listed: nobody reads them.
constexpr std::size_t MAX_CANDIDATES = 2000;
constexpr std::size_t MAX_LISTED = 12;

/// Levenshtein's distance: insertions, deletions and replacements.
std::size_t
EditDistance(const std::string& a, const std::string& b)
{
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), 0);
    for (std::size_t i = 1; i <= a.size(); ++i)
    {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j)
        {
            const auto replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row.back();
}

} // namespace

std::string
EsxSuggest(const std::string& word, const std::vector<std::string>& allowed)
{
    if (allowed.empty())
    {
        return "there are none";
    }
    // A third of the word may be wrong, at least two letters: "lsiten" is near "listen", "colour"
    // is not near "queue".
    std::size_t best = std::max<std::size_t>(2, word.size() / 3) + 1;
    const std::string* nearest = nullptr;
    for (std::size_t i = 0; i < std::min(allowed.size(), MAX_CANDIDATES); ++i)
    {
        const auto distance = EditDistance(word, allowed[i]);
        if (distance < best && distance < allowed[i].size())
        {
            best = distance;
            nearest = &allowed[i];
        }
    }
    if (nearest)
    {
        return "did you mean '" + *nearest + "'?";
    }
    std::string text = "allowed: ";
    for (std::size_t i = 0; i < std::min(allowed.size(), MAX_LISTED); ++i)
    {
        text += (i == 0 ? "" : ", ") + allowed[i];
    }
    return text + (allowed.size() > MAX_LISTED ? ", …" : "");
}

} // namespace ns3
