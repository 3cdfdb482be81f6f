// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/attribute-settings.h"

#include "runner/scenario/scenario-fields.h"
#include "runner/scenario/scenario-schema.h"

namespace esxnf
{

namespace
{

/// "ns3::EsxNetflow::IdleTimeout" -> type, name
std::pair<std::string, std::string>
SplitAttribute(const std::string& full)
{
    const auto last = full.rfind("::");
    return {full.substr(0, last), full.substr(last + 2)};
}

/// The class of an attribute's values ("ns3::TimeValue"); empty: there is no such attribute.
std::string
ValueType(const std::string& type, const std::string& name)
{
    ns3::TypeId tid;
    ns3::TypeId::AttributeInformation info;
    const bool known =
        ns3::TypeId::LookupByNameFailSafe(type, &tid) && tid.LookupAttributeByName(name, &info);
    return known ? info.checker->GetValueTypeName() : "";
}

/// The value of a key as the attribute spells it: "512MiB" -> "536870912", "port-id" -> "PortId",
/// "accept" -> "true", a list joined by commas.
std::string
SpellValue(const Json& value, const std::string& valueType)
{
    if (value.is_array())
    {
        std::string list;
        for (const auto& item : value)
        {
            list += (list.empty() ? "" : ",") + item.get<std::string>();
        }
        return list;
    }
    if (!value.is_string())
    {
        return value.dump();
    }
    const auto text = value.get<std::string>();
    if (valueType == "ns3::UintegerValue")
    {
        uint64_t octets = 0;
        uint32_t bytes = 0;
        const bool isMemory =
            text.find("MiB") != std::string::npos || text.find("GiB") != std::string::npos;
        isMemory ? Read(value, octets) : Read(value, bytes);
        return std::to_string(isMemory ? octets : bytes);
    }
    if (valueType == "ns3::BooleanValue")
    {
        return text == "accept" ? "true" : "false";
    }
    return valueType.rfind("ns3::EnumValue", 0) == 0 ? ToAttributeWord(text) : text;
}

void
Find(const Json& value, const Json& schema, const std::string& pointer, AttributeSettings& found)
{
    if (value.is_array() && ItemSchema(schema))
    {
        for (std::size_t i = 0; i < value.size(); ++i)
        {
            Find(value[i], *ItemSchema(schema), JoinPointer(pointer, std::to_string(i)), found);
        }
    }
    if (!value.is_object())
    {
        return;
    }
    const bool isFree = schema.value("$ref", "") == "#/definitions/attributes";
    for (const auto& [key, child] : value.items())
    {
        const Json& childSchema = *MemberSchema(schema, key);
        const auto path = JoinPointer(pointer, key);
        const Json* named = Keyword(childSchema, "x-attribute");
        if (isFree || named)
        {
            const auto [type, name] = SplitAttribute(isFree ? key : named->get<std::string>());
            const auto text = isFree && child.is_string()
                                  ? child.get<std::string>()
                                  : SpellValue(child, ValueType(type, name));
            found[pointer].push_back({type, name, text, path, isFree});
        }
        Find(child, childSchema, path, found);
    }
}

/// Searches the schema's definitions for a key. \return "netflow.idle_timeout"
std::string
KeyOf(const std::string& full)
{
    for (const auto& [part, schema] : Schema().at("definitions").items())
    {
        if (const auto properties = schema.find("properties"); properties != schema.end())
        {
            for (const auto& [key, child] : properties->items())
            {
                if (child.is_object() && child.value("x-attribute", "") == full)
                {
                    return part + "." + key;
                }
            }
        }
    }
    return "";
}

} // namespace

AttributeSettings
FindAttributeSettings(const YamlDocument& document)
{
    AttributeSettings found;
    for (const auto& [key, part] : document.GetRoot().items())
    {
        Find(part, *MemberSchema(Schema(), key), "/" + key, found);
    }
    return found;
}

ns3::TypeId
DeclaringType(ns3::TypeId type, const std::string& name)
{
    while (true)
    {
        for (std::size_t i = 0; i < type.GetAttributeN(); ++i)
        {
            if (type.GetAttribute(i).name == name)
            {
                return type;
            }
        }
        if (!type.HasParent())
        {
            return {};
        }
        type = type.GetParent();
    }
}

std::string
KeyOfAttribute(ns3::TypeId type, const std::string& name)
{
    const ns3::TypeId declaring = DeclaringType(type, name);
    return declaring.GetUid() == 0 ? "" : KeyOf(declaring.GetName() + "::" + name);
}

} // namespace esxnf
