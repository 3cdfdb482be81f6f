// SPDX-License-Identifier: GPL-2.0-only
// Checks of a lab before it is run, for the commands that take a scenario and for Python:
// each check asks the frame graph and speaks in messages with a place and a reason.
#ifndef ESXNF_LAB_CHECK_H
#define ESXNF_LAB_CHECK_H

#include "runner/lab/export-flow.h"
#include "runner/lab/ip-graph.h"

namespace esxnf
{

/**
 * Switches learn and flood and run no spanning tree: each loop is an error that names its links. A
 * run would hang, so it must be refused. Under run.spanning_tree the links that are blocked are
 * infos. At most ten are told.
 */
Diagnostics CheckLoops(const FrameGraph& graph);

/**
 * Finds ends that do not meet, and the port, link or VLAN to blame: an error where traffic of the
 * scenario is planned between the two (injected: a warning), a warning where they only are on one
 * IP network. Teams whose uplinks lead to different networks and links that carry a VLAN one way
 * only are warnings, too. Links that udp-cbr traffic fills are infos. At most ten of each kind are
 * told.
 */
Diagnostics CheckVlans(const FrameGraph& graph);

/**
 * Overlapping networks, wrong masks, routing loops, and routers that lack routes: errors, which
 * refuse a run. At most ten are told.
 */
Diagnostics CheckNetworks(const IpGraph& graph);

/**
 * Traffic that should pass routers and does not get there, or whose answers do not get back: errors
 * that name the first hop that fails.
 */
Diagnostics CheckRoutes(const IpGraph& graph);

/** Port groups in which a VM that moves is cut off from those it was in: errors. */
Diagnostics CheckMoves(const FrameGraph& graph);

/**
 * The technote's first step, for each host and collector that a net-netflow line of the timeline
 * names: a vmknic exists on the collector's network, or a gateway leads there, and frames get from
 * it to the collector and back. A fault is an error, though not one to refuse a run for: a
 * run shows what an ESX host does then. How the way goes is an info.
 * \param [out] routed exports over routers are added, for programs; null: not
 */
Diagnostics CheckExport(const IpGraph& graph, Json* routed = nullptr);

/**
 * Programs, modules and vSwitches that the console lines of the timeline name and that are not
 * there: an error where that makes the line fail, an info where it is meant to, else a warning.
 */
Diagnostics CheckCommands(const Scenario& scenario);

/// Traffic in flow fidelity that goes by packets, with the share of its pairs and a reason: infos.
Diagnostics CheckFidelity(const IpGraph& graph);

/// Single points of failure of each export: infos.
Diagnostics CheckFailures(const FrameGraph& graph, const std::vector<PlannedExport>& exports);

/// All that is said about a lab.
struct LabReport
{
    Diagnostics loops;    //!< of frames and of routes, and wrong networks: an error refuses a run
    Diagnostics findings; //!< all others
    Diagnostics failures; //!< what fails alone; not said before a run
    Json facts;           //!< the same for programs: docs/formats.md
};

LabReport CheckLab(const Scenario& scenario);

/// Warnings of a run, or of Python, about a lab that is not refused: its faults, no infos.
Diagnostics WarningsOf(const LabReport& report);

} // namespace esxnf

#endif // ESXNF_LAB_CHECK_H
