// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/attribute-scope.h"

#include "ns3/node.h"
#include "ns3/object-ptr-container.h"
#include "ns3/pointer.h"

#include <fmt/format.h>
#include <set>

namespace esxnf
{

using namespace ns3;

namespace
{

const std::vector<AttributeSetting>&
SettingsOf(const Scenario& scenario, const std::string& part)
{
    static const std::vector<AttributeSetting> none;
    const auto found = scenario.attributes.find(part + "/attributes");
    return found == scenario.attributes.end() ? none : found->second;
}

std::size_t
IndexOf(const TypeId& type, const std::string& attribute)
{
    std::size_t index = 0;
    while (type.GetAttribute(index).name != attribute)
    {
        ++index;
    }
    return index;
}

/// All objects that can be reached from some.
class ObjectWalk
{
  public:
    void Visit(const Ptr<Object>& object)
    {
        if (!object || !m_seen.insert(object).second)
        {
            return;
        }
        for (auto others = object->GetAggregateIterator(); others.HasNext();)
        {
            Visit(ConstCast<Object>(others.Next()));
        }
        for (TypeId type = object->GetInstanceTypeId();; type = type.GetParent())
        {
            for (std::size_t i = 0; i < type.GetAttributeN(); ++i)
            {
                VisitAttribute(object, type.GetAttribute(i));
            }
            if (!type.HasParent())
            {
                break;
            }
        }
    }

    const std::set<Ptr<Object>>& GetObjects() const
    {
        return m_seen;
    }

  private:
    void VisitAttribute(const Ptr<Object>& object, const TypeId::AttributeInformation& info)
    {
        if (!info.accessor->HasGetter() || (info.flags & TypeId::ATTR_GET) == 0)
        {
            return;
        }
        const auto value = info.checker->Create();
        if (const auto pointer = DynamicCast<PointerValue>(value))
        {
            object->GetAttribute(info.name, *pointer);
            // A node is a part of its own
            if (!DynamicCast<ns3::Node>(pointer->GetObject()))
            {
                Visit(pointer->GetObject());
            }
        }
        else if (const auto container = DynamicCast<ObjectPtrContainerValue>(value))
        {
            object->GetAttribute(info.name, *container);
            for (auto item = container->Begin(); item != container->End(); ++item)
            {
                Visit(item->second);
            }
        }
    }

    std::set<Ptr<Object>> m_seen;
};

/// \return true if an object has a value of an attribute
bool
HasValue(const Ptr<Object>& object, const std::string& name, const std::string& wanted)
{
    TypeId::AttributeInformation info;
    object->GetInstanceTypeId().LookupAttributeByName(name, &info);
    if (!info.accessor->HasGetter())
    {
        return true; // nobody can tell
    }
    const auto value = info.checker->Create();
    object->GetAttribute(name, *value);
    const auto right = info.checker->CreateValidValue(StringValue(wanted));
    return value->SerializeToString(info.checker) == right->SerializeToString(info.checker);
}

} // namespace

AttributeScope::AttributeScope(const Scenario& scenario, const std::string& part)
{
    for (const AttributeSetting& setting : SettingsOf(scenario, part))
    {
        TypeId type = DeclaringType(TypeId::LookupByName(setting.type), setting.name);
        const std::size_t index = IndexOf(type, setting.name);
        const TypeId::AttributeInformation info = type.GetAttribute(index);
        m_before.push_back({{type, index}, info.initialValue});
        type.SetAttributeInitialValue(index,
                                      info.checker->CreateValidValue(StringValue(setting.value)));
    }
}

AttributeScope::~AttributeScope()
{
    for (auto before = m_before.rbegin(); before != m_before.rend(); ++before)
    {
        before->first.first.SetAttributeInitialValue(before->first.second, before->second);
    }
}

void
CheckAttributesArrived(const Scenario& scenario,
                       const std::string& part,
                       const std::vector<Ptr<Object>>& roots)
{
    const auto& settings = SettingsOf(scenario, part);
    if (settings.empty())
    {
        return;
    }
    ObjectWalk walk;
    for (const Ptr<Object>& root : roots)
    {
        walk.Visit(root);
    }
    Diagnostics errors;
    for (const AttributeSetting& setting : settings)
    {
        const TypeId type = TypeId::LookupByName(setting.type);
        bool isThere = false;
        bool hasArrived = true;
        for (const Ptr<Object>& object : walk.GetObjects())
        {
            const TypeId its = object->GetInstanceTypeId();
            if (its == type || its.IsChildOf(type))
            {
                isThere = true;
                hasArrived = hasArrived && HasValue(object, setting.name, setting.value);
            }
        }
        if (!isThere || !hasArrived)
        {
            errors.push_back(scenario.At(
                Severity::Error,
                setting.path,
                isThere ? fmt::format("{}::{} cannot be set here: esx-netflow sets it itself",
                                      setting.type,
                                      setting.name)
                        : fmt::format("no {} is made here before the run; under 'run' it is a "
                                      "default of all, also of those made later",
                                      setting.type)));
        }
    }
    if (!errors.empty())
    {
        throw ScenarioError(std::move(errors));
    }
}

void
ApplyKeys(const Scenario& scenario, const std::string& map, const Ptr<Object>& object)
{
    const TypeId its = object->GetInstanceTypeId();
    const auto found = scenario.attributes.find(map);
    for (std::size_t i = 0; found != scenario.attributes.end() && i < found->second.size(); ++i)
    {
        const AttributeSetting& setting = found->second[i];
        const TypeId type = TypeId::LookupByName(setting.type);
        if (!setting.byName && (its == type || its.IsChildOf(type)))
        {
            object->SetAttribute(setting.name, StringValue(setting.value));
        }
    }
}

} // namespace esxnf
