// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/user-error.h"
#include "runner/results/csv-table.h"
#include "tests/scratch-folder.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

namespace fs = std::filesystem;

class CsvTableTest : public testing::Test
{
  protected:
    CsvTable Read(const std::string& text) const
    {
        std::ofstream(fs::path(m_home) / "t.csv") << text;
        return {m_home, "t.csv"};
    }

    template <typename Action>
    std::string ErrorOf(Action action) const
    {
        try
        {
            action();
        }
        catch (const UserError& error)
        {
            return error.what();
        }
        return "none";
    }

    const ScratchFolder m_scratch;
    const std::string m_home{m_scratch.GetPath().string()};
};

TEST_F(CsvTableTest, CellsAreFoundByColumn)
{
    const CsvTable table = Read("a,b,c\n1,,x\n-5,18446744073709551615,\n");
    ASSERT_EQ(table.GetSize(), 2U);
    EXPECT_EQ(table[0].Unsigned(table.Column("a")), 1U);
    EXPECT_EQ(table[0].Text(table.Column("b")), "");
    EXPECT_EQ(table[0].Text(table.Column("c")), "x");
    EXPECT_EQ(table[1].Signed(table.Column("a")), -5);
    EXPECT_EQ(table[1].Unsigned(table.Column("b")), UINT64_MAX);
}

TEST_F(CsvTableTest, HeaderAloneIsAnEmptyTable)
{
    EXPECT_EQ(Read("a,b\n").GetSize(), 0U);
}

TEST_F(CsvTableTest, WhatIsNotThereIsTold)
{
    EXPECT_THAT(ErrorOf([this] { CsvTable(m_home, "none.csv"); }),
                testing::HasSubstr("none.csv cannot be read"));
    const CsvTable table = Read("a,b\n");
    EXPECT_THAT(ErrorOf([&] { table.Column("z"); }), testing::EndsWith("t.csv has no column z"));
}

TEST_F(CsvTableTest, WrongCellsAreToldByLine)
{
    EXPECT_THAT(ErrorOf([this] { Read("a,b\n1,2\n3\n"); }),
                testing::EndsWith("t.csv:3: 1 cells under 2 columns"));
    const CsvTable table = Read("a\n1\nx1\n99999999999999999999\n-1\n");
    EXPECT_THAT(ErrorOf([&] { table[1].Signed(0); }),
                testing::EndsWith("t.csv:3: 'x1' is no whole number"));
    EXPECT_NE(ErrorOf([&] { table[2].Unsigned(0); }), "none");
    EXPECT_NE(ErrorOf([&] { table[3].Unsigned(0); }), "none");
}

} // namespace
} // namespace esxnf
