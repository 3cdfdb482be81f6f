// SPDX-License-Identifier: GPL-2.0-only
// A lab as a drawing: vertices and edges with attributes as text, the form that DOT and GraphML
// have in common. DrawLab() makes one of a scenario, ImportDrawing() a scenario of one, with
// nothing of the lab lost on the way; what happens in a lab is not drawn.
#ifndef ESXNF_DRAWING_H
#define ESXNF_DRAWING_H

#include "runner/scenario/scenario.h"

#include <string>
#include <utility>
#include <vector>

namespace esxnf
{

/** By name, in order. Those that a part of the scenario has are named as its keys are; a value that
 * is no text there is written as JSON. */
using DrawnAttributes = std::vector<std::pair<std::string, std::string>>;

struct DrawnVertex
{
    std::string id; //!< unique
    DrawnAttributes attributes;

    /** @return the value of an attribute; empty if it has none */
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
 * @return every vertex has a kind: host, vswitch, portgroup, uplink, vmknic, vm, switch, collector.
 * Edges say what is part of what, which NIC is where (nic: eth0), and links (name, from, to).
 */
Drawing DrawLab(const Scenario& scenario);

/** In Graphviz' language; hosts are clusters, cut links red. Deterministic, as the next. */
std::string ToDot(const Drawing& drawing);
std::string ToGraphml(const Drawing& drawing);

/**
 * Reads a drawing: by its begin, GraphML or DOT. Throws UserError that says where and
 * what is wrong.
 * @param text the file
 * @param fileName what messages say
 */
Drawing ReadDrawing(const std::string& text, const std::string& fileName);

/**
 * A scenario that holds the lab and runs for a minute. Beside what DrawLab() gives it takes simple
 * drawings: a host joined to a switch gets an uplink, a VM joined to a host a port group, a host
 * with an address a vmknic, and what has no name gets one. Attributes that are no keys of a
 * scenario (colours, positions) are passed over. Throws UserError.
 */
Json ImportDrawing(const Drawing& drawing, const std::string& fileName);

} // namespace esxnf

#endif // ESXNF_DRAWING_H
