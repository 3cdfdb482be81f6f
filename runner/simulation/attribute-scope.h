// SPDX-License-Identifier: GPL-2.0-only
// Attributes that a scenario sets by name, given to the objects of one part of it. Objects get them
// as they are made, since many attributes are read only then.
#ifndef ESXNF_ATTRIBUTE_SCOPE_H
#define ESXNF_ATTRIBUTE_SCOPE_H

#include "runner/scenario/scenario.h"

#include "ns3/object.h"
#include "ns3/string.h"

#include <map>
#include <utility>

namespace esxnf
{

/// While it lives, the attributes of a part are defaults of all objects that are made.
class AttributeScope
{
  public:
    /// \param part JSON pointer of a host, node, link or traffic item
    AttributeScope(const Scenario& scenario, const std::string& part);
    ~AttributeScope();
    AttributeScope(const AttributeScope&) = delete;
    AttributeScope& operator=(const AttributeScope&) = delete;

  private:
    /// Type and index of each attribute, and the default it had.
    std::vector<std::pair<std::pair<ns3::TypeId, std::size_t>, ns3::Ptr<const ns3::AttributeValue>>>
        m_before;
};

/**
 * Sees to it that attributes set by name have arrived: among the objects that can be reached from
 * a part's own (by aggregation, attributes, devices and applications) is one of the type, and all
 * of the type have the value.
 * \param part JSON pointer, as above
 * \param roots the part's own objects
 * Throws ScenarioError if not: no such object is made before the run, or the program itself sets
 * the attribute.
 */
void CheckAttributesArrived(const Scenario& scenario,
                            const std::string& part,
                            const std::vector<ns3::Ptr<ns3::Object>>& roots);

/// Gives an object what keys of a part say of its type. \param map JSON pointer of their map
void ApplyKeys(const Scenario& scenario,
               const std::string& map,
               const ns3::Ptr<ns3::Object>& object);

/**
 * The same for what a helper makes.
 * \param type ns3::EsxVSwitch, say
 * \param set called with name and value of each attribute of that type
 */
template <typename Set>
void
ForKeys(const Scenario& scenario, const std::string& map, const std::string& type, const Set& set)
{
    const auto found = scenario.attributes.find(map);
    if (found == scenario.attributes.end())
    {
        return;
    }
    for (const AttributeSetting& setting : found->second)
    {
        if (!setting.byName && setting.type == type)
        {
            set(setting.name, ns3::StringValue(setting.value));
        }
    }
}

} // namespace esxnf

#endif // ESXNF_ATTRIBUTE_SCOPE_H
