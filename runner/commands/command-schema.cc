// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * 'esx-netflow schema': the JSON Schema of scenarios, for editors, or the columns of the tables of
 * a result folder (docs/tables.md).
 */
#include "runner/commands/cli.h"

#include "ns3/esx-run-tables.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>

namespace esxnf
{

extern const char* const g_scenarioSchema;

AddCommand AddSchema;

namespace
{

const char*
TypeInWords(ns3::EsxColumnType type)
{
    using Type = ns3::EsxColumnType;
    switch (type)
    {
    case Type::NAME:
        return "name";
    case Type::ADDRESS:
        return "address";
    case Type::INSTANT_NS:
        return "instant";
    case Type::INSTANT_MS:
        return "milliseconds";
    case Type::UPTIME_MS:
        return "uptime";
    case Type::EMPTY:
        return "empty";
    case Type::I32:
    case Type::I64:
        return "number or nothing";
    case Type::U8:
    case Type::U16:
    case Type::U32:
    case Type::U64:
        break;
    }
    return "number";
}

/// docs/tables.md
void
PrintTables()
{
    fmt::print("# Tables of a result folder\n\n"
               "Printed by `esx-netflow schema --tables`. Meaning of the types: "
               "[formats.md](formats.md#csv).\n");
    const ns3::EsxObservations nothing;
    for (const ns3::EsxTable& table : ns3::EsxMakeTables(nullptr, nothing))
    {
        fmt::print("\n## {}\n\n{} In Python: `result.{}`.\n\n"
                   "| column | type | unit | meaning |\n|---|---|---|---|\n",
                   table.GetFile(),
                   table.GetMeaning(),
                   table.GetName());
        for (const ns3::EsxColumn& column : table.GetColumns())
        {
            fmt::print("| `{}` | {} | {} | {} |\n",
                       column.name,
                       TypeInWords(column.type),
                       column.unit,
                       column.meaning);
        }
    }
}

} // namespace

void
AddSchema(CLI::App& program, int& /* exitCode */)
{
    CLI::App* app = program.add_subcommand("schema", "Print the JSON Schema of scenarios");
    const auto tables = std::make_shared<bool>(false);
    app->add_flag("--tables",
                  *tables,
                  "In its place the columns of the result tables, as Markdown");
    app->footer(
        "Example: esx-netflow schema > scenario.schema.json   editors complete and check by it");
    app->callback([tables] { *tables ? PrintTables() : fmt::print("{}", g_scenarioSchema); });
}

} // namespace esxnf
