// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_TRAFFIC_HELPER_H
#define ESX_TRAFFIC_HELPER_H

#include "ns3/application-container.h"
#include "ns3/data-rate.h"
#include "ns3/esx-synthetic-flows.h"
#include "ns3/ipv4-address.h"
#include "ns3/node-container.h"
#include "ns3/nstime.h"
#include "ns3/object-factory.h"
#include "ns3/random-variable-stream.h"

#include <string>
#include <vector>

namespace ns3
{

/// A receiver: a node (its address is the one on the sender's subnet, see AddressOf), or a bare
/// address, where the helper installs no receiver.
struct EsxTrafficTarget
{
    EsxTrafficTarget(Ptr<Node> node); // implicit: a node is a target
    EsxTrafficTarget(Ipv4Address address);

    Ptr<Node> node;
    Ipv4Address address;
};

struct EsxTrafficOptions
{
    Time start; //!< from the call of the helper (from 0 before the run)
    Time stop;  //!< as start; 0: never
};

struct EsxUdpCbrOptions : EsxTrafficOptions
{
    uint16_t port{9};
    DataRate rate{"512kb/s"}; //!< of the UDP payload
    uint32_t packetSize{512}; //!< bytes of UDP payload
    uint8_t dscp{0};          //!< 0..63
};

struct EsxTcpBulkOptions : EsxTrafficOptions
{
    uint16_t port{9};
    uint64_t bytes{0}; //!< in total; 0: until stop
};

struct EsxTcpRequestOptions : EsxTrafficOptions
{
    uint16_t port{80};
    uint32_t request{512};   //!< bytes, at least 8
    uint32_t response{4096}; //!< bytes
    /// Seconds between starts, as an attribute string of a RandomVariableStream: each client makes
    /// its own.
    std::string every{"ns3::ConstantRandomVariable[Constant=1.0]"};
    Ptr<RandomVariableStream> requestSizes{};  //!< bytes of each; null: request
    Ptr<RandomVariableStream> responseSizes{}; //!< bytes of each; null: response
};

struct EsxTcpSynScanOptions : EsxTrafficOptions
{
    uint16_t firstPort{1};
    uint16_t lastPort{1024};
    Time every{MilliSeconds(1)};
    uint16_t sourcePort{40000};
    bool sourcePortRises{false};
};

/// \brief Installs traffic between nodes with an IPv4 stack.
///
/// Each call gives the senders first, then the receiver if the target is a node. Receivers listen
/// from time 0 to the end of the run, so that nothing under way at `stop` meets a closed port;
/// senders to the same port of a node share one.
class EsxTrafficHelper
{
  public:
    ApplicationContainer UdpCbr(const NodeContainer& from,
                                const EsxTrafficTarget& to,
                                const EsxUdpCbrOptions& options) const;
    ApplicationContainer TcpBulk(const NodeContainer& from,
                                 const EsxTrafficTarget& to,
                                 const EsxTcpBulkOptions& options) const;
    ApplicationContainer TcpRequest(const NodeContainer& from,
                                    const EsxTrafficTarget& to,
                                    const EsxTcpRequestOptions& options) const;
    /// One scanner for all targets, in this order; there is no receiver: the targets' TCP stacks
    /// answer.
    ApplicationContainer TcpSynScan(const NodeContainer& from,
                                    const std::vector<EsxTrafficTarget>& to,
                                    const EsxTcpSynScanOptions& options) const;

    /**
     * Senders of any type to one target, and what receives there if it is a node.
     * \param sender with an attribute Remote, an address with or without a port
     * \param receiver the type of an application with an attribute Port, or that of a socket
     * factory, for a PacketSink; empty: none, the target's stack answers
     */
    ApplicationContainer Install(ObjectFactory sender,
                                 const NodeContainer& from,
                                 const EsxTrafficTarget& to,
                                 const EsxTrafficOptions& options,
                                 uint16_t port,
                                 const std::string& receiver) const;

    /// Injects frames at the port of a guest's vNIC, or on the link of any node's Ethernet device,
    /// the one on the targets' network or to the next router. Stacks do not hear of them. Targets
    /// are nodes.
    ApplicationContainer Inject(Ptr<Node> from,
                                const std::vector<EsxTrafficTarget>& to,
                                Ptr<EsxFrameSource> source,
                                const EsxTrafficOptions& options) const;
    /// Injects a synthetic flow trace; flows take the targets in turn. A node with EsxAddressPools
    /// is all of their addresses. \param flows a new one, without destinations
    ApplicationContainer SyntheticFlows(const Ptr<Node>& from,
                                        const std::vector<EsxTrafficTarget>& to,
                                        const Ptr<EsxSyntheticFlows>& flows,
                                        const EsxTrafficOptions& options) const;

    /// Assigns streams from \p stream on to applications: as an EsxRandomUser takes them, of others
    /// to each random variable among their attributes. \return how many were used
    int64_t AssignStreams(const ApplicationContainer& applications, int64_t stream) const;

    /// \return the first address of \p to on a subnet of \p from; where they share none, the first
    /// of \p to
    static Ipv4Address AddressOf(const Ptr<Node>& to, const Ptr<Node>& from);
};

} // namespace ns3

#endif // ESX_TRAFFIC_HELPER_H
