// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_REAL_COLLECTOR_HELPER_H
#define ESX_REAL_COLLECTOR_HELPER_H

#include "ns3/esx-host-container.h"
#include "ns3/esx-ledger.h"

#include <cstdint>
#include <memory>

namespace ns3
{

/**
 * Sends what hosts export to a real UDP collector, too: a copy of each datagram at the instant when
 * the vmknic has it, whatever becomes of it in the simulated network. With an
 * `EsxSteeredScheduler` whose attribute RealTime is true, the collector gets them at the pace of
 * the simulated clock, else as fast as the simulation runs.
 *
 * Each host sends from an address of its own, as collectors tell exporters apart by it: to a
 * loopback address from 127.0.0.2 on; elsewhere the system chooses, one port for each host.
 */
class EsxRealCollectorHelper
{
  public:
    /// Datagrams of all hosts.
    struct Counts
    {
        uint64_t sent{0}; //!< handed to the kernel
        uint64_t refused{
            0}; //!< an ICMP error came back: nobody listens there; counted as sent, too
        uint64_t failed{
            0}; //!< not taken by the kernel, or cut into fragments by the MTU of a vmknic
    };

    /// \param collector address and UDP port of a real collector, in the network of this machine
    explicit EsxRealCollectorHelper(Ipv4Address collector, uint16_t port = 2055);

    /**
     * Ends the script with the reason if a socket cannot be opened.
     * \param hosts those whose datagrams are sent
     * \param ledger that of the simulation, installed before
     */
    void Install(const EsxHostContainer& hosts, const Ptr<EsxLedger>& ledger) const;

    Counts GetCounts() const;

  private:
    Ipv4Address m_collector;
    uint16_t m_port;
    std::shared_ptr<Counts> m_counts;
};

} // namespace ns3

#endif // ESX_REAL_COLLECTOR_HELPER_H
