// SPDX-License-Identifier: GPL-2.0-only
// Attributes that a scenario sets, by keys and by name, given to the objects of one part of it.
// Objects get them as they are made, since many attributes are read only then.
#ifndef ESXNF_ATTRIBUTE_SCOPE_H
#define ESXNF_ATTRIBUTE_SCOPE_H

#include "runner/scenario/scenario.h"

#include "ns3/object.h"

#include <utility>
#include <vector>

namespace esxnf
{

/// While it lives, the attributes of a part are defaults of all objects that are made.
class AttributeScope
{
  public:
    /// \param part JSON pointer of a part, as of AttributeSettings
    AttributeScope(const Scenario& scenario, const std::string& part);
    ~AttributeScope();
    AttributeScope(const AttributeScope&) = delete;
    AttributeScope& operator=(const AttributeScope&) = delete;

  private:
    /// Type and index of each attribute, and the default it had.
    std::vector<std::pair<std::pair<ns3::TypeId, std::size_t>, ns3::Ptr<const ns3::AttributeValue>>>
        m_before;
};

/// \return some objects and all that can be reached from them by aggregation, attributes, devices
/// and applications, but for other nodes
std::vector<ns3::Ptr<ns3::Object>> ObjectsFrom(const std::vector<ns3::Ptr<ns3::Object>>& roots);

/**
 * Sees to it that attributes set by name have arrived: among the objects that can be reached from
 * a part's own is one of the type, and all of the type have the value.
 * \param part JSON pointer, as above
 * \param roots the part's own objects
 * Throws ScenarioError if not: no such object is made before the run, or the program itself sets
 * the attribute.
 */
void CheckAttributesArrived(const Scenario& scenario,
                            const std::string& part,
                            const std::vector<ns3::Ptr<ns3::Object>>& roots);

} // namespace esxnf

#endif // ESXNF_ATTRIBUTE_SCOPE_H
