// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/yaml-document.h"

#include "runner/scenario/data-files.h"
#include "runner/scenario/yaml-converter.h"
#include "runner/scenario/yaml-text.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <system_error>
#include <utility>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/yaml.h>

namespace esxnf
{

namespace
{

constexpr std::size_t MAX_FILE_BYTES = 16 << 20;

} // namespace

YamlDocument
YamlDocument::Load(const std::string& asked)
{
    const std::string path = FindScenario(asked);
    const auto refuse = [&path](const std::string& what) {
        throw ScenarioError({{Severity::Error, {path, 0, 0}, "scenario", what}});
    };
    std::ifstream file(path, std::ios::binary);
    if (!file)
    {
        refuse("cannot be opened: " + std::generic_category().message(errno));
    }
    std::string text(MAX_FILE_BYTES + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad() || (file.gcount() == 0 && !file.eof()))
    {
        refuse("cannot be read: is it a file?");
    }
    text.resize(static_cast<std::size_t>(file.gcount()));
    return Parse(text, path);
}

YamlDocument
YamlDocument::Parse(const std::string& text, const std::string& fileName)
{
    YamlDocument document;
    document.m_fileName = fileName;
    document.m_marks = {"", {1, 1}, {1, 1}, {}};
    if (text.size() > MAX_FILE_BYTES)
    {
        FailYaml(fileName, 0, 0, fmt::format("the file is larger than {} bytes", MAX_FILE_BYTES));
    }
    RefuseForeignBytes(text, fileName);
    try
    {
        const bool hasContent = RefuseSecondDocument(text, fileName);
        const auto node = YAML::Load(text);
        if (!hasContent)
        {
            FailYaml(fileName,
                     0,
                     0,
                     "the file is empty: a scenario is a map that begins with 'version: 1'");
        }
        if (!node.IsMap())
        {
            FailYaml(fileName,
                     node.Mark().line,
                     node.Mark().column,
                     "the top level must be a map that begins with 'version: 1'");
        }
        document.m_root = YamlConverter(document).Convert(node, document.m_marks, 0);
    }
    catch (const YAML::DeepRecursion& error)
    {
        FailYaml(fileName, error.mark.line, error.mark.column, "nested too deep");
    }
    catch (const YAML::Exception& error)
    {
        FailYaml(fileName,
                 error.mark.line,
                 error.mark.column,
                 IsIndentedByTab(text, error.mark.line)
                     ? "a tab in the indentation: YAML is indented with blanks"
                     : error.msg);
    }
    return document;
}

YamlDocument
YamlDocument::FromJson(Json root, const std::string& fileName, std::string text)
{
    YamlDocument document;
    document.m_fileName = fileName;
    document.m_root = std::move(root);
    document.m_text = std::move(text);
    return document;
}

const Json&
YamlDocument::GetRoot() const
{
    return m_root;
}

Json&
YamlDocument::GetRoot()
{
    return m_root;
}

const std::string&
YamlDocument::GetFileName() const
{
    return m_fileName;
}

namespace
{

/// "/hosts/esx1/vms/web1/nics/0" -> "hosts.esx1.vms.web1.nics[0]"
std::string
DottedPath(const std::string& pointer)
{
    std::string path;
    const auto tokens = nlohmann::json::json_pointer(pointer);
    for (auto rest = tokens; !rest.empty(); rest.pop_back())
    {
        const auto& token = rest.back();
        const bool isIndex =
            !token.empty() && token.find_first_not_of("0123456789") == std::string::npos;
        path.insert(0, isIndex ? fmt::format("[{}]", token) : fmt::format(".{}", token));
    }
    return path.empty() ? "scenario" : path.substr(path[0] == '.');
}

} // namespace

Diagnostic
YamlDocument::At(Severity severity, const std::string& pointer, const std::string& what) const
{
    return {severity, InFile(FindMarks(pointer).value), DottedPath(pointer), what};
}

Diagnostic
YamlDocument::AtKey(Severity severity, const std::string& pointer, const std::string& what) const
{
    return {severity, InFile(FindMarks(pointer).key), DottedPath(pointer), what};
}

TextPosition
YamlDocument::InFile(const std::pair<int, int>& place) const
{
    return {m_fileName, place.first, place.second};
}

const YamlDocument::Marks&
YamlDocument::FindMarks(const std::string& pointer) const
{
    if (!m_text.empty())
    {
        m_marks = Parse(std::exchange(m_text, ""), m_fileName).m_marks;
    }
    const Marks* found = &m_marks;
    for (std::size_t begin = 1; begin <= pointer.size();)
    {
        const auto end = std::min(pointer.find('/', begin), pointer.size());
        const auto name =
            nlohmann::json::json_pointer(pointer.substr(begin - 1, end - begin + 1)).back();
        const std::vector<Marks>& parts = found->parts;
        const auto index = std::strtoul(name.c_str(), nullptr, 10); // most parts are in lists
        const auto part =
            index < parts.size() && parts[index].name == name
                ? parts.begin() + static_cast<std::ptrdiff_t>(index)
                : std::find_if(parts.begin(), parts.end(), [&name](const Marks& marks) {
                      return marks.name == name;
                  });
        if (part == parts.end())
        {
            break;
        }
        found = &*part;
        begin = end + 1;
    }
    return *found;
}

std::string
JoinPointer(const std::string& pointer, const std::string& token)
{
    return token.find_first_of("~/") ==
                   std::string::npos // most are, and it is asked for each value
               ? pointer + '/' + token
               : pointer + (nlohmann::json::json_pointer() / token).to_string();
}

} // namespace esxnf
