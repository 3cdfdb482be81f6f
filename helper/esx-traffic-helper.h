// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_TRAFFIC_HELPER_H
#define ESX_TRAFFIC_HELPER_H

#include "ns3/application-container.h"
#include "ns3/data-rate.h"
#include "ns3/esx-synthetic-flows.h"
#include "ns3/ipv4-address.h"
#include "ns3/node-container.h"
#include "ns3/nstime.h"
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

struct EsxUdpOnOffOptions : EsxUdpCbrOptions
{
    Ptr<RandomVariableStream> on;  //!< seconds of each burst, in which rate is sent; taken over
    Ptr<RandomVariableStream> off; //!< seconds of each pause
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

struct EsxIcmpEchoOptions : EsxTrafficOptions
{
    Time every{Seconds(1)};
    uint32_t size{56}; //!< octets of data in a request
    uint8_t dscp{0};   //!< 0..63
};

/// Parameters of a synthetic flow trace: see EsxSyntheticFlows. Random variables are taken over.
struct EsxFlowsOptions : EsxTrafficOptions
{
    Ptr<RandomVariableStream> every;      //!< seconds; null: the default of EsxSyntheticFlows
    Ptr<RandomVariableStream> duration;   //!< seconds
    Ptr<RandomVariableStream> packets;    //!< of a flow
    Ptr<RandomVariableStream> packetSize; //!< octets, IP total length
    uint64_t flows{0};                    //!< in total; 0: until stop
    uint32_t together{1};                 //!< flows that begin at once
    std::vector<double> hours;            //!< see EsxSyntheticFlows::SetHours()
    double compression{1};                //!< factor by which a day passes faster
    std::vector<EsxSyntheticFlows::Service> services; //!< by their weights; none: tcp and port
    double again{0};                                  //!< probability that a key comes again
    Ptr<RandomVariableStream> rtt;           //!< seconds to the first answer; null: no answers
    Ptr<RandomVariableStream> answerPackets; //!< of a flow's answers
    Ptr<RandomVariableStream> answerSize;    //!< octets, IP total length
    std::vector<EsxProfiledFlow> profile; //!< in place of every, duration, packets, sizes, services
    bool inFlowFidelity{false};           //!< see EsxSyntheticFlows::Fidelity
    bool tcp{false};                      //!< else UDP
    uint16_t port{5001};                  //!< destination port of the first flows
    uint8_t dscp{0};                      //!< 0..63
    Ipv4Address sourceNetwork{Ipv4Address::GetZero()}; //!< random sources of it; 0: the sender's
    Ipv4Mask sourceMask{Ipv4Mask::GetOnes()};
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
    /// Cross traffic: ns-3's OnOffApplication.
    ApplicationContainer UdpOnOff(const NodeContainer& from,
                                  const EsxTrafficTarget& to,
                                  const EsxUdpOnOffOptions& options) const;
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

    /// Echo requests; there is no receiver: the target's stack answers.
    ApplicationContainer IcmpEcho(Ptr<Node> from,
                                  const EsxTrafficTarget& to,
                                  const EsxIcmpEchoOptions& options) const;

    /// Injects frames at the port of a guest's vNIC, or on the link of any node's Ethernet device,
    /// the one on the targets' network or to the next router. Stacks do not hear of them. Targets
    /// are nodes.
    ApplicationContainer Inject(Ptr<Node> from,
                                const std::vector<EsxTrafficTarget>& to,
                                Ptr<EsxFrameSource> source,
                                const EsxTrafficOptions& options) const;
    /// Injects a synthetic flow trace; flows take the targets in turn. A node with EsxAddressPools
    /// is all of their addresses.
    ApplicationContainer SyntheticFlows(const NodeContainer& from,
                                        const std::vector<EsxTrafficTarget>& to,
                                        const EsxFlowsOptions& options) const;

    /// Assigns streams from \p stream on to the applications of this module that draw random
    /// numbers. \return how many were used
    int64_t AssignStreams(const ApplicationContainer& applications, int64_t stream) const;

    /// \return the first address of \p to on a subnet of \p from; where they share none, the first
    /// of \p to
    static Ipv4Address AddressOf(const Ptr<Node>& to, const Ptr<Node>& from);
};

} // namespace ns3

#endif // ESX_TRAFFIC_HELPER_H
