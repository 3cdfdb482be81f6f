// SPDX-License-Identifier: GPL-2.0-only
// Inside of YamlDocument: one walk over the parser's nodes makes the JSON value and the places of
// its parts. Resolves merge keys, refuses duplicate and unusual keys and foreign tags, and limits
// its own size, because aliases make a small file arbitrarily large.
#ifndef ESXNF_YAML_CONVERTER_H
#define ESXNF_YAML_CONVERTER_H

#include "runner/scenario/yaml-document.h"

#include <string>
#include <utility>
#include <vector>
#include <yaml-cpp/yaml.h>

namespace esxnf
{

class YamlConverter
{
  public:
    /// \param document gets the places; outlives this
    explicit YamlConverter(YamlDocument& document);

    /// \return the value of a node; throws ScenarioError. \param marks get its parts \param depth 0
    /// for the root
    Json Convert(const YAML::Node& node, YamlDocument::Marks& marks, int depth);

  private:
    using Entry = std::pair<YAML::Node, YAML::Node>;

    void Spend(const YAML::Node& node, int depth);
    [[noreturn]] void Refuse(const YAML::Node& node, const std::string& what) const;
    void RefuseLongText(const YAML::Node& node) const;

    /// The entries of a map with "<<" resolved: own keys win over merged ones, earlier sources over
    /// later ones.
    std::vector<Entry> Flatten(const YAML::Node& map, int depth);
    void RefuseTwice(const std::vector<Entry>& entries) const;

    static bool IsMergeKey(const YAML::Node& key);
    std::vector<YAML::Node> MergeSources(const YAML::Node& value) const;
    Json ConvertScalar(const YAML::Node& node) const;

    /// A scalar's error is at the scalar; that of a map or list is at its key, where a reader looks
    /// for it.
    static YamlDocument::Marks& Remember(YamlDocument::Marks& marks,
                                         std::string name,
                                         const YAML::Node& key,
                                         const YAML::Node& value);

    YamlDocument& m_document;
    std::vector<bool> m_written; // by places of values times two; of maps the next number
    std::size_t m_added = 0;
};

} // namespace esxnf

#endif // ESXNF_YAML_CONVERTER_H
