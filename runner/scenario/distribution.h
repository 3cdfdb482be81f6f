// SPDX-License-Identifier: GPL-2.0-only
// A random quantity as scenarios write it: "5s", "exponential(5s)", "uniform(1s 9s)",
// "pareto(1s 1.2)" (least value, shape), "lognormal(5s 1.5)" (median, sigma) and
// "cdf(0s=0 10s=0.8 300s=1)" (straight between the points). Commas may stand between arguments,
// too; in a flow map of YAML they would need quotes. The scenario check asks whether a text is one;
// the builder makes ns-3's random variables of it.
#ifndef ESXNF_DISTRIBUTION_H
#define ESXNF_DISTRIBUTION_H

#include "ns3/random-variable-stream.h"

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

/// A new random variable; its stream is not assigned yet.
ns3::Ptr<ns3::RandomVariableStream> MakeRandomVariable(const Distribution& distribution);

} // namespace esxnf

#endif // ESXNF_DISTRIBUTION_H
