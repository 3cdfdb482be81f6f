// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/scenario-schema.h"

#include "runner/scenario/scenario-validator.h"

#include <algorithm>
#include <unordered_map>

namespace esxnf
{

const Json&
Schema()
{
    static const Json schema = Json::parse(g_scenarioSchema);
    return schema;
}

namespace
{

/// Parts of a schema by name. They are looked up once: a large scenario asks a million times.
using Parts = std::vector<std::pair<std::string_view, const Json*>>;

/// \return those of a schema, then those of the definition that it refers to
Parts
PartsOf(const Json& schema)
{
    Parts parts;
    for (const auto& [word, value] : schema.items())
    {
        parts.emplace_back(word, &value);
    }
    if (const auto reference = schema.find("$ref"); reference != schema.end())
    {
        const auto path = reference->get<std::string>().substr(1); // "#/definitions/..."
        const Parts rest = PartsOf(Schema().at(Json::json_pointer(path)));
        parts.insert(parts.end(), rest.begin(), rest.end());
    }
    return parts;
}

} // namespace

const Json*
Keyword(const Json& schema, std::string_view keyword)
{
    static std::unordered_map<const Json*, Parts> known;
    const auto [found, isNew] = known.try_emplace(&schema);
    if (isNew)
    {
        found->second = PartsOf(schema);
    }
    for (const auto& [word, value] : found->second)
    {
        if (word == keyword)
        {
            return value;
        }
    }
    return nullptr;
}

const Json*
MemberSchema(const Json& schema, const std::string& key)
{
    if (const Json* properties = Keyword(schema, "properties"))
    {
        if (const Json* property = Keyword(*properties, key))
        {
            return property;
        }
    }
    if (&schema == &Schema() && key.rfind("x-", 0) == 0)
    {
        return &schema["patternProperties"]["^x-"];
    }
    const Json* rest = Keyword(schema, "additionalProperties");
    return rest && rest->is_object() ? rest : nullptr;
}

const Json*
ItemSchema(const Json& schema)
{
    if (const Json* choices = Keyword(schema, "anyOf"))
    {
        for (const auto& choice : *choices)
        {
            if (const Json* items = ItemSchema(choice))
            {
                return items;
            }
        }
    }
    return Keyword(schema, "items");
}

Json
Supported(const Json& schema)
{
    Json words = *Keyword(schema, "enum");
    if (const Json* later = Keyword(schema, "x-later"))
    {
        const auto isLater = [later](const Json& word) {
            return std::find(later->begin(), later->end(), word) != later->end();
        };
        words.erase(std::remove_if(words.begin(), words.end(), isLater), words.end());
    }
    return words;
}

std::string
Selected(const Json& object, const Json& schema)
{
    const Json* selector = Keyword(schema, "x-selector");
    if (!selector || !object.contains(selector->get<std::string>()))
    {
        return "";
    }
    const auto key = selector->get<std::string>();
    const auto words = Supported(*MemberSchema(schema, key));
    const auto found = std::find(words.begin(), words.end(), object.at(key));
    return found == words.end() ? "" : found->get<std::string>();
}

bool
AppliesTo(const Json& schema, const std::string& selected)
{
    const auto only = schema.find("x-for");
    return selected.empty() || only == schema.end() ||
           std::find(only->begin(), only->end(), selected) != only->end();
}

std::optional<Quantity>
QuantityOf(const Json& schema)
{
    static const std::unordered_map<std::string, Quantity> quantities{{"time", Quantity::Seconds},
                                                                      {"bytes", Quantity::Octets},
                                                                      {"number", Quantity::Number}};
    const Json* word = Keyword(schema, "x-random");
    return word ? std::optional(quantities.at(word->get<std::string>())) : std::nullopt;
}

} // namespace esxnf
