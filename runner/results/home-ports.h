// SPDX-License-Identifier: GPL-2.0-only
// Where the octets of a VM or vmknic are counted. A packet crosses every vSwitch on its way, some
// of them twice, and each one meters it: who adds that up counts it several times.
#ifndef ESXNF_HOME_PORTS_H
#define ESXNF_HOME_PORTS_H

#include "runner/scenario/scenario.h"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace esxnf
{

/// A port of a vSwitch of an exporter.
struct ExporterPort
{
    std::string_view exporter;
    std::string_view vSwitch;
    std::string_view port; //!< its name; empty: not known, or several
};

/**
 * The ports into which the adapters of VMs and the vmknics are plugged. What an address sent counts
 * at its own port; if nothing of it was seen there, as that vSwitch is not monitored, it counts
 * wherever it was seen.
 */
class HomePorts
{
  public:
    explicit HomePorts(const Scenario& scenario);

    /// Something that an address sent entered a port. All of them before the first Counts().
    void Saw(std::string_view source, const ExporterPort& port);

    /// Whether what an address sent counts where it entered a port.
    bool Counts(std::string_view source, const ExporterPort& port) const;

    /// Whether a port is that of an address; a port that is not known may be.
    bool IsHome(std::string_view address, const ExporterPort& port) const;

  private:
    using Home = std::tuple<std::string, std::string, std::string>; // exporter, vSwitch, port

    std::map<std::string, std::vector<Home>, std::less<>> m_homes;
    std::set<std::string, std::less<>> m_seenAtHome;
};

} // namespace esxnf

#endif // ESXNF_HOME_PORTS_H
