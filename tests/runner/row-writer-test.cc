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

struct Row
{
    uint64_t count;
};

ns3::EsxColumns<Row>
Columns()
{
    return {{{"count", ns3::EsxColumnType::U64, "", ""}, [](const Row& row) { return row.count; }}};
}

std::string
Write(ns3::EsxRowPrinter::Format format, const std::vector<Row>& all)
{
    const ScratchFolder scratch;
    const std::string path = scratch.Path("rows");
    RowWriter<Row> rows(path, format, Columns());
    for (const Row& row : all)
    {
        rows.Write(row);
    }
    rows.Flush();
    std::ostringstream content;
    content << std::ifstream(path).rdbuf();
    return content.str();
}

TEST(RowWriterTest, CsvHasOneHeaderAndALineForEachRow)
{
    EXPECT_EQ(Write(ns3::EsxRowPrinter::CSV, {{1}, {2}}), "count\n1\n2\n");
    EXPECT_EQ(Write(ns3::EsxRowPrinter::CSV, {}), "count\n");
}

TEST(RowWriterTest, JsonLinesHaveNoHeader)
{
    EXPECT_EQ(Write(ns3::EsxRowPrinter::JSON_LINES, {{1}, {2}}), "{\"count\":1}\n{\"count\":2}\n");
    EXPECT_EQ(Write(ns3::EsxRowPrinter::JSON_LINES, {}), "");
}

TEST(RowWriterTest, AFileThatCannotBeWrittenIsTheUsersError)
{
    const auto csv = ns3::EsxRowPrinter::CSV;
    EXPECT_THROW(RowWriter<Row>("/nonexistent/rows", csv, Columns()), UserError);
    RowWriter<Row> full("/dev/full", csv, Columns());
    EXPECT_THROW(full.Flush(), UserError);
}

} // namespace
} // namespace esxnf
