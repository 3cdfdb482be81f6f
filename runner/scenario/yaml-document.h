// SPDX-License-Identifier: GPL-2.0-only
// A YAML file as a JSON value that remembers where each part was written. Stricter than the parser
// below it: duplicate keys, foreign tags, several documents and expansions without end are errors,
// and plain scalars follow YAML 1.2's core schema (010 is ten, yes is a word). Knows nothing of
// scenarios.
#ifndef ESXNF_YAML_DOCUMENT_H
#define ESXNF_YAML_DOCUMENT_H

#include "runner/scenario/scenario-diagnostic.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace esxnf
{

/// Keys keep the order of the file: vSwitch IDs count in it.
using Json = nlohmann::ordered_json;

/**
 * Positions are asked for by JSON pointer (RFC 6901), as in "/hosts/esx1/vms/web1/nics/0/address".
 * A part that was not written (a default, an override) is where its nearest written ancestor is.
 */
class YamlDocument
{
  public:
    YamlDocument() = default;

    /// Reads a file; throws ScenarioError if it cannot be read or is not one YAML map in UTF-8.
    static YamlDocument Load(const std::string& path);

    /// The same from memory; fileName is what messages say.
    static YamlDocument Parse(const std::string& text, const std::string& fileName);

    /// A document by its content. \param text the YAML that it came from, which is read when the
    /// first message is made; empty: nobody wrote it, and messages name the part, but no line
    static YamlDocument FromJson(Json root, const std::string& fileName, std::string text = "");

    const Json& GetRoot() const;
    Json& GetRoot();
    const std::string& GetFileName() const;

    /// A message about the value at a pointer.
    Diagnostic At(Severity severity, const std::string& pointer, const std::string& what) const;

    /// A message about the key (or list item) itself.
    Diagnostic AtKey(Severity severity, const std::string& pointer, const std::string& what) const;

  private:
    friend class YamlConverter;

    /// Lines and columns of a part, as in TextPosition, and its own parts.
    struct Marks
    {
        std::string name; //!< key, or index
        std::pair<int, int> key;
        std::pair<int, int> value;
        std::vector<Marks> parts;
    };

    const Marks& FindMarks(const std::string& pointer) const;
    TextPosition InFile(const std::pair<int, int>& place) const;

    std::string m_fileName;
    Json m_root = Json::object();
    mutable Marks m_marks;      //!< of the whole
    mutable std::string m_text; //!< whose marks are not there yet
};

/// \return pointer + "/" + token, escaped as RFC 6901 says
std::string JoinPointer(const std::string& pointer, const std::string& token);

} // namespace esxnf

#endif // ESXNF_YAML_DOCUMENT_H
