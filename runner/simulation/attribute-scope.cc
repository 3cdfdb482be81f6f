// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/attribute-scope.h"

#include "ns3/node.h"
#include "ns3/object-ptr-container.h"
#include "ns3/pointer.h"
#include "ns3/string.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace esxnf
{

using namespace ns3;

namespace
{

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

/// Finds all objects that can be reached from some.
class ObjectWalk
{
  public:
    void Visit(const Ptr<Object>& object)
    {
        if (!object || !m_seen.insert(object).second)
        {
            return;
        }
        m_objects.push_back(object);
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

    std::vector<Ptr<Object>> m_objects; //!< in order of visits

  private:
    void VisitAttribute(const Ptr<Object>& object, const TypeId::AttributeInformation& info)
    {
        const auto value = info.checker->Create();
        const auto pointer = DynamicCast<PointerValue>(value);
        const auto container = DynamicCast<ObjectPtrContainerValue>(value);
        if ((!pointer && !container) || !object->GetAttributeFailSafe(info.name, *value))
        {
            return; // it leads nowhere, or cannot be read
        }
        if (pointer)
        {
            // A node is a part of its own
            if (!DynamicCast<ns3::Node>(pointer->GetObject()))
            {
                Visit(pointer->GetObject());
            }
        }
        else
        {
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
    for (const AttributeSetting& setting : SettingsOf(scenario.attributes, part))
    {
        TypeId type = DeclaringType(TypeId::LookupByName(setting.type), setting.name);
        const std::size_t index = IndexOf(type, setting.name);
        const TypeId::AttributeInformation info = type.GetAttribute(index);
        m_before.push_back({{type, index}, info.initialValue});
        // Of a text each object makes its own random variable
        const bool isPointer = info.checker->GetValueTypeName() == "ns3::PointerValue";
        const StringValue text(setting.value);
        type.SetAttributeInitialValue(index,
                                      isPointer ? text.Copy()
                                                : info.checker->CreateValidValue(text));
    }
}

AttributeScope::~AttributeScope()
{
    for (auto before = m_before.rbegin(); before != m_before.rend(); ++before)
    {
        before->first.first.SetAttributeInitialValue(before->first.second, before->second);
    }
}

std::vector<Ptr<Object>>
ObjectsFrom(const std::vector<Ptr<Object>>& roots)
{
    ObjectWalk walk;
    for (const Ptr<Object>& root : roots)
    {
        walk.Visit(root);
    }
    return walk.m_objects;
}

void
CheckAttributesArrived(const Scenario& scenario,
                       const std::string& part,
                       const std::vector<Ptr<Object>>& roots)
{
    std::vector<AttributeSetting> settings = SettingsOf(scenario.attributes, part);
    const auto isKey = [](const AttributeSetting& setting) { return !setting.byName; };
    settings.erase(std::remove_if(settings.begin(), settings.end(), isKey), settings.end());
    if (settings.empty())
    {
        return;
    }
    const std::vector<Ptr<Object>> objects = ObjectsFrom(roots);
    Diagnostics errors;
    for (const AttributeSetting& setting : settings)
    {
        const TypeId type = TypeId::LookupByName(setting.type);
        bool isThere = false;
        bool hasArrived = true;
        for (const Ptr<Object>& object : objects)
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

} // namespace esxnf
