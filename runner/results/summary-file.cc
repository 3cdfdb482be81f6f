// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/summary-file.h"

#include "runner/base/user-error.h"
#include "runner/results/summary.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>

namespace esxnf
{

namespace
{

const char* const ANY_NAME = "*";

/// One of everything, made by the code that writes it. Types count; what is empty or null here may
/// hold anything.
Json
MakeSample()
{
    Summary summary;
    summary.ignored[ANY_NAME] = {};
    summary.lost[ANY_NAME] = {};
    summary.steps.resize(1);
    summary.talkers.resize(1);
    summary.collectors.resize(1);
    summary.hosts.resize(1);
    summary.hosts[0].vSwitches.resize(1);
    summary.hosts[0].vSwitches[0].moves.resize(1);
    summary.hosts[0].vSwitches[0].moves[0].first = ANY_NAME;
    Json sample = ToJson(summary);
    sample["expectations"].push_back(
        {{"name", ""}, {"measured", nullptr}, {"bound", Json::object()}, {"pass", false}});
    return sample;
}

/// Looks for the first difference in type.
class TypeCheck
{
  public:
    explicit TypeCheck(std::string file)
        : m_file(std::move(file))
    {
    }

    void Check(const Json& value, const Json& sample, const std::string& place) const
    {
        const bool isNumber = sample.is_number() && value.is_number_integer();
        if (sample.is_null() || isNumber)
        {
            return;
        }
        if (value.type() != sample.type())
        {
            Refuse(place, fmt::format("is {}, not {}", TypeOf(value), TypeOf(sample)));
        }
        if (sample.is_array() && !sample.empty())
        {
            for (std::size_t i = 0; i < value.size(); ++i)
            {
                Check(value[i], sample[0], fmt::format("{}[{}]", place, i));
            }
        }
        if (sample.is_object())
        {
            CheckMembers(value, sample, place.empty() ? "" : place + ".");
        }
    }

    [[noreturn]] void Refuse(const std::string& place, const std::string& what) const
    {
        throw UserError(fmt::format("{}: {} {}", m_file, place.empty() ? "all" : place, what));
    }

  private:
    void CheckMembers(const Json& value, const Json& sample, const std::string& prefix) const
    {
        if (sample.contains(ANY_NAME))
        {
            for (const auto& [key, member] : value.items())
            {
                Check(member, sample[ANY_NAME], prefix + key);
            }
            return;
        }
        for (const auto& [key, member] : sample.items())
        {
            if (!value.contains(key))
            {
                Refuse(prefix + key, "is missing");
            }
            Check(value.at(key), member, prefix + key);
        }
    }

    static std::string TypeOf(const Json& value)
    {
        return value.is_number_float() ? "a fraction"
               : value.is_number()     ? "a whole number"
               : value.is_null()       ? "nothing"
               : value.is_array()      ? "a list"
               : value.is_object()     ? "a map"
               : value.is_boolean()    ? "true or false"
                                       : "a text";
    }

    const std::string m_file;
};

} // namespace

Json
ReadSummary(const std::string& folder)
{
    const std::string path = folder + "/summary.json";
    std::error_code error;
    if (!std::filesystem::exists(path, error))
    {
        throw UserError(folder + ": no summary.json, so this is no result folder");
    }
    std::ifstream file(path, std::ios::binary);
    if (!file || !std::filesystem::is_regular_file(path, error))
    {
        throw UserError(path + ": cannot be read");
    }
    Json summary = ParseJson({std::istreambuf_iterator<char>(file), {}}, path);
    const TypeCheck check(path);
    if (!summary.is_object() || summary.value("schema", Json()) != SUMMARY_SCHEMA)
    {
        check.Refuse("schema", fmt::format("is not '{}'", SUMMARY_SCHEMA));
    }
    static const Json SAMPLE = MakeSample();
    check.Check(summary, SAMPLE, "");
    return summary;
}

Json
ParseJson(const std::string& text, const std::string& path)
{
    try
    {
        return Json::parse(text);
    }
    catch (const Json::parse_error& broken)
    {
        const std::size_t octets = std::min(broken.byte, text.size());
        const auto lines =
            std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(octets), '\n');
        throw UserError(fmt::format("{}:{}: this is no JSON", path, lines + 1));
    }
}

} // namespace esxnf
