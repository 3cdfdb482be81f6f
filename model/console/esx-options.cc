// SPDX-License-Identifier: GPL-2.0-only
#include "model/console/esx-options.h"

#include <unistd.h>

namespace ns3
{

bool
EsxOptions::Has(char option) const
{
    for (const auto& given : options)
    {
        if (given.first == option)
        {
            return true;
        }
    }
    return false;
}

std::string
EsxOptions::Get(char option, const std::string& otherwise) const
{
    std::string value = otherwise;
    for (const auto& given : options)
    {
        value = given.first == option ? given.second : value;
    }
    return value;
}

EsxOptions
EsxOptions::Parse(const std::vector<std::string>& words, const std::string& spec)
{
    // getopt may reorder its argument vector, and it never writes to the words.
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (const std::string& word : words)
    {
        arguments.push_back(const_cast<char*>(word.c_str()));
    }
    const int count = static_cast<int>(arguments.size());
    arguments.push_back(nullptr);
    // ':' in front tells a missing value from an unknown option, and keeps getopt from printing.
    const bool stops = spec[0] == '+';
    const std::string quiet = (stops ? "+:" : ":") + spec.substr(stops ? 1 : 0);

    EsxOptions parsed;
    optind = 0; // glibc and musl: begin anew
    for (int option; (option = getopt(count, arguments.data(), quiet.c_str())) != -1;)
    {
        if (option == '?' || option == ':')
        {
            const std::string name = std::string("-") + static_cast<char>(optopt);
            parsed.error =
                option == '?' ? "unknown option " + name : "option " + name + " needs a value";
            return parsed;
        }
        parsed.options.emplace_back(static_cast<char>(option), optarg ? optarg : "");
    }
    for (int i = optind; i < count; ++i)
    {
        parsed.operands.emplace_back(arguments[static_cast<std::size_t>(i)]);
    }
    return parsed;
}

} // namespace ns3
