// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/scenario-validator.h"

#include "runner/scenario/scenario-schema.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <tuple>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

namespace esxnf
{

namespace
{

// Nobody reads more at once, and each may search for the nearest word.
constexpr std::size_t MAX_ERRORS = 50;

std::string
Quote(const Json& value)
{
    constexpr std::size_t maxShown = 60;
    if (value.is_structured())
    {
        return std::string(value.empty() ? "an empty " : "a ") +
               (value.is_object() ? "map" : "list");
    }
    if (value.is_null())
    {
        return "nothing";
    }
    auto text = value.is_string() ? value.get<std::string>() : value.dump();
    if (text.size() > maxShown)
    {
        auto end = maxShown;
        while ((text[end] & 0xc0) == 0x80) // not in the middle of a UTF-8 character
        {
            --end;
        }
        text = text.substr(0, end) + "…";
    }
    return value.is_string() ? "'" + text + "'" : text;
}

/// "a, b, c"
std::string
ListWords(const Json& values)
{
    std::string list;
    for (const auto& value : values)
    {
        list += (list.empty() ? "" : ", ") +
                (value.is_string() ? value.get<std::string>() : value.dump());
    }
    return list;
}

/// The values that are allowed, in words.
std::string
Allowed(const Json& schema)
{
    if (const Json* words = Keyword(schema, "x-allowed"))
    {
        return words->get<std::string>();
    }
    if (Keyword(schema, "enum"))
    {
        return "one of " + ListWords(Supported(schema));
    }
    if (const Json* value = Keyword(schema, "const"))
    {
        return value->dump();
    }
    if (const Json* properties = Keyword(schema, "properties");
        properties && Keyword(schema, "minProperties"))
    {
        Json keys = Json::array();
        for (const auto& [key, child] : properties->items())
        {
            keys.push_back(key);
        }
        return "a map of at least one of " + ListWords(keys);
    }
    static const std::map<std::string, std::string> names{{"object", "a map"},
                                                          {"array", "a list"},
                                                          {"string", "a text"},
                                                          {"boolean", "true or false"},
                                                          {"integer", "a whole number"},
                                                          {"number", "a number"}};
    const Json* type = Keyword(schema, "type");
    auto text = type ? names.at(type->get<std::string>()) : "something else";
    const Json* minimum = Keyword(schema, "minimum");
    const Json* maximum = Keyword(schema, "maximum");
    return minimum && maximum
               ? fmt::format("{} from {} to {}", text, minimum->dump(), maximum->dump())
               : text;
}

/// Turns valijson's errors into ours. Its texts only tell three kinds apart; the words come from
/// the schema.
class FormChecker
{
  public:
    explicit FormChecker(const YamlDocument& document)
        : m_document(document)
    {
    }

    Diagnostics Check()
    {
        const nlohmann::json target = m_document.GetRoot();
        const valijson::adapters::NlohmannJsonAdapter adapter(target);
        valijson::ValidationResults results;
        const bool isValid = valijson::Validator().validate(Compiled(), adapter, &results);
        for (const auto& error : results)
        {
            Explain(error);
        }
        Walk(m_document.GetRoot(), Schema(), "");
        if (!isValid && m_errors.empty()) // valijson may refuse without a word
        {
            Add(m_document.At(Severity::Error, "", "does not fit the schema"));
        }
        return std::move(m_errors);
    }

  private:
    static const valijson::Schema& Compiled()
    {
        static const valijson::Schema& schema = *[] {
            auto* compiled = new valijson::Schema; // lives as long as the program
            const auto text = nlohmann::json::parse(g_scenarioSchema);
            valijson::SchemaParser().populateSchema(valijson::adapters::NlohmannJsonAdapter(text),
                                                    *compiled);
            return compiled;
        }();
        return schema;
    }

    /// valijson writes a path as "<root>", "[hosts]", "[esx1]".
    static std::string Pointer(const valijson::ValidationResults::Error& error)
    {
        std::string pointer;
        for (std::size_t i = 1; i < error.context.size(); ++i)
        {
            pointer = JoinPointer(pointer, error.context[i].substr(1, error.context[i].size() - 2));
        }
        return pointer;
    }

