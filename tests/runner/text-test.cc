// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/text.h"

#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

TEST(Text, NumbersAreGroupedAndSharesHaveOneDecimal)
{
    EXPECT_EQ(Grouped(0), "0");
    EXPECT_EQ(Grouped(999), "999");
    EXPECT_EQ(Grouped(1234567), "1 234 567");
    EXPECT_EQ(Counted(1, "record"), "1 record");
    EXPECT_EQ(Counted(1000, "record"), "1 000 records");
    EXPECT_EQ(Share(1, 3), "33.3%");
    EXPECT_EQ(Share(0, 0), "-");
}

TEST(TextTable, ColumnsAreAsWideAsWhatIsInThem)
{
    TextTable table("<>", "  ");
    table.Add({"name", "octets"});
    table.Add({std::string(40, 'n'), "1"});
    table.Add({"ä", "12345678"});
    table.Add({"last"});
    EXPECT_EQ(table.ToText(),
              "  name" + std::string(36, ' ') + "    octets\n" + "  " + std::string(40, 'n') +
                  "         1\n" + "  ä" + std::string(39, ' ') + "  12345678\n" + "  last\n");
}

} // namespace
} // namespace esxnf
