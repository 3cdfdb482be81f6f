// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/attribute-settings.h"

#include "runner/scenario/distribution.h"
#include "runner/scenario/scenario-fields.h"
#include "runner/scenario/scenario-schema.h"

#include "ns3/string.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

namespace esxnf
{

namespace
{

/// "ns3::EsxNetflow::IdleTimeout"
struct NamedAttribute
{
    explicit NamedAttribute(const std::string& full)
        : type(full.substr(0, full.rfind("::"))),
          name(full.substr(full.rfind("::") + 2))
    {
        ns3::TypeId tid;
        ns3::TypeId::AttributeInformation info;
        const bool known =
            ns3::TypeId::LookupByNameFailSafe(type, &tid) && tid.LookupAttributeByName(name, &info);
        const std::string named = known ? info.checker->GetValueTypeName() : "";
        valueType = named.rfind("ns3::", 0) == 0 ? named.substr(5) : named; // some ns-3 say so
    }

    std::string type;
    std::string name;
    std::string valueType; //!< class of its values: "TimeValue"; empty: there is none
};

constexpr const char* POINTER = "PointerValue";

std::string
TextOf(const Json& value)
{
    return value.is_string() ? value.get<std::string>() : value.dump();
}

/// Whether a value is random: "exponential(2ms)"; an attribute that is a time cannot be.
bool
NeedsRandomVariable(const Json& value, const Json& schema)
{
    return value.is_string() &&
           value.get_ref<const std::string&>().find('(') != std::string::npos && QuantityOf(schema);
}

/// The value of a key as the attribute spells it: "512MiB" -> "536870912", "port-id" -> "PortId",
/// "accept" -> "true", a list joined by commas, "exponential(2ms)" ->
/// "ns3::ExponentialRandomVariable[Mean=0.002]", of a network its address or its mask.
std::string
SpellValue(const Json& value, const Json& schema, const std::string& valueType)
{
    if (const auto quantity = valueType == POINTER ? QuantityOf(schema) : std::nullopt)
    {
        Distribution distribution; // the form check has read it
        ParseDistribution(TextOf(value), *quantity, distribution);
        return SpellRandomVariable(distribution);
    }
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
    if (valueType == "UintegerValue")
    {
        uint64_t octets = 0;
        uint32_t bytes = 0;
        const bool isMemory = schema.value("$ref", "") == "#/definitions/memory_size";
        isMemory ? Read(value, octets) : Read(value, bytes);
        return std::to_string(isMemory ? octets : bytes);
    }
    if (valueType == "BooleanValue")
    {
        return text == "accept" ? "true" : "false";
    }
    if (const auto slash = text.find('/'); slash != std::string::npos)
    {
        const bool isMask = valueType == "Ipv4MaskValue";
        return isMask ? text.substr(slash) : text.substr(0, slash);
    }
    return valueType.rfind("EnumValue", 0) == 0 ? ToAttributeWord(text) : text;
}

/// The attributes that a key names: a text, or a list of texts; none is empty.
std::vector<std::string>
AttributesOf(const Json& schema)
{
    const Json* named = Keyword(schema, "x-attribute");
    return !named              ? std::vector<std::string>()
           : named->is_array() ? named->get<std::vector<std::string>>()
                               : std::vector{named->get<std::string>()};
}

/// The same, looked up once.
const std::vector<NamedAttribute>&
NamedBy(const Json& schema)
{
    static std::unordered_map<const Json*, std::vector<NamedAttribute>> known;
    const auto [found, isNew] = known.try_emplace(&schema);
    for (const auto& full : isNew ? AttributesOf(schema) : std::vector<std::string>())
    {
        found->second.emplace_back(full);
    }
    return found->second;
}

/// \param part pointer of the nearest part around: an item of a list or of a map of names
void
Find(const Json& value,
     const Json& schema,
     const std::string& pointer,
     const std::string& part,
     AttributeSettings& found)
{
    if (value.is_array() && ItemSchema(schema))
    {
        for (std::size_t i = 0; i < value.size(); ++i)
        {
            const auto path = JoinPointer(pointer, std::to_string(i));
            Find(value[i], *ItemSchema(schema), path, path, found);
        }
    }
    if (!value.is_object())
    {
        return;
    }
    const bool isFree = schema.value("$ref", "") == "#/definitions/attributes";
    const bool isOfNames = !Keyword(schema, "properties");
    for (const auto& [key, child] : value.items())
    {
        const Json& childSchema = *MemberSchema(schema, key);
        const std::vector<NamedAttribute>& attributes = NamedBy(childSchema);
        if (attributes.empty() && child.is_primitive() && !isFree)
        {
            continue; // most are so, in a large scenario
        }
        const auto path = JoinPointer(pointer, key);
        if (isFree)
        {
            const NamedAttribute named(key);
            found[part].push_back({named.type, named.name, TextOf(child), path, true, false});
            continue;
        }
        const Json* standard = Keyword(childSchema, "default");
        const bool isDefault = standard && *standard == child;
        for (const NamedAttribute& named : attributes)
        {
            if (!NeedsRandomVariable(child, childSchema) || named.valueType == POINTER)
            {
                const auto text = SpellValue(child, childSchema, named.valueType);
                found[part].push_back({named.type, named.name, text, path, false, isDefault});
            }
        }
        Find(child, childSchema, path, isOfNames ? path : part, found);
    }
}

/// Searches a schema and what is inside of it for a key. \return "netflow.idle_timeout"
std::string
KeyOf(const std::string& full, const Json& schema, const std::string& part)
{
    const Json none = Json::object();
    const auto properties = schema.find("properties");
    for (const auto& [key, child] : (properties == schema.end() ? none : *properties).items())
    {
        const auto names = AttributesOf(child);
        const auto path = part + "." + key;
        const bool isIt = std::find(names.begin(), names.end(), full) != names.end();
        if (auto inside = isIt ? path : KeyOf(full, child, path); !inside.empty())
        {
            return inside;
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
        Find(part, *MemberSchema(Schema(), key), "/" + key, "/" + key, found);
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
    std::string key;
    if (declaring.GetUid() != 0)
    {
        const auto& parts = Schema().at("definitions").items();
        for (auto part = parts.begin(); part != parts.end() && key.empty(); ++part)
        {
            key = KeyOf(declaring.GetName() + "::" + name, part.value(), part.key());
        }
    }
    return key;
}

const std::vector<AttributeSetting>&
SettingsOf(const AttributeSettings& settings, const std::string& part)
{
    static const std::vector<AttributeSetting> none;
    const auto found = settings.find(part);
    return found == settings.end() ? none : found->second;
}

void
ApplyKeys(const AttributeSettings& settings,
          const std::string& part,
          const ns3::Ptr<ns3::Object>& object)
{
    const ns3::TypeId its = object->GetInstanceTypeId();
    for (const AttributeSetting& setting : SettingsOf(settings, part))
    {
        const auto type = ns3::TypeId::LookupByName(setting.type);
        if (!setting.byName && (its == type || its.IsChildOf(type)))
        {
            object->SetAttribute(setting.name, ns3::StringValue(setting.value));
        }
    }
}

} // namespace esxnf
