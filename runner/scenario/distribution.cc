// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/distribution.h"

#include "ns3/double.h"
#include "ns3/random-variable-stream.h"
#include "ns3/rng-stream.h"
#include "ns3/string.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <sstream>

namespace esxnf
{

using namespace ns3;

/// Draws as LogNormalRandomVariable of ns-3 does up to 3.38: later ones use both halves of a pair
/// of draws (their commit e70609116), and results would depend on ns-3's version.
class LogNormal final : public RandomVariableStream
{
  public:
    static TypeId GetTypeId()
    {
        static TypeId tid = TypeId("esxnf::LogNormal")
                                .SetParent<RandomVariableStream>()
                                .HideFromDocumentation()
                                .AddConstructor<LogNormal>()
                                .AddAttribute("Mu",
                                              "Mean of the logarithm",
                                              DoubleValue(0),
                                              MakeDoubleAccessor(&LogNormal::m_mu),
                                              MakeDoubleChecker<double>())
                                .AddAttribute("Sigma",
                                              "Standard deviation of the logarithm",
                                              DoubleValue(1),
                                              MakeDoubleAccessor(&LogNormal::m_sigma),
                                              MakeDoubleChecker<double>());
        return tid;
    }

    double GetValue() override
    {
        double one = 0;
        double square = 0;
        do // G. Marsaglia's polar method
        {
            one = 2 * Peek()->RandU01() - 1;
            const double other = 2 * Peek()->RandU01() - 1;
            square = one * one + other * other;
        } while (square > 1 || square == 0);
        return std::exp(m_sigma * one * std::sqrt(-2 * std::log(square) / square) + m_mu);
    }

    uint32_t GetInteger() override
    {
        return static_cast<uint32_t>(GetValue());
    }

  private:
    double m_mu;
    double m_sigma;
};

NS_OBJECT_ENSURE_REGISTERED(LogNormal);

/// EmpiricalRandomVariable of ns-3 whose points are an attribute.
class Cdf final : public EmpiricalRandomVariable
{
  public:
    static TypeId GetTypeId()
    {
        static TypeId tid = TypeId("esxnf::Cdf")
                                .SetParent<EmpiricalRandomVariable>()
                                .HideFromDocumentation()
                                .AddConstructor<Cdf>()
                                .AddAttribute("Points",
                                              "Values and their probabilities: 0:0,10:0.8,300:1",
                                              StringValue("0:0,1:1"),
                                              MakeStringAccessor(&Cdf::SetPoints),
                                              MakeStringChecker());
        return tid;
    }

