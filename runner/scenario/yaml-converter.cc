// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/yaml-converter.h"

#include "runner/scenario/yaml-scalar.h"
#include "runner/scenario/yaml-text.h"

#include <algorithm>
#include <fmt/format.h>

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
YamlConverter::Convert(const YAML::Node& node, const std::string& pointer, int depth)
{
    Spend(node, depth);
    if (node.IsMap())
    {
        Json object = Json::object();
        for (const auto& [key, value] : Flatten(node, depth))
        {
            const auto child = JoinPointer(pointer, key.Scalar());
            Remember(child, key, value);
            // Flatten() gives each key once: no search for it
            object.get_ref<Json::object_t&>().emplace_back(key.Scalar(),
                                                           Convert(value, child, depth + 1));
        }
        return object;
    }
    if (node.IsSequence())
    {
        Json array = Json::array();
        for (const auto& item : node)
        {
            const auto child = JoinPointer(pointer, std::to_string(array.size()));
            Remember(child, item, item);
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
    const int place = node.Mark().pos * 2 + (node.IsMap() ? 1 : 0);
    m_added += m_written.insert(place).second ? 0 : 1;
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
    std::map<std::string, int> lines;
    for (const auto& entry : map)
    {
        if (!entry.first.IsScalar())
        {
            Refuse(entry.first, "a key must be one word or a quoted text");
        }
        RefuseLongText(entry.first);
        const auto [first, isNew] =
            lines.emplace(entry.first.Scalar(), entry.first.Mark().line + 1);
        if (!isNew)
        {
            Refuse(entry.first,
                   fmt::format("key '{}' is given twice (first in line {})",
                               first->first,
                               first->second));
        }
    }
    std::vector<Entry> entries;
    for (const auto& entry : map)
    {
        if (!IsMergeKey(entry.first))
        {
            entries.emplace_back(entry.first, entry.second);
            continue;
        }
        for (const auto& source : MergeSources(entry.second))
        {
            Spend(source, depth + 1);
            for (auto& merged : Flatten(source, depth + 1))
            {
                if (lines.emplace(merged.first.Scalar(), 0).second)
                {
                    entries.push_back(std::move(merged));
                }
            }
        }
    }
    return entries;
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

void
YamlConverter::Remember(const std::string& pointer, const YAML::Node& key, const YAML::Node& value)
{
    const auto place = [](const YAML::Mark& mark) {
        return std::pair(std::max(mark.line + 1, 1), std::max(mark.column + 1, 1));
    };
    const auto keyPlace = place(key.Mark());
    m_document.m_marks[pointer] = {keyPlace, value.IsScalar() ? place(value.Mark()) : keyPlace};
}

} // namespace esxnf
