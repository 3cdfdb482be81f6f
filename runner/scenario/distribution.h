// SPDX-License-Identifier: GPL-2.0-only
// A random quantity as scenarios write it: "5s", "exponential(5s)", "uniform(1s 9s)",
// "pareto(1s 1.2)" (least value, shape), "lognormal(5s 1.5)" (median, sigma) and
// "cdf(0s=0 10s=0.8 300s=1)" (straight between the points). Commas may stand between arguments,
// too; in a flow map of YAML they would need quotes. The schema says by x-random where they
// may stand; the form check asks whether a text is one, attributes get ns-3's random variables.
#ifndef ESXNF_DISTRIBUTION_H
#define ESXNF_DISTRIBUTION_H

#include <string>
#include <utility>
#include <vector>

namespace esxnf
{

/// Unit of a quantity.
enum class Quantity
{
    Seconds, //!< texts have units ns, us, ms, s, min, h
    Octets,  //!< texts have units B, kB, KiB, MB, MiB
    Number   //!< plain numbers
};

struct Distribution
{
    std::string kind;               //!< constant, exponential, uniform, pareto, lognormal, cdf
    std::vector<double> parameters; //!< in the order of the text
    std::vector<std::pair<double, double>> points; //!< of a cdf: value, probability
};

/**
 * Reads a distribution.
 * \param [out] result set if the text is right
 * \return empty, or what is wrong with the text
 */
std::string ParseDistribution(const std::string& text, Quantity quantity, Distribution& result);

/// \return a random variable as attributes of ns-3 are spelt:
/// "ns3::ExponentialRandomVariable[Mean=5]"
std::string SpellRandomVariable(const Distribution& distribution);

} // namespace esxnf

#endif // ESXNF_DISTRIBUTION_H
