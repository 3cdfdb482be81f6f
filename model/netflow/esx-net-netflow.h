// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_NET_NETFLOW_H
#define ESX_NET_NETFLOW_H

#include "netflow/exporter.h"

#include "ns3/application.h"
#include "ns3/esx-host.h"
#include "ns3/event-id.h"
#include "ns3/ipv4-address.h"
#include "ns3/nstime.h"
#include "ns3/socket.h"
#include "ns3/traced-callback.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ns3
{

class EsxLossWatch;
class EsxNetflow;
enum class EsxLossCause : uint8_t;

/**
 * net-netflow: registers vSwitches with the NetFlow module, polls the VMkernel for flows to export,
 * and sends them as NetFlow version 5 over the VMkernel TCP/IP stack.
 *
 * An Application of the VMkernel node. Installed with a start time it starts by itself, and a
 * script that asked for what cannot be ends there (AbortOnError); the service console starts it by
 * Launch(), to hear of errors at once. Polls come at process start + k * PollPeriod.
 */
class EsxNetNetflow : public Application
{
  public:
    /// \param line a line of output without line end
    typedef void (*OutputTracedCallback)(const std::string& line);
    /// The process has ended.
    typedef void (*EndedTracedCallback)();

    /// UDP port of a collector whose port is not given (documented).
    static constexpr uint16_t DEFAULT_PORT = 2055;

    static TypeId GetTypeId();
    EsxNetNetflow();
    ~EsxNetNetflow() override;

    /**
     * Starts the process now.
     * \return empty; or what the program prints before it exits at once, with nothing registered
     */
    std::string Launch();

    /// A signal: unregisters all vSwitches, stops export; what was not sent is discarded.
    void Terminate();

    bool IsRunning() const;

    /// Switch IDs that this process registered, also after its end.
    const std::vector<uint16_t>& GetRegistered() const;
    /// When it started and ended; negative: not (yet).
    Time GetStartedAt() const;
    Time GetEndedAt() const;
    /// Where it sends.
    Ipv4Address GetCollector() const;
    /// The address its datagrams come from; any if there was no route when it started.
    Ipv4Address GetSourceAddress() const;
    bool UsesAlternatePortIds() const;

    /// Export datagrams sent by this process so far.
    uint64_t GetDatagrams() const;
    /// Datagrams that this process learned were lost: refused by its socket, dropped inside the
    /// host, or answered by an ICMP error.
    uint64_t GetLossesNoticed() const;
    /// The same of one cause.
    uint64_t GetLossesNoticed(EsxLossCause cause) const;

    /// World ID of the process; 0 before it was launched.
    uint32_t GetWorldId() const;

  protected:
    void DoDispose() override;

  private:
    struct Impl;
    friend struct Impl;

    void StartApplication() override;
    void StopApplication() override;
    std::string FindVmknic(uint32_t& mtu);
    void HostChanged(EsxHost::State state);
    void WatchLosses();
    void OpenSocket();
    void Poll();
    void Report();
    void NoticeLoss(uint32_t process, uint64_t number, EsxLossCause cause);
    void NoticeIcmp(Ipv4Address from, uint8_t ttl, uint8_t type, uint8_t code, uint32_t info);
    void Print(const std::string& line);
    std::string Named() const;

    std::string m_vSwitches;
    Ipv4Address m_collector;
    uint16_t m_port{DEFAULT_PORT};
    Time m_pollPeriod;
    Time m_reportInterval;
    bool m_alternatePortIds{false};
    bool m_verbose{false};
    bool m_loadModule{false};
    bool m_abortOnError{true};
    netflow::SequenceMode m_sequenceMode;
    bool m_zeroUnixNsecs{false};
    uint32_t m_initialSequence{0};

    Ptr<EsxHost> m_host;
    Ptr<EsxNetflow> m_module;
    Ptr<Socket> m_socket;
    std::vector<uint16_t> m_registered; //!< switch IDs
    Ipv4Address m_source{Ipv4Address::GetAny()};
    bool m_launched{false};
    bool m_exporting{false}; //!< inside Poll(), where output is printed
    Time m_startedAt{-1};
    Time m_endedAt{-1};
    EventId m_poll;
    EventId m_report;
    uint32_t m_world{0};
    Ptr<EsxLossWatch> m_lossWatch;
    std::unique_ptr<Impl> m_impl;

    TracedCallback<Ptr<const Packet>> m_txTrace;
    TracedCallback<const std::string&> m_outputTrace;
    TracedCallback<> m_endedTrace;
};

} // namespace ns3

#endif // ESX_NET_NETFLOW_H
