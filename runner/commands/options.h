// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Options whose values are numbers or one of some words, checked in one way for all commands.
 */
#ifndef ESXNF_OPTIONS_H
#define ESXNF_OPTIONS_H

#include "runner/base/number-text.h"
#include "runner/scenario/scenario-diagnostic.h"

#include <CLI/CLI.hpp>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace esxnf
{

/// The longest name of an option in "-s,--poll": "--poll".
inline std::string
LongName(const std::string& names)
{
    return names.substr(names.rfind(',') + 1);
}

/// A number from low to high out of a text; throws CLI::ValidationError.
template <typename T>
T
NumberOf(const std::string& name, const std::string& text, T low, T high)
{
    const auto refuse = [&](const char* kind) {
        const bool isBounded =
            std::is_floating_point_v<T> || sizeof(T) < sizeof(uint64_t) || high < UINT64_MAX;
        throw CLI::ValidationError(name,
                                   fmt::format("'{}' is no {}number {}",
                                               text,
                                               kind,
                                               isBounded ? fmt::format("from {} to {}", low, high)
                                                         : fmt::format("of at least {}", low)));
    };
    if constexpr (std::is_floating_point_v<T>)
    {
        const std::optional<double> number = ReadReal(text, low, high);
        number ? void() : refuse("");
        return static_cast<T>(*number);
    }
    else
    {
        const std::optional<uint64_t> number = ReadWhole(text, low, high);
        number ? void() : refuse("whole ");
        return static_cast<T>(*number);
    }
}

/// An option with a unit and a range. Help shows its default unless it is the largest number, which
/// stands for none.
template <typename T>
CLI::Option*
AddNumber(CLI::App& app,
          const std::string& names,
          T& value,
          const char* unit,
          T low,
          T high,
          const char* help)
{
    CLI::Option* option = app.add_option_function<std::string>(
        names,
        [names, &value, low, high](const std::string& text) {
            value = NumberOf<T>(LongName(names), text, low, high);
        },
        help);
    option->type_name(unit);
    return value == std::numeric_limits<T>::max() ? option
                                                  : option->default_str(fmt::format("{}", value));
}

/// The same without a default.
template <typename T>
CLI::Option*
AddNumber(CLI::App& app,
          const std::string& names,
          std::optional<T>& value,
          const char* unit,
          T low,
          T high,
          const char* help)
{
    return app
        .add_option_function<std::string>(
            names,
            [names, &value, low, high](const std::string& text) {
                value = NumberOf<T>(LongName(names), text, low, high);
            },
            help)
        ->type_name(unit);
}

/// An option whose value is one of some words.
template <typename T>
void
AddChoice(CLI::App& app,
          const std::string& name,
          T& value,
          const std::map<std::string, T>& words,
          const char* help)
{
    const auto choose = [name, &value, words](const std::string& word) {
        const auto found = words.find(word);
        if (found == words.end())
        {
            std::vector<std::string> allowed;
            allowed.reserve(words.size());
            for (const auto& [known, meaning] : words)
            {
                allowed.push_back(known);
            }
            throw CLI::ValidationError(name, fmt::format("'{}': {}", word, Suggest(word, allowed)));
        }
        value = found->second;
    };
    app.add_option_function<std::string>(name, choose, help)->type_name("WORD");
}

} // namespace esxnf

#endif // ESXNF_OPTIONS_H
