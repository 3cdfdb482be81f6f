// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/yaml-emitter.h"

#include "runner/scenario/yaml-scalar.h"

#include <algorithm>
#include <regex>
#include <yaml-cpp/yaml.h>

namespace esxnf
{

namespace
{

void
Emit(YAML::Emitter& out, const Json& value)
{
    if (value.is_object())
    {
        out << (value.empty() ? YAML::Flow : YAML::Block) << YAML::BeginMap;
        for (const auto& [key, child] : value.items())
        {
            out << YAML::Key << key << YAML::Value;
            Emit(out, child);
        }
        out << YAML::EndMap;
    }
    else if (value.is_array())
    {
        const bool scalars = std::none_of(value.begin(), value.end(), [](const Json& child) {
            return child.is_structured();
        });
        out << (scalars ? YAML::Flow : YAML::Block) << YAML::BeginSeq;
        for (const auto& child : value)
        {
            Emit(out, child);
        }
        out << YAML::EndSeq;
    }
    else if (value.is_string())
    {
        const auto text = value.get<std::string>();
        // what would be read back as a number; and what readers of YAML 1.1 (PyYAML) take for a
        // date, a number or a bool
        static const std::regex foreign(
            "[-+.0-9][-+.:_0-9eETZ]*|[yYnN]|[yY]es|YES|[nN]o|NO|[oO]n|ON|[oO]ff|OFF");
        if (!ResolvePlain(text).is_string() || std::regex_match(text, foreign))
        {
            out << YAML::DoubleQuoted;
        }
        out << text;
    }
    else if (value.is_null())
    {
        out << YAML::Null; // the text "null" would be quoted
    }
    else
    {
        out << value.dump();
    }
}

} // namespace

std::string
EmitYaml(const Json& value)
{
    YAML::Emitter out;
    Emit(out, value);
    return std::string(out.c_str()) + "\n";
}

} // namespace esxnf
