// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_TOP_H
#define ESX_TOP_H

#include "ns3/esx-host.h"

#include <map>
#include <string>
#include <vector>

namespace ns3
{

/// One line of esxtop's network screen: a port over an interval.
struct EsxTopRow
{
    uint32_t portId{0}; //!< as people see it: (switch ID << 24) | local port ID
    bool uplink{false};
    bool up{false};         //!< connected, and the link of an uplink is up
    std::string usedBy;     //!< "web1.eth0", "vmnic0", "vmk0"
    std::string teamUplink; //!< uplink its frames leave by; empty: none, or hashed one by one
    std::string vSwitch;    //!< DNAME
    double packetsTx{0};    //!< a second; for a vNIC or vmknic, what it sent into the vSwitch
    double megabitsTx{0};   //!< a second, of 10^6 bits
    double packetsRx{0};
    double megabitsRx{0};
    double percentDroppedTx{0}; //!< %DRPTX: dropped of what it wanted to send
    double percentDroppedRx{0}; //!< %DRPRX: dropped of what came for it
};

/**
 * The network screen of esxtop: packets, rates and drops of every port of a host, over the time
 * since the last sample. As there, transmit and receive are the view of the device in the port: a
 * vNIC transmits into the vSwitch, an uplink onto the wire. Whoever prints samples it: the console,
 * and the runner at the end of a run.
 *
 * %DRPTX of a vNIC: of what it gave, the share that died before the tap. %DRPRX of a vNIC: of what
 * came for it, the share that it did not take (ring, MAC address changed). %DRPTX of an uplink: of
 * what was for the wire, the share the NIC refused; %DRPRX: of what came in, the share dropped at
 * ingress (our reading of the columns).
 */
class EsxTop
{
  public:
    /// \param host outlives this object
    explicit EsxTop(const EsxHost& host);

    /// \return rows of all ports that were ever connected but the internal ones, in order of their
    /// IDs, since the last sample, or since the start of the simulation the first time
    std::vector<EsxTopRow> Sample();

    /// \return the rows as a table with a heading, as esxtop's batch of one screen
    static std::string Format(const std::vector<EsxTopRow>& rows);

  private:
    const EsxHost& m_host;
    Time m_last;
    std::map<uint32_t, EsxPortCounters> m_before; //!< by port ID
};

} // namespace ns3

#endif /* ESX_TOP_H */
