// SPDX-License-Identifier: GPL-2.0-only
// docs/scripts.md has a row for each key of the schema, and what its rows name exists.
#include "ns3/type-id.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace
{

using Json = nlohmann::json;
using Words = std::set<std::string>;

std::string
Read(const std::filesystem::path& path)
{
    std::ifstream file(path);
    EXPECT_TRUE(file.is_open()) << path;
    return {std::istreambuf_iterator<char>(file), {}};
}

/// "run.seed" of each key; objects without a definition of their own go by their key.
void
Collect(const Json& node, const std::string& name, Words& keys)
{
    if (!node.is_object())
    {
        return;
    }
    const Json properties = node.value("properties", Json::object());
    for (const auto& [key, value] : properties.items())
    {
        keys.insert(name + "." + key);
        Collect(value, key, keys);
    }
}

Words
KeysOfSchema()
{
    const Json schema = Json::parse(Read(ENF_SOURCE_DIR "/runner/scenario/scenario.schema.json"));
    Words keys;
    Collect(schema, "scenario", keys);
    for (const auto& [name, definition] : schema.at("definitions").items())
    {
        Collect(definition, name, keys);
    }
    return keys;
}

/// The cells of all rows: the quoted key, and what it is in a script.
std::map<std::string, std::string>
Rows()
{
    static const std::regex row("\\| `?([^|]*?)`? \\| (.*) \\|");
    std::map<std::string, std::string> rows;
    std::istringstream page(Read(ENF_SOURCE_DIR "/docs/scripts.md"));
    for (std::string line; std::getline(page, line);)
    {
        std::smatch cells;
        if (std::regex_match(line, cells, row))
        {
            EXPECT_TRUE(rows.emplace(cells[1], cells[2]).second) << "twice: " << cells[1];
        }
    }
    rows.erase("key");
    rows.erase("wanted");
    return rows;
}

/// The header of model/ or helper/ that declares a class.
std::string
HeaderOf(const std::string& type)
{
    static const std::vector<std::string> headers = [] {
        std::vector<std::string> all;
        for (const char* room : {ENF_SOURCE_DIR "/model", ENF_SOURCE_DIR "/helper"})
        {
            for (const auto& file : std::filesystem::recursive_directory_iterator(room))
            {
                all.push_back(file.path().extension() == ".h" ? Read(file.path()) : "");
            }
        }
        return all;
    }();
    for (const std::string& text : headers)
    {
        for (const std::string kind : {"\nclass ", "\nstruct "})
        {
            for (const char* next : {"\n{", " :"})
            {
                if (text.find(kind + type + next) != std::string::npos)
                {
                    return text;
                }
            }
        }
    }
    return "";
}

/// Whether "Class::Attribute", "Class::TraceSource", "Class::Method()" or "Struct::field" exists.
bool
Exists(const std::string& type, const std::string& member)
{
    ns3::TypeId id;
    ns3::TypeId::AttributeInformation attribute;
    if (member.back() != ')' && ns3::TypeId::LookupByNameFailSafe("ns3::" + type, &id))
    {
        return id.LookupAttributeByName(member, &attribute) || id.LookupTraceSourceByName(member);
    }
    const std::string header = HeaderOf(type);
    const std::string name = member.substr(0, member.find('('));
    const std::string after = member.back() == ')' ? "\\(" : "[{;]";
    const bool isInherited = name == "EnablePcap" && header.find("PcapHelper") != std::string::npos;
    return isInherited || std::regex_search(header, std::regex("\\b" + name + after));
}

} // namespace

TEST(ScriptsDoc, HasARowForEveryKeyOfTheSchema)
{
    const auto rows = Rows();
    Words keys;
    for (const auto& [key, what] : rows)
    {
        EXPECT_FALSE(what.empty()) << key;
        if (key.find('.') != std::string::npos && key.find(' ') == std::string::npos)
        {
            keys.insert(key);
        }
    }
    EXPECT_EQ(keys, KeysOfSchema());
}

TEST(ScriptsDoc, NamesOnlyWhatExists)
{
    static const std::regex reference("`(\\w+)::(\\w+(\\(\\))?)`");
    int ours = 0;
    for (const auto& [key, what] : Rows())
    {
        for (std::sregex_iterator i(what.begin(), what.end(), reference), end; i != end; ++i)
        {
            const std::string type = (*i)[1];
            const std::string member = (*i)[2];
            if (type.rfind("Esx", 0) == 0 || member.back() != ')')
            {
                EXPECT_TRUE(Exists(type, member)) << key << ": " << type << "::" << member;
                ++ours;
            }
        }
    }
    EXPECT_GT(ours, 150);
}
