// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/yaml-converter.h"

#include "runner/scenario/yaml-scalar.h"
#include "runner/scenario/yaml-text.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <string_view>
#include <tuple>

namespace esxnf
{

namespace
{

constexpr std::size_t MAX_ADDED = 250'000; // values that aliases and merges add to those written
constexpr std::size_t MAX_SCALAR_BYTES = 4096; // std::regex recurses once per character
constexpr int MAX_DEPTH = 32;                  // a scenario needs 8

} // namespace

YamlConverter::YamlConverter(YamlDocument& document)
    : m_document(document)
{
}

Json
YamlConverter::Convert(const YAML::Node& node, YamlDocument::Marks& marks, int depth)
{
    Spend(node, depth);
    if (node.IsMap())
    {
        Json object = Json::object();
        const auto entries = Flatten(node, depth);
        marks.parts.reserve(entries.size());
        for (const auto& [key, value] : entries)
        {
            auto& child = Remember(marks, key.Scalar(), key, value);
            // Flatten() gives each key once: no search for it
            object.get_ref<Json::object_t&>().emplace_back(key.Scalar(),
                                                           Convert(value, child, depth + 1));
        }
        return object;
    }
    if (node.IsSequence())
    {
        Json array = Json::array();
        marks.parts.reserve(node.size());
        for (const auto& item : node)
        {
            auto& child = Remember(marks, std::to_string(array.size()), item, item);
            array.push_back(Convert(item, child, depth + 1));
        }
        return array;
    }
    return ConvertScalar(node);
}

void
YamlConverter::Spend(const YAML::Node& node, int depth)
{
    if (depth > MAX_DEPTH)
    {
        Refuse(node,
               fmt::format("nested more than {} levels deep (does an anchor contain itself?)",
                           MAX_DEPTH));
    }
    // A value that an alias repeats is where its anchor is. A map begins where its first key does.
    const std::size_t place = std::max(node.Mark().pos, 0) * 2 + (node.IsMap() ? 1 : 0);
    if (place >= m_written.size())
    {
        m_written.resize(2 * place + 2);
    }
    m_added += m_written[place] ? 1 : 0;
    m_written[place] = true;
    if (m_added > MAX_ADDED)
    {
        Refuse(node, fmt::format("aliases expand to more than {} values", MAX_ADDED));
    }
}

void
YamlConverter::Refuse(const YAML::Node& node, const std::string& what) const
{
    FailYaml(m_document.m_fileName, node.Mark().line, node.Mark().column, what);
}

void
YamlConverter::RefuseLongText(const YAML::Node& node) const
{
    if (node.Scalar().size() > MAX_SCALAR_BYTES)
    {
        Refuse(node, fmt::format("a text of more than {} bytes", MAX_SCALAR_BYTES));
    }
}

std::vector<YamlConverter::Entry>
YamlConverter::Flatten(const YAML::Node& map, int depth)
{
    std::vector<Entry> own;
    bool merges = false;
    own.reserve(map.size());
    for (const auto& entry : map)
    {
        if (!entry.first.IsScalar())
        {
            Refuse(entry.first, "a key must be one word or a quoted text");
        }
        RefuseLongText(entry.first);
        merges = merges || IsMergeKey(entry.first);
        own.emplace_back(entry.first, entry.second);
    }
    RefuseTwice(own);
    if (!merges)
    {
        return own;
    }
    std::set<std::string> names;
    for (const auto& entry : own)
    {
        names.insert(entry.first.Scalar());
    }
    std::vector<Entry> entries;
    for (const auto& entry : own)
    {
        if (!IsMergeKey(entry.first))
        {
            entries.push_back(entry);
            continue;
        }
        for (const auto& source : MergeSources(entry.second))
        {
            Spend(source, depth + 1);
            for (auto& merged : Flatten(source, depth + 1))
            {
                if (names.insert(merged.first.Scalar()).second)
                {
                    entries.push_back(std::move(merged));
                }
            }
        }
    }
    return entries;
}

void
YamlConverter::RefuseTwice(const std::vector<Entry>& entries) const
{
    std::vector<std::pair<std::string_view, std::size_t>> names;
    names.reserve(entries.size());
    for (const auto& entry : entries)
    {
        names.emplace_back(entry.first.Scalar(), names.size());
    }
    std::sort(names.begin(), names.end());
    std::size_t second = entries.size();
    std::size_t first = second;
    for (std::size_t i = 1; i < names.size(); ++i)
    {
        if (names[i].first == names[i - 1].first && names[i].second < second)
        {
            std::tie(first, second) = std::pair(names[i - 1].second, names[i].second);
        }
    }
    if (second < entries.size())
    {
        const YAML::Node& key = entries[second].first;
        Refuse(key,
               fmt::format("key '{}' is given twice (first in line {})",
                           key.Scalar(),
                           entries[first].first.Mark().line + 1));
    }
}

bool
YamlConverter::IsMergeKey(const YAML::Node& key)
{
    return key.Scalar() == "<<" && key.Tag() == "?"; // "?": plain, without a tag
}

std::vector<YAML::Node>
YamlConverter::MergeSources(const YAML::Node& value) const
{
    std::vector<YAML::Node> sources;
    if (value.IsSequence())
    {
        for (const auto& source : value)
        {
            sources.push_back(source);
        }
    }
    else
    {
        sources.push_back(value);
    }
    for (const auto& source : sources)
    {
        if (!source.IsMap())
        {
            Refuse(source, "'<<' merges a map (an alias such as *name) or a list of maps");
        }
    }
    return sources;
}

Json
YamlConverter::ConvertScalar(const YAML::Node& node) const
{
    static const std::string core = "tag:yaml.org,2002:";
    const auto& tag = node.Tag();
    if (node.IsNull())
    {
        return nullptr;
    }
    RefuseLongText(node);
    if (tag.size() > 1 && tag.compare(0, core.size(), core) != 0)
    {
        Refuse(node, fmt::format("tag '{}' is not known", tag));
    }
    if (tag == "!" || tag == core + "str")
    {
        return node.Scalar();
    }
    return ResolvePlain(node.Scalar());
}

YamlDocument::Marks&
YamlConverter::Remember(YamlDocument::Marks& marks,
                        std::string name,
                        const YAML::Node& key,
                        const YAML::Node& value)
{
    const auto place = [](const YAML::Mark& mark) {
        return std::pair(std::max(mark.line + 1, 1), std::max(mark.column + 1, 1));
    };
    const auto keyPlace = place(key.Mark());
    marks.parts.push_back(
        {std::move(name), keyPlace, value.IsScalar() ? place(value.Mark()) : keyPlace, {}});
    return marks.parts.back();
}

} // namespace esxnf