    /// The word in quotes in a text of valijson's.
    static std::string Quoted(const std::string& text)
    {
        const auto first = text.find('\'') + 1;
        return text.substr(first, text.rfind('\'') - first);
    }

    static bool StartsWith(const std::string& text, const char* start)
    {
        return text.rfind(start, 0) == 0;
    }

    void Explain(const valijson::ValidationResults::Error& error)
    {
        const auto& text = error.description;
        const auto pointer = Pointer(error);
        if (StartsWith(text, "Missing required property"))
        {
            Add(m_document.AtKey(Severity::Error,
                                 pointer,
                                 fmt::format("'{}' is missing", Quoted(text))));
            return;
        }
        const bool isCascade =
            StartsWith(text, "Failed to validate") && text.find("anyOf") == std::string::npos;
        if (isCascade || !m_explained.insert(pointer).second)
        {
            return;
        }
        const Json::json_pointer place(pointer);
        if (StartsWith(text, "Object contains a property"))
        {
            ExplainUnknownKeys(pointer);
        }
        else
        {
            const bool isRepeated = StartsWith(text, "Elements at indexes");
            Add(m_document.At(Severity::Error,
                              pointer,
                              fmt::format("{} is not allowed; allowed: {}",
                                          isRepeated ? "a list with equal entries"
                                                     : Quote(m_document.GetRoot().at(place)),
                                          Allowed(*SchemaOf(place)))));
        }
    }

    void ExplainUnknownKeys(const std::string& pointer)
    {
        const Json& schema = *SchemaOf(Json::json_pointer(pointer));
        const Json& object = m_document.GetRoot().at(Json::json_pointer(pointer));
        std::vector<std::string> allowed;
        for (const auto& [key, child] : Keyword(schema, "properties")->items())
        {
            if (AppliesTo(child, Selected(object, schema)))
            {
                allowed.push_back(key);
            }
        }
        for (const auto& [key, value] : object.items())
        {
            if (!MemberSchema(schema, key))
            {
                Add(m_document.AtKey(
                    Severity::Error,
                    JoinPointer(pointer, key),
                    fmt::format("unknown key '{}'; {}", key, Suggest(key, allowed))));
            }
        }
    }

    /// The schema that a place of the document is judged by; the place has passed its parents.
    const Json* SchemaOf(const Json::json_pointer& place) const
    {
        if (place.empty())
        {
            return &Schema();
        }
        const auto parent = place.parent_pointer();
        const Json* schema = SchemaOf(parent);
        const Json* child = m_document.GetRoot().at(parent).is_array()
                                ? ItemSchema(*schema)
                                : MemberSchema(*schema, place.back());
        return child ? child : schema;
    }

    /// Checks beyond valijson's: names, keys that do not go together, values that this version
    /// does not take.
    void Walk(const Json& value, const Json& schema, const std::string& pointer)
    {
        if (m_explained.count(pointer))
        {
            return;
        }
        RefuseLater(value, schema, pointer);
        CheckRandom(value, schema, pointer);
        if (value.is_array() && ItemSchema(schema))
        {
            for (std::size_t i = 0; i < value.size(); ++i)
            {
                Walk(value[i], *ItemSchema(schema), JoinPointer(pointer, std::to_string(i)));
            }
        }
        if (!value.is_object())
        {
            return;
        }
        const auto selected = Selected(value, schema);
        CheckNames(value, schema, pointer);
        for (const auto& [key, child] : value.items())
        {
            const Json* childSchema = MemberSchema(schema, key);
            if (!childSchema)
            {
                continue;
            }
            const auto place = JoinPointer(pointer, key);
            if (!AppliesTo(*childSchema, selected))
            {
                Add(m_document.AtKey(Severity::Error,
                                     place,
                                     fmt::format("'{}' does not apply to {}; it is for {}",
                                                 key,
                                                 selected,
                                                 ListWords(childSchema->at("x-for")))));
            }
            Walk(child, *childSchema, place);
        }
    }

