// SPDX-License-Identifier: GPL-2.0-only
#include "results.h"

#include "bindings.h"
#include "netflow/ledger.h"

#include <algorithm>
#include <cstring>
#include <pybind11/stl.h>
#include <sstream>
#include <stdexcept>

namespace py = pybind11;

namespace esxnf
{

namespace
{

using Names = std::vector<std::string>;
using Type = ns3::EsxColumnType;

/// Where a column is in a row of an array.
struct Field
{
    std::size_t column;
    std::string name;
    const char* kind;   //!< "instant"
    std::string format; //!< "<u8"
    std::size_t width;
    std::size_t offset;
    std::string list; //!< of names; empty: the field is a number
};

bool
EndsWith(const std::string& text, const std::string& end)
{
    return text.size() >= end.size() &&
           text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// \return what tables.py knows the values as, and how they are stored; empty: Python does not see
/// the column
std::pair<const char*, const char*>
KindOf(Type type)
{
    switch (type)
    {
    case Type::U8:
        return {"unsigned", "<u1"};
    case Type::U16:
        return {"unsigned", "<u2"};
    case Type::U32:
        return {"unsigned", "<u4"};
    case Type::U64:
        return {"unsigned", "<u8"};
    case Type::I32:
        return {"signed", "<i4"};
    case Type::I64:
        return {"signed", "<i8"};
    case Type::INSTANT_NS:
        return {"instant", "<i8"};
    case Type::INSTANT_MS:
        return {"instant_ms", "<i8"};
    case Type::UPTIME_MS:
        return {"uptime", "<i8"};
    case Type::NAME:
        return {"name", "<u2"};
    case Type::ADDRESS:
        return {"address", "<u4"};
    case Type::EMPTY:
        break;
    }
    return {"", ""};
}

/// The fields of a table, the widest first: none of them is out of step.
class Layout
{
  public:
    explicit Layout(const ns3::EsxTable& table)
    {
        const std::vector<ns3::EsxColumn>& columns = table.GetColumns();
        for (std::size_t i = 0; i < columns.size(); ++i)
        {
            const auto [kind, format] = KindOf(columns[i].type);
            std::string name = columns[i].name;
            if (columns[i].type == Type::INSTANT_MS)
            {
                name = name.substr(0, name.rfind("_ms")) + "_ns";
            }
            const bool isName = columns[i].type == Type::NAME;
            const std::string list = !isName ? "" : EndsWith(name, "_port") ? "port" : name;
            if (*format)
            {
                const auto width = static_cast<std::size_t>(format[2] - '0');
                fields.push_back({i, name, kind, format, width, 0, list});
            }
        }
        std::stable_sort(fields.begin(), fields.end(), [](const Field& a, const Field& b) {
            return a.width > b.width;
        });
        for (Field& field : fields)
        {
            field.offset = size;
            size += field.width;
        }
        constexpr std::size_t WORD = 8;
        size = (size + WORD - 1) / WORD * WORD;
    }

    py::dtype ToDtype() const
    {
        py::list names;
        py::list formats;
        py::list offsets;
        for (const Field& field : fields)
        {
            names.append(field.name);
            formats.append(field.format);
            offsets.append(field.offset);
        }
        return py::dtype(names, formats, offsets, static_cast<py::ssize_t>(size));
    }

    std::vector<Field> fields;
    std::size_t size{0}; //!< octets of a row
};

/// Describes a table to Python before any run.
py::dict
DescriptionOf(const ns3::EsxTable& table)
{
    const Layout layout(table);
    const std::vector<ns3::EsxColumn>& columns = table.GetColumns();
    std::vector<Field> fields = layout.fields;
    std::sort(fields.begin(), fields.end(), [](const Field& a, const Field& b) {
        return a.column < b.column;
    });
    py::list described;
    for (const Field& field : fields)
    {
        const std::string& name = columns[field.column].name;
        described.append(py::make_tuple(field.name, name, field.kind, field.list));
    }
    py::dict description;
    description["name"] = table.GetName();
    description["file"] = table.GetFile();
    description["dtype"] = layout.ToDtype();
    description["columns"] = described;
    return description;
}

std::vector<ns3::EsxTable>
AllTables()
{
    static const ns3::EsxObservations NOTHING;
    return ns3::EsxMakeTables(nullptr, NOTHING);
}

py::dict
LedgerOf(const ns3::Ptr<ns3::EsxHost>& host)
{
    py::dict vSwitches;
    for (const auto& [id, account] : host->GetObject<ns3::EsxNetflow>()->GetLedger().GetAccounts())
    {
        py::dict moves;
        for (unsigned i = 0; i < netflow::MOVES; ++i)
        {
            const netflow::Counts& counts = account.Get(static_cast<netflow::Move>(i));
            moves[netflow::GetInfo(static_cast<netflow::Move>(i)).name] =
                py::make_tuple(counts.packets, counts.octets, counts.records);
        }
        vSwitches[py::str(host->GetVSwitchById(id)->GetName())] = moves;
    }
    return vSwitches;
}

/// Each address as Print has it.
template <std::string (*Print)(ns3::Ipv4Address)>
Names
TextsOf(const py::array_t<uint32_t, py::array::c_style | py::array::forcecast>& addresses)
{
    Names texts;
    texts.reserve(static_cast<std::size_t>(addresses.size()));
    for (py::ssize_t i = 0; i < addresses.size(); ++i)
    {
        texts.push_back(Print(ns3::Ipv4Address(addresses.data()[i])));
    }
    return texts;
}

} // namespace

uint16_t
NameList::operator()(std::string_view name)
{
    if (name.empty())
    {
        return NONE;
    }
    const auto found = m_indices.find(std::string(name));
    if (found != m_indices.end())
    {
        return found->second;
    }
    if (m_names.size() == NONE)
    {
        throw std::length_error("more than 65535 names in a table");
    }
    const auto index = static_cast<uint16_t>(m_names.size());
    m_names.emplace_back(name);
    m_indices.emplace(name, index);
    return index;
}

const Names&
NameList::Get() const
{
    return m_names;
}

ResultTables::ResultTables(const Simulation& simulation)
{
    for (const auto& host : simulation.GetHosts())
    {
        m_names["exporter"](host->GetName());
    }
    for (const auto& collector : simulation.GetLedger()->GetCollectors())
    {
        m_names["collector"](ns3::EsxNodeName(collector->GetNode()));
    }
    for (const ns3::EsxTable& table : simulation.GetResults().GetTables())
    {
        const Layout layout(table);
        std::vector<NameList*> lists;
        for (const Field& field : layout.fields)
        {
            lists.push_back(field.list.empty() ? nullptr : &m_names[field.list]);
        }
        std::vector<uint8_t>& octets = m_octets[table.GetName()];
        table.ForEachRow([&](const std::vector<ns3::EsxValue>& values) {
            const std::size_t row = octets.size();
            octets.resize(row + layout.size);
            for (std::size_t i = 0; i < lists.size(); ++i)
            {
                const Field& field = layout.fields[i];
                const ns3::EsxValue& value = values[field.column];
                const uint64_t number = lists[i]         ? (*lists[i])(value.text)
                                        : value.isAbsent ? UINT64_MAX // -1
                                                         : value.number;
                std::memcpy(&octets[row + field.offset], &number, field.width); // little-endian
            }
        });
    }
}

py::dict
ResultTables::ToPython() &&
{
    py::dict names;
    for (const auto& [list, of] : m_names)
    {
        names[py::str(list)] = of.Get();
    }
    py::dict result;
    result["names"] = names;
    for (const ns3::EsxTable& table : AllTables())
    {
        result[py::str(table.GetName())] =
            ToArray(std::move(m_octets[table.GetName()]), Layout(table).ToDtype());
    }
    return result;
}

py::dict
HostsToPython(const Simulation& simulation)
{
    py::dict ledger;
    py::dict log;
    py::dict console;
    for (const auto& host : simulation.GetHosts())
    {
        const py::str name(host->GetName());
        ledger[name] = LedgerOf(host);
        const auto linesOf = [&](const char* file, const auto& made) {
            const std::string* const booked = simulation.FindText(host->GetName() + file);
            std::istringstream text(booked ? *booked : "");
            std::vector<std::string> lines(made.begin(), booked ? made.begin() : made.end());
            for (std::string line; std::getline(text, line);)
            {
                lines.push_back(line);
            }
            return lines;
        };
        const auto lines = linesOf(".vmkernel.log", host->GetLog()->GetLines());
        log[name] = Names(lines.begin(), lines.end());
        console[name] =
            linesOf(".console.log", host->GetObject<ns3::EsxConsole>()->GetTranscript());
    }
    py::dict result;
    result["ledger"] = ledger;
    result["log"] = log;
    result["console"] = console;
    return result;
}

void
BindResults(py::module_& module)
{
    py::list tables;
    for (const ns3::EsxTable& table : AllTables())
    {
        tables.append(DescriptionOf(table));
    }
    py::dict moves; // place it leads to, how results name what ended there, whether that is a loss
    for (unsigned i = 0; i < netflow::MOVES; ++i)
    {
        const auto move = static_cast<netflow::Move>(i);
        const netflow::MoveInfo& info = netflow::GetInfo(move);
        moves[info.name] = py::make_tuple(netflow::ToString(info.to),
                                          netflow::GetFate(move),
                                          netflow::IsLoss(info.to));
    }
    py::list totals; // key, words, whether it is told only where it is not 0, caption
    for (const ns3::EsxTotal& total : ns3::EsxTotals())
    {
        const std::string words = std::string(total.noun) + "s " + total.words;
        totals.append(py::make_tuple(total.key, words, *total.why != '\0', total.caption));
    }
    module.attr("TABLES") = tables;
    module.attr("TOTALS") = totals;
    module.attr("MOVES") = moves;
    module.def("dotted", &TextsOf<&ns3::EsxDotted>, py::arg("addresses"));
    module.def("address_keys", &TextsOf<&ns3::EsxAddressKey>, py::arg("addresses"));
}

} // namespace esxnf
