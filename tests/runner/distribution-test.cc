// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/distribution.h"

#include "ns3/object-factory.h"
#include "ns3/random-variable-stream.h"

#include <cmath>
#include <gtest/gtest.h>
#include <sstream>

using namespace esxnf;

namespace
{

ns3::Ptr<ns3::RandomVariableStream>
Make(const Distribution& distribution)
{
    ns3::ObjectFactory factory;
    std::istringstream(SpellRandomVariable(distribution)) >> factory;
    return factory.Create<ns3::RandomVariableStream>();
}

double
Mean(const std::string& text, Quantity quantity, int samples = 20000)
{
    Distribution distribution;
    EXPECT_EQ(ParseDistribution(text, quantity, distribution), "");
    const auto variable = Make(distribution);
    variable->SetStream(11);
    double sum = 0;
    for (int i = 0; i < samples; ++i)
    {
        sum += variable->GetValue();
    }
    return sum / samples;
}

std::string
Wrong(const std::string& text, Quantity quantity = Quantity::Seconds)
{
    Distribution ignored;
    return ParseDistribution(text, quantity, ignored);
}

TEST(DistributionTest, ValuesHaveUnits)
{
    EXPECT_DOUBLE_EQ(Mean("1500us", Quantity::Seconds, 1), 0.0015);
    EXPECT_DOUBLE_EQ(Mean("2min", Quantity::Seconds, 1), 120);
    EXPECT_DOUBLE_EQ(Mean("1.5kB", Quantity::Octets, 1), 1500);
    EXPECT_DOUBLE_EQ(Mean("2KiB", Quantity::Octets, 1), 2048);
    EXPECT_DOUBLE_EQ(Mean("10", Quantity::Number, 1), 10);
    EXPECT_NE(Wrong("10"), "");
    EXPECT_NE(Wrong("10kB"), "");
    EXPECT_NE(Wrong("10s", Quantity::Number), "");
    EXPECT_NE(Wrong("1.2.3s"), "");
    EXPECT_NE(Wrong(".5s"), "");
    EXPECT_NE(Wrong("s"), "");
    EXPECT_NE(Wrong(""), "");
}

TEST(DistributionTest, RandomOnesHaveTheirMeans)
{
    EXPECT_NEAR(Mean("exponential(5s)", Quantity::Seconds), 5, 0.2);
    EXPECT_NEAR(Mean("uniform(1s, 9s)", Quantity::Seconds), 5, 0.1);
    EXPECT_NEAR(Mean("pareto(2s, 3)", Quantity::Seconds), 3, 0.1); // 2 * 3 / (3 - 1)
    EXPECT_NEAR(Mean("lognormal(2s, 0.5)", Quantity::Seconds), 2 * std::exp(0.125), 0.05);
    EXPECT_NEAR(Mean("cdf(0s=0 10s=0.5 20s=1)", Quantity::Seconds), 10, 0.2);
}

TEST(DistributionTest, CdfHasItsQuantiles)
{
    Distribution distribution;
    ASSERT_EQ(
        ParseDistribution("cdf(0s=0 10s=0.8 200s=0.999 600s=1)", Quantity::Seconds, distribution),
        "");
    const auto variable = Make(distribution);
    variable->SetStream(3);
    int shorter = 0;
    int longer = 0;
    for (int i = 0; i < 100000; ++i)
    {
        const double value = variable->GetValue();
        shorter += value < 10;
        longer += value > 200;
    }
    EXPECT_NEAR(shorter / 100000.0, 0.8, 0.005);
    EXPECT_NEAR(longer / 100000.0, 0.001, 0.0005);
}

TEST(DistributionTest, MistakesAreNamed)
{
    EXPECT_EQ(Wrong("gauss(1s, 2s)"),
              "'gauss' is none of: exponential, uniform, pareto, lognormal, cdf");
    EXPECT_EQ(Wrong("uniform(1s)"), "uniform has 2 argument(s), not 1");
    EXPECT_EQ(Wrong("uniform(9s, 1s)"), "the first value must not be above the second");
    EXPECT_EQ(Wrong("exponential(0s)"), "must be more than 0");
    EXPECT_EQ(Wrong("pareto(1s, 0)"), "must be more than 0");
    EXPECT_EQ(Wrong("pareto(1s, 1s)"), "'1s' has no unit that fits");
    EXPECT_EQ(Wrong("exponential(1s"), "the closing parenthesis is missing");
    EXPECT_EQ(Wrong("cdf(1s=1)"), "a cdf has two points or more, the last of probability 1");
    EXPECT_EQ(Wrong("cdf(1s=0 2s=0.5)"), "a cdf has two points or more, the last of probability 1");
    EXPECT_EQ(Wrong("cdf(2s=0 1s=1)"), "'1s=1' goes back behind the point before it");
    EXPECT_EQ(Wrong("cdf(2s 1s=1)"), "'2s' is not a value and its probability such as 10s=0.8");
}

} // namespace
