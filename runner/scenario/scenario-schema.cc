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

const Json*
Keyword(const Json& schema, const std::string& keyword)
{
    if (const auto found = schema.find(keyword); found != schema.end())
    {
        return &*found;
    }
    if (const auto reference = schema.find("$ref"); reference != schema.end())
    {
        // The target of a reference is looked up once: a large scenario asks a million times.
        static std::unordered_map<const Json*, const Json*> targets;
        const Json*& target = targets[&schema];
        if (!target)
        {
            const auto path = reference->get<std::string>().substr(1); // "#/definitions/..."
            target = &Schema().at(Json::json_pointer(path));
        }
        return Keyword(*target, keyword);
    }
    return nullptr;
}

const Json*
MemberSchema(const Json& schema, const std::string& key)
{
    if (const Json* properties = Keyword(schema, "properties"))
    {
        if (const auto property = properties->find(key); property != properties->end())
        {
            return &*property;
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
