// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/row-writer.h"
#include "runner/base/user-error.h"
#include "tests/scratch-folder.h"

#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

namespace esxnf
{
namespace
{

std::string
Write(RowFormat format, bool withRows = true)
{
    const ScratchFolder scratch;
    const std::string path = scratch.Path("rows");
    RowWriter rows(path, format, {"name", "count", "note"});
    if (withRows)
    {
        rows.Add("a");
        rows.AddNumber(uint64_t{18446744073709551615U});
        rows.Add("x");
        rows.EndRow();
        rows.Add("");
        rows.AddNumber(-1);
        rows.Add("");
        rows.EndRow();
    }
    rows.Flush();
    std::ostringstream content;
    content << std::ifstream(path).rdbuf();
    return content.str();
}

TEST(RowWriterTest, CsvHasOneHeaderAndAPlaceForEveryValue)
{
    EXPECT_EQ(Write(RowFormat::CSV), "name,count,note\na,18446744073709551615,x\n,-1,\n");
    EXPECT_EQ(Write(RowFormat::CSV, false), "name,count,note\n");
}

TEST(RowWriterTest, JsonLinesLeaveEmptyTextsOut)
{
    EXPECT_EQ(Write(RowFormat::JSON_LINES),
              "{\"name\":\"a\",\"count\":18446744073709551615,\"note\":\"x\"}\n{\"count\":-1}\n");
    EXPECT_EQ(Write(RowFormat::JSON_LINES, false), "");
}

TEST(RowWriterTest, AFileThatCannotBeWrittenIsTheUsersError)
{
    EXPECT_THROW(RowWriter("/nonexistent/rows", RowFormat::CSV, {"a"}), UserError);
    RowWriter full("/dev/full", RowFormat::CSV, {"a"});
    EXPECT_THROW(full.Flush(), UserError);
}

} // namespace
} // namespace esxnf