    /// valijson says nothing of names ("propertyNames") that are not allowed.
    void CheckNames(const Json& object, const Json& schema, const std::string& pointer)
    {
        const Json* names = Keyword(schema, "propertyNames");
        if (!names)
        {
            return;
        }
        const auto text = Keyword(*names, "pattern")->get<std::string>();
        const auto& pattern = m_patterns.try_emplace(text, text).first->second;
        for (const auto& [key, value] : object.items())
        {
            if (!std::regex_search(key, pattern))
            {
                Add(m_document.AtKey(
                    Severity::Error,
                    JoinPointer(pointer, key),
                    fmt::format("name '{}' is not allowed; allowed: {}", key, Allowed(*names))));
            }
        }
    }

    void CheckRandom(const Json& value, const Json& schema, const std::string& pointer)
    {
        Distribution ignored;
        const auto quantity = QuantityOf(schema);
        const auto wrong =
            !quantity
                ? ""
                : ParseDistribution(value.is_string() ? value.get<std::string>() : value.dump(),
                                    *quantity,
                                    ignored);
        if (!wrong.empty())
        {
            Add(m_document.At(Severity::Error, pointer, wrong));
        }
    }

    void RefuseLater(const Json& value, const Json& schema, const std::string& pointer)
    {
        const Json* later = Keyword(schema, "x-later");
        if (!later)
        {
            return;
        }
        const Json* standard = Keyword(schema, "default");
        const bool refused = later->is_array()
                                 ? std::find(later->begin(), later->end(), value) != later->end()
                                 : !standard || value != *standard;
        if (refused)
        {
            const auto what = value.is_structured() ? "'" + Json::json_pointer(pointer).back() + "'"
                                                    : Quote(value);
            const auto only = standard ? fmt::format("; allowed: {}", standard->dump()) : "";
            Add(m_document.At(Severity::Error,
                              pointer,
                              fmt::format("{} is not yet supported{}", what, only)));
        }
    }

    void Add(Diagnostic diagnostic)
    {
        m_errors.push_back(std::move(diagnostic));
        if (m_errors.size() >= MAX_ERRORS)
        {
            throw ScenarioError(m_errors);
        }
    }

    const YamlDocument& m_document;
    Diagnostics m_errors;
    std::map<std::string, std::regex> m_patterns;
    std::set<std::string> m_explained; //!< pointers that have their message: one place, one message
};

void
Fill(Json& value, const Json& schema)
{
    if (value.is_array())
    {
        for (auto& item : value)
        {
            Fill(item, *ItemSchema(schema));
        }
        return;
    }
    if (!value.is_object())
    {
        return;
    }
    if (const Json* properties = Keyword(schema, "properties"))
    {
        const auto selected = Selected(value, schema);
        auto& members = value.get_ref<Json::object_t&>();
        members.reserve(properties->size());
        for (const auto& [key, child] : properties->items())
        {
            const Json* standard = Keyword(child, "default");
            if (standard && !value.contains(key) && AppliesTo(child, selected))
            {
                members.emplace_back(key, *standard); // no search for its place
            }
        }
    }
    for (auto& [key, child] : value.items())
    {
        Fill(child, *MemberSchema(schema, key));
    }
}

} // namespace

void
ValidateForm(const YamlDocument& document)
{
    auto errors = FormChecker(document).Check();
    if (errors.empty())
    {
        return;
    }
    std::stable_sort(errors.begin(), errors.end(), [](const auto& a, const auto& b) {
        return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
    });
    throw ScenarioError(std::move(errors));
}

void
FillDefaults(YamlDocument& document)
{
    Json kept = Json::object();
    for (auto& [key, value] : document.GetRoot().items())
    {
        if (key.rfind("x-", 0) != 0)
        {
            kept[key] = std::move(value);
        }
    }
    Fill(kept, Schema());
    document.GetRoot() = std::move(kept);
}

} // namespace esxnf
