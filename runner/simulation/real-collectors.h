// SPDX-License-Identifier: GPL-2.0-only
// Sends what leaves the vmknics of a simulation to real collectors. Every exporting host has a
// source address of its own: collectors tell exporters apart by it, and hosts with equal switch
// IDs would merge into one.
#ifndef ESXNF_REAL_COLLECTORS_H
#define ESXNF_REAL_COLLECTORS_H

#include "runner/base/udp-sender.h"
#include "runner/capture/capture-writer.h"
#include "runner/scenario/scenario.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace esxnf
{

/// Where the datagrams for a simulated collector really go.
struct RealTarget
{
    std::string node; //!< empty: every collector that has no target of its own
    Endpoint endpoint;
};

/// Reads "[NODE=]HOST:PORT"; throws UserError.
RealTarget ParseRealTarget(const std::string& text);

/// Counts of one host's datagrams to one real collector.
struct RealDelivery
{
    std::string host;
    std::string target; //!< "127.0.0.1:2055"
    std::string source; //!< address; empty: the system's choice
    UdpSendStatistics counts;
};

class RealCollectors
{
  public:
    /// The capture of a result folder.
    static constexpr const char* SENT = "sent.pcap";

    /**
     * Opens all sockets. Throws UserError if a target or source does not fit the scenario,
     * NetworkError if an address cannot be resolved or opened.
     * \param rate datagrams a second, all together; 0: no limit
     * \param console a host that may export though the timeline does not say so; may be empty
     * \param sources "HOST=ADDRESS" to send from. Other hosts send from 127.0.0.2 and on to a
     *                loopback address. Elsewhere, where several export, each from its vmknic's
     */
    RealCollectors(const Scenario& scenario,
                   const std::vector<RealTarget>& targets,
                   double rate,
                   const std::string& console = "",
                   const std::vector<std::string>& sources = {});

    /// A warning about deliveries of which nothing can be known; empty: there are none.
    const std::string& GetDoubt() const;

    /// Keeps each datagram that a kernel took from now on in a capture, with the simulated time.
    /// Throws UserError if it cannot be written, as Send() and CloseCapture() then do.
    void CaptureTo(const std::string& path);
    void CloseCapture();

    /// One datagram on its way from a host to a simulated collector.
    void Send(const std::string& host,
              ns3::Ipv4Address collector,
              const std::vector<uint8_t>& payload);

    /// For each exporting host and target.
    std::vector<RealDelivery> GetDeliveries();

    /// For the user, a line for each exporting host and target, each with its line end.
    std::string Report();

  private:
    struct Sender
    {
        std::string source; //!< empty: the system's choice
        UdpPath path;       //!< as in the capture: the source's port is not known there
        std::unique_ptr<UdpSender> udp;
    };

    using Key = std::pair<std::string, std::string>; //!< host, target

    const std::string& TargetOf(ns3::Ipv4Address collector) const;

    std::map<ns3::Ipv4Address, std::string> m_targets; //!< of collectors that have their own
    std::string m_default;                             //!< target of all others; empty: none
    std::map<Key, Sender> m_senders;
    Pacer m_pacer;
    const int64_t m_startNs; //!< of simulated time, since 1970
    std::optional<CaptureWriter> m_capture;
    std::string m_doubt;
};

} // namespace esxnf

#endif // ESXNF_REAL_COLLECTORS_H