  private:
    void SetPoints(std::string text)
    {
        std::istringstream points(text);
        points.imbue(std::locale::classic());
        double value = 0;
        double probability = 0;
        for (char separator = 0; points >> value >> separator >> probability; points >> separator)
        {
            CDF(value, probability);
        }
    }
};

NS_OBJECT_ENSURE_REGISTERED(Cdf);

namespace
{

const std::map<std::string, double>&
UnitsOf(Quantity quantity)
{
    static const std::map<std::string, double> seconds{{"ns", 1e-9},
                                                       {"us", 1e-6},
                                                       {"ms", 1e-3},
                                                       {"s", 1},
                                                       {"min", 60},
                                                       {"h", 3600}};
    static const std::map<std::string, double> octets{{"B", 1},
                                                      {"kB", 1e3},
                                                      {"KiB", 1024},
                                                      {"MB", 1e6},
                                                      {"MiB", 1024.0 * 1024.0}};
    static const std::map<std::string, double> number{{"", 1}};
    switch (quantity)
    {
    case Quantity::Seconds:
        return seconds;
    case Quantity::Octets:
        return octets;
    default:
        return number;
    }
}

/// The words between any of the separators.
std::vector<std::string>
Split(const std::string& text, const char* separators)
{
    std::vector<std::string> words;
    for (auto begin = text.find_first_not_of(separators); begin != std::string::npos;)
    {
        const auto end = text.find_first_of(separators, begin);
        words.push_back(text.substr(begin, end - begin));
        begin = text.find_first_not_of(separators, end);
    }
    return words;
}

/// "1.5ms" -> 0.0015. \return whether it is a number with a unit of that quantity
bool
ParseValue(const std::string& text, Quantity quantity, double& value)
{
    const auto digits = text.find_first_not_of("0123456789.");
    const std::string number = text.substr(0, digits);
    const std::string unit = digits == std::string::npos ? "" : text.substr(digits);
    const auto found = UnitsOf(quantity).find(unit);
    if (found == UnitsOf(quantity).end() || number.empty() || number[0] == '.' ||
        std::count(number.begin(), number.end(), '.') > 1 || number.size() > 18)
    {
        return false;
    }
    std::istringstream stream(number);
    stream.imbue(std::locale::classic());
    stream >> value;
    value *= found->second;
    return true;
}

std::string
ParsePoints(const std::vector<std::string>& arguments, Quantity quantity, Distribution& result)
{
    for (const std::string& argument : arguments)
    {
        const auto parts = Split(argument, "=");
        std::pair<double, double> point;
        if (parts.size() != 2 || !ParseValue(parts[0], quantity, point.first) ||
            !ParseValue(parts[1], Quantity::Number, point.second))
        {
            return fmt::format("'{}' is not a value and its probability such as 10s=0.8", argument);
        }
        if (!result.points.empty() && (point.first < result.points.back().first ||
                                       point.second < result.points.back().second))
        {
            return fmt::format("'{}' goes back behind the point before it", argument);
        }
        result.points.push_back(point);
    }
    if (result.points.size() < 2 || result.points.back().second != 1)
    {
        return "a cdf has two points or more, the last of probability 1";
    }
    return "";
}

} // namespace

std::string
ParseDistribution(const std::string& text, Quantity quantity, Distribution& result)
{
    // how many arguments each kind has; beyond the first ones of the quantity, plain numbers
    static const std::map<std::string, std::pair<unsigned, unsigned>> kinds{{"exponential", {1, 0}},
                                                                            {"uniform", {2, 0}},
                                                                            {"pareto", {1, 1}},
                                                                            {"lognormal", {1, 1}}};
    result = {};
    const auto open = text.find('(');
    if (open == std::string::npos)
    {
        result.kind = "constant";
        const bool good = ParseValue(text, quantity, result.parameters.emplace_back());
        return good ? "" : fmt::format("'{}' has no unit that fits", text);
    }
    result.kind = text.substr(0, open);
    if (text.back() != ')')
    {
        return "the closing parenthesis is missing";
    }
    const auto arguments = Split(text.substr(open + 1, text.size() - open - 2), " ,");
    if (result.kind == "cdf")
    {
        return ParsePoints(arguments, quantity, result);
    }
    const auto kind = kinds.find(result.kind);
    if (kind == kinds.end())
    {
        return fmt::format("'{}' is none of: exponential, uniform, pareto, lognormal, cdf",
                           result.kind);
    }
    const auto [own, plain] = kind->second;
    if (arguments.size() != own + plain)
    {
        return fmt::format("{} has {} argument(s), not {}",
                           result.kind,
                           own + plain,
                           arguments.size());
    }
    for (unsigned i = 0; i < arguments.size(); ++i)
    {
        const Quantity of = i < own ? quantity : Quantity::Number;
        if (!ParseValue(arguments[i], of, result.parameters.emplace_back()))
        {
            return fmt::format("'{}' has no unit that fits", arguments[i]);
        }
    }
    if (result.kind != "uniform" && (result.parameters[0] <= 0 || result.parameters.back() <= 0))
    {
        return "must be more than 0";
    }
    if (result.kind == "uniform" && result.parameters[0] > result.parameters[1])
    {
        return "the first value must not be above the second";
    }
    return "";
}

std::string
SpellRandomVariable(const Distribution& distribution)
{
    const auto& p = distribution.parameters;
    if (distribution.kind == "exponential")
    {
        return fmt::format("ns3::ExponentialRandomVariable[Mean={}]", p[0]);
    }
    if (distribution.kind == "uniform")
    {
        return fmt::format("ns3::UniformRandomVariable[Min={}|Max={}]", p[0], p[1]);
    }
    if (distribution.kind == "pareto")
    {
        return fmt::format("ns3::ParetoRandomVariable[Scale={}|Shape={}]", p[0], p[1]);
    }
    if (distribution.kind == "lognormal")
    {
        return fmt::format("esxnf::LogNormal[Mu={}|Sigma={}]", std::log(p[0]), p[1]);
    }
    if (distribution.kind == "cdf")
    {
        std::string points;
        for (const auto& [value, probability] : distribution.points)
        {
            points += fmt::format("{}{}:{}", points.empty() ? "" : ",", value, probability);
        }
        return "esxnf::Cdf[Interpolate=true|Points=" + points + "]";
    }
    return fmt::format("ns3::ConstantRandomVariable[Constant={}]", p[0]);
}

} // namespace esxnf
