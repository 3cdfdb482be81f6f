// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/yaml-document.h"

#include "runner/scenario/yaml-scalar.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <set>
#include <sstream>
#include <system_error>
#include <yaml-cpp/yaml.h>

namespace esxnf
{

namespace
{

constexpr std::size_t MAX_FILE_BYTES = 16 << 20;
constexpr std::size_t MAX_NODES = 250'000;     // after aliases and merges are expanded
constexpr std::size_t MAX_SCALAR_BYTES = 4096; // std::regex recurses once per character
constexpr int MAX_DEPTH = 32;                  // a scenario needs 8

[[noreturn]] void
Fail(const std::string& file, const YAML::Mark& mark, const std::string& what)
{
    // yaml-cpp counts from 0 and has no place (-1) for some errors
    const Place place{file, std::max(mark.line + 1, 1), std::max(mark.column + 1, 1)};
    throw ScenarioError({{Severity::Error, place, "YAML", what}});
}

/// Length of the UTF-8 sequence at text[i], or 0 if there is none (overlong forms and surrogates
/// count as none).
std::size_t
Utf8Length(const std::string& text, std::size_t i)
{
    const auto byte = [&](std::size_t k) {
        return k < text.size() ? static_cast<unsigned char>(text[k]) : 0u;
    };
    const auto lead = byte(i);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xc2 ? 0
                               : lead < 0xe0 ? 2
                               : lead < 0xf0 ? 3
                               : lead < 0xf5 ? 4
                                             : 0;
    for (std::size_t k = 1; k < length; ++k)
    {
        if ((byte(i + k) & 0xc0) != 0x80)
        {
            return 0;
        }
    }
    const bool overlong =
        (lead == 0xe0 && byte(i + 1) < 0xa0) || (lead == 0xf0 && byte(i + 1) < 0x90);
    const bool outside =
        (lead == 0xed && byte(i + 1) > 0x9f) || (lead == 0xf4 && byte(i + 1) > 0x8f);
    return overlong || outside ? 0 : length;
}

/// yaml-cpp takes byte 0x04 for the end of the file and guesses at other encodings, so the text is
/// checked first.
void
RefuseForeignBytes(const std::string& text, const std::string& file)
{
    YAML::Mark mark;
    for (std::size_t i = 0; i < text.size();)
    {
        const auto c = static_cast<unsigned char>(text[i]);
        const auto length = Utf8Length(text, i);
        if (length == 0)
        {
            Fail(file, mark, fmt::format("byte 0x{:02x} is not UTF-8", c));
        }
        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
        {
            Fail(file, mark, fmt::format("control character 0x{:02x} is not allowed", c));
        }
        i += length;
        mark.column = c == '\n' ? 0 : mark.column + 1;
        mark.line += c == '\n';
    }
}

/// Refuses what follows a first document, which YAML::Load() would pass over. (YAML::LoadAll()
/// makes empty documents without end of a text that begins with a comma.) A marker at the start of
/// a line is one even inside of a text.
/// @return false if there is nothing but comments
bool
RefuseSecondDocument(const std::string& text, const std::string& file)
{
    bool begun = false;
    bool ended = false;
    std::istringstream lines(text);
    YAML::Mark mark;
    for (std::string line; std::getline(lines, line); ++mark.line)
    {
        const auto start = line.substr(0, line.find_first_of(" \t\r"));
        const auto content = line.find_first_not_of(" \t\r");
        if (content == std::string::npos || line[content] == '#' || line[content] == '%')
        {
            continue;
        }
        if (ended || (begun && start == "---"))
        {
            Fail(file, mark, "a second document ('---'): one file holds one scenario");
        }
        ended = start == "...";
        begun = true;
    }
    return begun;
}

} // namespace

/// One walk over the parsed nodes; limits its own size, because aliases make a small file
/// arbitrarily large.
class YamlConverter
{
  public:
    explicit YamlConverter(YamlDocument& document)
        : m_document(document)
    {
    }

    Json Convert(const YAML::Node& node, const std::string& pointer, int depth)
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

  private:
    using Entry = std::pair<YAML::Node, YAML::Node>;

