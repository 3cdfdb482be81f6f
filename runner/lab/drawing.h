// SPDX-License-Identifier: GPL-2.0-only
// A lab as a drawing: vertices and edges with attributes as text, the form that DOT and GraphML
// have in common, with nothing of the lab lost on the way; what happens in a lab is not drawn. The
// command import (python/esx_netflow/drawing_import.py) makes a scenario of one.
#ifndef ESXNF_DRAWING_H
#define ESXNF_DRAWING_H

#include "runner/scenario/scenario.h"

#include <string>
#include <utility>
#include <vector>

namespace esxnf
{

/// By name, in order. Those that a part of the scenario has are named as its keys are; a value that
/// is no text there is written as JSON.
using DrawnAttributes = std::vector<std::pair<std::string, std::string>>;

struct DrawnVertex
{
    std::string id; //!< unique
    DrawnAttributes attributes;

    /// \return the value of an attribute; empty if it has none
    std::string Get(const std::string& name) const;
};

struct DrawnEdge
{
    std::string a; //!< IDs
    std::string b;
    DrawnAttributes attributes;

    std::string Get(const std::string& name) const;
};

struct Drawing
{
    std::string name;
    std::vector<DrawnVertex> vertices;
    std::vector<DrawnEdge> edges;
};

/**
 * \return every vertex has a kind: host, vswitch, portgroup, uplink, vmknic, vm, switch, collector.
 * Edges say what is part of what, which NIC is where (nic: eth0), and links (name, from, to).
 */
Drawing DrawLab(const Scenario& scenario);

/// In Graphviz' language; hosts are clusters, cut links red. Deterministic, as the next.
std::string ToDot(const Drawing& drawing);
std::string ToGraphml(const Drawing& drawing);

} // namespace esxnf

#endif // ESXNF_DRAWING_H
