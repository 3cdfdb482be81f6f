// SPDX-License-Identifier: GPL-2.0-only
// The module's chapter lists the attributes, trace sources and trace paths that there are.
#include "netflow-fixture.h"

#include "ns3/config.h"
#include "ns3/type-id.h"

#include <fstream>
#include <map>
#include <regex>
#include <sstream>

using namespace ns3;

namespace
{

using Names =
    std::map<std::string, std::vector<std::string>>; //!< of attributes or sources, by class

/// The text between the chapter's headings \p from and \p to.
std::string
Section(const std::string& from, const std::string& to)
{
    std::ifstream file(ENF_SOURCE_DIR "/docs/esx-netflow.rst");
    std::stringstream text;
    text << file.rdbuf();
    const std::string chapter = text.str();
    const std::size_t begin = chapter.find("\n" + from + "\n==");
    return chapter.substr(begin, chapter.find("\n" + to + "\n", begin) - begin);
}

std::vector<std::string>
Quoted(const std::string& text)
{
    static const std::regex quoted("``([^`]+)``");
    std::vector<std::string> names;
    for (std::sregex_iterator i(text.begin(), text.end(), quoted), end; i != end; ++i)
    {
        names.push_back((*i)[1]);
    }
    return names;
}

Names
Listed(const std::string& section)
{
    static const std::regex item("\n\\* (``Esx\\w+``:[^.]*)\\.");
    Names listed;
    for (std::sregex_iterator i(section.begin(), section.end(), item), end; i != end; ++i)
    {
        std::vector<std::string> names = Quoted((*i)[1]);
        const std::string type = names.front();
        names.erase(names.begin());
        listed[type] = names;
    }
    return listed;
}

Names
Registered(const std::function<std::size_t(const TypeId&)>& count,
           const std::function<std::string(const TypeId&, std::size_t)>& name)
{
    Names registered;
    for (uint16_t i = 0; i < TypeId::GetRegisteredN(); ++i)
    {
        const TypeId type = TypeId::GetRegistered(i);
        for (std::size_t k = 0; type.GetName().rfind("ns3::Esx", 0) == 0 && k < count(type); ++k)
        {
            registered[type.GetName().substr(5)].push_back(name(type, k));
        }
    }
    return registered;
}

} // namespace

TEST(EsxChapterTest, ListsAllAttributes)
{
    EXPECT_EQ(
        Listed(Section("Attributes", "Traces")),
        Registered([](const TypeId& type) { return type.GetAttributeN(); },
                   [](const TypeId& type, std::size_t k) { return type.GetAttribute(k).name; }));
}

TEST(EsxChapterTest, ListsAllTraceSources)
{
    EXPECT_EQ(
        Listed(Section("Traces", "Examples and Tests")),
        Registered([](const TypeId& type) { return type.GetTraceSourceN(); },
                   [](const TypeId& type, std::size_t k) { return type.GetTraceSource(k).name; }));
}

using EsxChapterPathTest = NetflowTest;

TEST_F(EsxChapterPathTest, LeadToTraceSources)
{
    AddExport();
    Start();
    int paths = 0;
    for (const std::string& path : Quoted(Section("Traces", "Examples and Tests")))
    {
        if (path.front() != '/')
        {
            continue;
        }
        const std::size_t slash = path.rfind('/');
        const Config::MatchContainer matches = Config::LookupMatches(path.substr(0, slash));
        ASSERT_GT(matches.GetN(), 0u) << path;
        EXPECT_TRUE(
            matches.Get(0)->GetInstanceTypeId().LookupTraceSourceByName(path.substr(slash + 1)))
            << path;
        ++paths;
    }
    EXPECT_EQ(paths, 9);
}
