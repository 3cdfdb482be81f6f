// SPDX-License-Identifier: GPL-2.0-only
// How much of the exports the rates of the links alone make a run lose, computed from what was
// sent: a check of the books that no traffic theory is needed for. Maximum flow, span by span.
#ifndef ESXNF_EXPORT_BOUND_H
#define ESXNF_EXPORT_BOUND_H

#include "runner/scenario/scenario.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace esxnf
{

class Simulation;

/// An export datagram as a frame of a run.
struct ExportedFrame
{
    const Host* host{nullptr};
    const Node* collector{nullptr};
    uint64_t octets{0}; //!< on the wire, at least
    ns3::Time sentAt;
    std::optional<ns3::Time> receivedAt; //!< none: lost, or on its way when the run ended
    bool lost{false};
};

/// Loss of a run's exports, and the least that its links allowed. In octets of frames.
struct ExportBound
{
    uint64_t sent{0};
    uint64_t lost{0};
    uint64_t leastLost{0};
    std::vector<std::string> links; //!< the bottlenecks, in order of the scenario

    /// Whether the run lost as much: if not, it counted frames as received that no link carried.
    bool Holds() const;
};

/// \param end of the run
ExportBound FindExportBound(const Scenario& scenario,
                            const std::vector<ExportedFrame>& frames,
                            ns3::Time end);

/// \param simulation after its run. Datagrams to others than collectors do not count.
ExportBound FindExportBound(const Simulation& simulation);

} // namespace esxnf

#endif // ESXNF_EXPORT_BOUND_H
