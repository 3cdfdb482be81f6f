// SPDX-License-Identifier: GPL-2.0-only
// docs/metrics.md lists exactly the metrics and causes that the program knows.
#include "ns3/esx-metrics.h"

#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace
{

using Words = std::set<std::string>;

/// Every `word` in backquotes.
Words
QuotedIn(const std::string& text)
{
    static const std::regex QUOTED("`([^`]+)`");
    Words words;
    for (std::sregex_iterator word(text.begin(), text.end(), QUOTED), end; word != end; ++word)
    {
        words.insert((*word)[1]);
    }
    return words;
}

/// The cells of a table's row; empty for any other line.
std::vector<std::string>
CellsOf(const std::string& line)
{
    std::vector<std::string> cells;
    if (line.rfind("| ", 0) == 0)
    {
        std::istringstream row(line.substr(1));
        for (std::string cell; std::getline(row, cell, '|');)
        {
            cells.push_back(cell);
        }
    }
    return cells;
}

/// Content of the page. Rows of metrics have three cells, rows of causes two.
struct Page
{
    std::map<std::string, Words> causesOf; //!< by metric
    Words explained;                       //!< causes

    Page()
    {
        std::ifstream file(ENF_SOURCE_DIR "/docs/metrics.md");
        EXPECT_TRUE(file.is_open()) << "docs/metrics.md cannot be read";
        for (std::string line; std::getline(file, line);)
        {
            const std::vector<std::string> cells = CellsOf(line);
            if (cells.size() == 2)
            {
                explained.merge(QuotedIn(cells[0]));
            }
            else if (cells.size() == 3)
            {
                for (const std::string& metric : QuotedIn(cells[0]))
                {
                    EXPECT_TRUE(causesOf.emplace(metric, QuotedIn(cells[2])).second)
                        << metric << " is listed twice";
                }
            }
        }
    }
};

std::map<std::string, Words>
KnownCauses()
{
    std::map<std::string, Words> causesOf;
    for (const std::string& metric : ns3::EsxMetricNames())
    {
        const std::vector<std::string> causes = ns3::EsxMetricCauses(metric);
        causesOf[metric] = Words(causes.begin(), causes.end());
    }
    return causesOf;
}

} // namespace

TEST(MetricsDoc, ListsEveryMetricAndNoOther)
{
    const Page page;
    const std::map<std::string, Words> known = KnownCauses();
    for (const auto& [metric, causes] : known)
    {
        EXPECT_EQ(page.causesOf.count(metric), 1U) << "docs/metrics.md lacks " << metric;
    }
    for (const auto& [metric, causes] : page.causesOf)
    {
        EXPECT_EQ(known.count(metric), 1U) << "there is no metric " << metric;
    }
}

TEST(MetricsDoc, ListsTheCausesOfEveryMetric)
{
    const Page page;
    for (const auto& [metric, causes] : KnownCauses())
    {
        const auto listed = page.causesOf.find(metric);
        if (listed != page.causesOf.end())
        {
            EXPECT_EQ(listed->second, causes) << metric;
        }
    }
}

TEST(MetricsDoc, ExplainsEveryCauseAndNoOther)
{
    Words known;
    for (const auto& [metric, causes] : KnownCauses())
    {
        known.insert(causes.begin(), causes.end());
    }
    EXPECT_EQ(Page().explained, known);
}