    void Spend(const YAML::Node& node, int depth)
    {
        if (depth > MAX_DEPTH)
        {
            Refuse(node,
                   fmt::format("nested more than {} levels deep (does an anchor contain itself?)",
                               MAX_DEPTH));
        }
        if (++m_nodes > MAX_NODES)
        {
            Refuse(node, fmt::format("aliases expand to more than {} values", MAX_NODES));
        }
    }

    [[noreturn]] void Refuse(const YAML::Node& node, const std::string& what) const
    {
        Fail(m_document.m_fileName, node.Mark(), what);
    }

    void RefuseLongText(const YAML::Node& node) const
    {
        if (node.Scalar().size() > MAX_SCALAR_BYTES)
        {
            Refuse(node, fmt::format("a text of more than {} bytes", MAX_SCALAR_BYTES));
        }
    }

    /// The entries of a map with "<<" resolved: own keys win over merged ones, earlier sources over
    /// later ones.
    std::vector<Entry> Flatten(const YAML::Node& map, int depth)
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

    static bool IsMergeKey(const YAML::Node& key)
    {
        return key.Scalar() == "<<" && key.Tag() == "?"; // "?": plain, without a tag
    }

    std::vector<YAML::Node> MergeSources(const YAML::Node& value) const
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

    Json ConvertScalar(const YAML::Node& node) const
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

    /// A scalar's error is at the scalar; that of a map or list is at its key, where a reader looks
    /// for it.
    void Remember(const std::string& pointer, const YAML::Node& key, const YAML::Node& value)
    {
        const auto place = [this](const YAML::Mark& mark) {
            return Place{m_document.m_fileName,
                         std::max(mark.line + 1, 1),
                         std::max(mark.column + 1, 1)};
        };
        const auto keyPlace = place(key.Mark());
        m_document.m_marks[pointer] = {keyPlace, value.IsScalar() ? place(value.Mark()) : keyPlace};
    }

    YamlDocument& m_document;
    std::size_t m_nodes = 0;
};

YamlDocument
YamlDocument::Load(const std::string& path)
{
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
    document.m_marks[""] = {{fileName, 1, 1}, {fileName, 1, 1}};
    if (text.size() > MAX_FILE_BYTES)
    {
        Fail(fileName, {}, fmt::format("the file is larger than {} bytes", MAX_FILE_BYTES));
    }
    RefuseForeignBytes(text, fileName);
    try
    {
        const bool hasContent = RefuseSecondDocument(text, fileName);
        const auto node = YAML::Load(text);
        if (!hasContent)
        {
            Fail(fileName,
                 {},
                 "the file is empty: a scenario is a map that begins with 'version: 1'");
        }
        if (!node.IsMap())
        {
            Fail(fileName,
                 node.Mark(),
                 "the top level must be a map that begins with 'version: 1'");
        }
        document.m_root = YamlConverter(document).Convert(node, "", 0);
    }
    catch (const YAML::Exception& error)
    {
        Fail(fileName, error.mark, error.msg);
    }
    return document;
}

YamlDocument
YamlDocument::FromJson(Json root, const std::string& fileName)
{
    YamlDocument document;
    document.m_fileName = fileName;
    document.m_root = std::move(root);
    document.m_marks[""] = {{fileName, 0, 0}, {fileName, 0, 0}};
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
    return {severity, FindMarks(pointer).value, DottedPath(pointer), what};
}

Diagnostic
YamlDocument::AtKey(Severity severity, const std::string& pointer, const std::string& what) const
{
    return {severity, FindMarks(pointer).key, DottedPath(pointer), what};
}

const YamlDocument::Marks&
YamlDocument::FindMarks(std::string pointer) const
{
    static const Marks nowhere;
    for (;; pointer.resize(pointer.rfind('/')))
    {
        const auto found = m_marks.find(pointer);
        if (found != m_marks.end())
        {
            return found->second;
        }
        if (pointer.empty())
        {
            return nowhere;
        }
    }
}

std::string
JoinPointer(const std::string& pointer, const std::string& token)
{
    return pointer + (nlohmann::json::json_pointer() / token).to_string();
}

} // namespace esxnf
