// SPDX-License-Identifier: GPL-2.0-only
#include "esx-net-netflow.h"

#include "esx-netflow.h"
#include "model/esx-compat.h"
#include "model/host/esx-socket-tools.h"
#include "model/ledger/esx-loss-watch.h"
#include "netflow/exporter.h"
#include "netflow/metering-process.h"

#include "ns3/boolean.h"
#include "ns3/esx-export-tag.h"
#include "ns3/esx-host.h"
#include "ns3/esx-ledger.h"
#include "ns3/icmpv4.h"
#include "ns3/inet-socket-address.h"
#include "ns3/log.h"
#include "ns3/simulator.h"
#include "ns3/string.h"
#include "ns3/udp-socket-factory.h"
#include "ns3/uinteger.h"

#include <array>
#include <sstream>

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxNetNetflow");
NS_OBJECT_ENSURE_REGISTERED(EsxNetNetflow);

namespace
{

/// Names separated by commas, without blanks around them.
std::vector<std::string>
Names(const std::string& text)
{
    std::vector<std::string> names;
    std::istringstream list(text);
    for (std::string name; std::getline(list, name, ',');)
    {
        const std::size_t first = name.find_first_not_of(" \t");
        const std::size_t last = name.find_last_not_of(" \t");
        names.push_back(first == std::string::npos ? "" : name.substr(first, last - first + 1));
    }
    return names.size() == 1 && names[0].empty() ? std::vector<std::string>() : names;
}

std::string
VSwitchesOf(const EsxHost& host)
{
    std::string names;
    for (const Ptr<EsxVSwitch>& vSwitch : host.GetVSwitches())
    {
        names += (names.empty() ? "" : ", ") + vSwitch->GetName();
    }
    return names.empty() ? "none" : names;
}

} // namespace

/// The exporter of netflow/ and the socket that its datagrams leave by.
struct EsxNetNetflow::Impl : public netflow::DatagramSink
{
    Impl(EsxNetNetflow& owner, const netflow::ExporterConfig& config)
        : process(owner),
          exporter(config, *this, owner.m_module->GetLedgerToBook(), &owner.m_module->GetJournal())
    {
    }

    bool Send(const netflow::Datagram& datagram) override
    {
        Ptr<Packet> packet = Create<Packet>(datagram.data, static_cast<uint32_t>(datagram.size));
        packet->AddPacketTag(EsxExportTag(process.m_host->GetVmkernelNode()->GetId(),
                                          datagram.number,
                                          process.m_world));
        process.m_txTrace(packet);
        process.m_module->NotifyDatagram(datagram, process.m_collector);
        const bool sent = HandOver(datagram, packet);
        NS_LOG_INFO(process.Named()
                    << "datagram " << datagram.number << ", " << datagram.counts.records
                    << " records, to " << process.m_collector << (sent ? "" : ": not sent"));
        if (!sent)
        {
            process.NoticeLoss(process.m_world, datagram.number, EsxLossCause::NO_ROUTE);
            process.m_module->NotifySendFailed(datagram);
        }
        if (process.m_verbose)
        {
            process.Print("vSwitch " + std::to_string(datagram.vSwitch) + ": sequence " +
                          std::to_string(datagram.flowSequence) + ", " +
                          std::to_string(datagram.counts.records) + " flows, " +
                          std::to_string(datagram.counts.packets) + " packets, " +
                          std::to_string(datagram.counts.octets) + " bytes" +
                          (sent ? "" : " (not sent)"));
            process.m_module->NotifyVerboseLine();
        }
        return sent;
    }

    /// To the IP stack, or to who knows what that did.
    bool HandOver(const netflow::Datagram& datagram, const Ptr<Packet>& packet) const
    {
        const EsxNetflowReplay* const replay = process.m_module->GetReplay();
        if (replay && replay->send)
        {
            replay->send(datagram, packet);
            return true;
        }
        // No device is chosen for 224.0.0.x, and ns-3's routing would end the process.
        return !process.m_collector.IsLocalMulticast() && process.m_socket->Send(packet) >= 0;
    }

    void PortAliased(uint16_t vSwitch, uint16_t port) override
    {
        process.m_host->GetLog()->Warning("NetFlow",
                                          455,
                                          "port " + std::to_string(port) + " of virtual switch " +
                                              std::to_string(vSwitch) +
                                              " does not fit in its port ID under -p");
    }

    EsxNetNetflow& process;
    netflow::Exporter exporter;
    std::vector<netflow::QueuedRecord> records; // of one poll; kept for its memory

    using Losses = std::array<uint64_t, ESX_LOSS_CAUSES>; // by EsxLossCause
    Losses losses{};
    Losses reported{};
    int64_t lastLost{-1}; // number of the datagram; several hooks can see one death
};

TypeId
EsxNetNetflow::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxNetNetflow")
            .SetParent<Application>()
            .SetGroupName("EsxNetflow")
            .AddConstructor<EsxNetNetflow>()
            .AddAttribute("VSwitches",
                          "Option -e: names of the virtual switches, separated by commas",
                          StringValue(""),
                          MakeStringAccessor(&EsxNetNetflow::m_vSwitches),
                          MakeStringChecker())
            .AddAttribute("Collector",
                          "IPv4 address of the collector",
                          Ipv4AddressValue(Ipv4Address::GetAny()),
                          MakeIpv4AddressAccessor(&EsxNetNetflow::m_collector),
                          MakeIpv4AddressChecker())
            .AddAttribute("Port",
                          "UDP port of the collector",
                          UintegerValue(DEFAULT_PORT),
                          MakeUintegerAccessor(&EsxNetNetflow::m_port),
                          MakeUintegerChecker<uint16_t>(1))
            .AddAttribute("PollPeriod",
                          "Option -s: time between two polls",
                          TimeValue(MilliSeconds(1000)),
                          MakeTimeAccessor(&EsxNetNetflow::m_pollPeriod),
                          MakeTimeChecker(MilliSeconds(1)))
            .AddAttribute("AlternatePortIds",
                          "Option -p: switch ID and port ID in the interface fields of each record",
                          BooleanValue(false),
                          MakeBooleanAccessor(&EsxNetNetflow::m_alternatePortIds),
                          MakeBooleanChecker())
            .AddAttribute("Verbose",
                          "Option -v: print a brief summary of the flows sent",
                          BooleanValue(false),
                          MakeBooleanAccessor(&EsxNetNetflow::m_verbose),
                          MakeBooleanChecker())
            .AddAttribute("ZeroUnixNsecs",
                          "Leave unix_nsecs of the header 0, as some exporters do (for comparison)",
                          BooleanValue(false),
                          MakeBooleanAccessor(&EsxNetNetflow::m_zeroUnixNsecs),
                          MakeBooleanChecker())
            .AddAttribute(
                "SequenceMode",
                "Meaning of flow_sequence",
                EnumValue(netflow::AT_SEND),
                MakeEsxEnumAccessor<netflow::SequenceMode>(&EsxNetNetflow::m_sequenceMode),
                MakeEnumChecker(netflow::AT_SEND, "AtSend", netflow::AT_EXPIRY, "AtExpiry"))
            .AddAttribute("InitialSequence",
                          "First flow_sequence of every engine",
                          UintegerValue(0),
                          MakeUintegerAccessor(&EsxNetNetflow::m_initialSequence),
                          MakeUintegerChecker<uint32_t>())
            .AddAttribute("ReportInterval",
                          "Time between two messages about lost datagrams, if there were any",
                          TimeValue(Seconds(10)),
                          MakeTimeAccessor(&EsxNetNetflow::m_reportInterval),
                          MakeTimeChecker(MilliSeconds(1)))
            .AddAttribute("LoadModule",
                          "Load the NetFlow module at the start time unless it is loaded, as a "
                          "script wants it; the service console has vmkload_mod",
                          BooleanValue(false),
                          MakeBooleanAccessor(&EsxNetNetflow::m_loadModule),
                          MakeBooleanChecker())
            .AddAttribute("AbortOnError",
                          "If it cannot start at its start time: true ends the script with the "
                          "reason, false prints the reason and goes on without, as on the service "
                          "console",
                          BooleanValue(true),
                          MakeBooleanAccessor(&EsxNetNetflow::m_abortOnError),
                          MakeBooleanChecker())
            .AddTraceSource("Tx",
                            "An export datagram, before it is handed to the socket",
                            MakeTraceSourceAccessor(&EsxNetNetflow::m_txTrace),
                            "ns3::Packet::TracedCallback")
            .AddTraceSource("Output",
                            "A line that the program prints",
                            MakeTraceSourceAccessor(&EsxNetNetflow::m_outputTrace),
                            "ns3::EsxNetNetflow::OutputTracedCallback")
            .AddTraceSource("Ended",
                            "The process has ended: nothing of it is registered any more",
                            MakeTraceSourceAccessor(&EsxNetNetflow::m_endedTrace),
                            "ns3::EsxNetNetflow::EndedTracedCallback");
    return tid;
}

EsxNetNetflow::EsxNetNetflow() = default;
EsxNetNetflow::~EsxNetNetflow() = default;

std::string
EsxNetNetflow::Launch()
{
    NS_ABORT_MSG_IF(m_launched, "a net-netflow process is launched once");
    m_launched = true;
    m_host = GetNode()->GetObject<EsxHost>();
    NS_ABORT_MSG_UNLESS(m_host, "net-netflow runs on the VMkernel node of an ESX host");
    m_module = m_host->GetObject<EsxNetflow>();
    NS_ABORT_MSG_UNLESS(m_module, "host " << m_host->GetName() << " has no NetFlow module");

    const std::vector<std::string> names = Names(m_vSwitches);
    uint32_t mtu = 0;
    std::string error = names.empty() ? "no virtual switch given (-e)" : FindVmknic(mtu);
    if (error.empty() && m_loadModule && !m_module->IsLoaded())
    {
        error = m_module->Load();
    }
    if (error.empty())
    {
        EsxLedger::Refresh(
            m_host->GetVmkernelNode()); // it may have been installed before this exporter was
        error = m_module->Register(names, m_registered);
    }
    if (!error.empty())
    {
        NS_LOG_WARN(Named() << "cannot start: " << error);
        return error;
    }
    m_module->NotifyLaunched(this);
    NS_LOG_INFO(Named() << "started for " << m_vSwitches << ", to " << m_collector << ":"
                        << m_port);
    netflow::ExporterConfig config;
    config.alternatePortIds = m_alternatePortIds;
    config.zeroUnixNsecs = m_zeroUnixNsecs;
    config.sequenceMode = m_sequenceMode;
    config.initialSequence = m_initialSequence;
    config.maxRecords = netflow::RecordsForMtu(mtu);
    config.bootUnixNs = static_cast<int64_t>(m_host->GetUnixTimeNs()) - m_module->GetUptimeNs();
    m_host->TraceConnectWithoutContext("StateChanged",
                                       MakeCallback(&EsxNetNetflow::HostChanged, this));
    m_impl = std::make_unique<Impl>(*this, config);
    m_world = m_host->AllocateWorldId();
    WatchLosses();
    OpenSocket();
    m_startedAt = Simulator::Now();
    m_poll = Simulator::Schedule(m_pollPeriod, &EsxNetNetflow::Poll, this);
    m_report = Simulator::Schedule(m_reportInterval, &EsxNetNetflow::Report, this);
    return "";
}

void
EsxNetNetflow::Terminate()
{
    if (!IsRunning())
    {
        return;
    }
    if (m_exporting)
    {
        // Somebody who reads its output had enough: it ends with what it is doing in this instant.
        Simulator::ScheduleNow(&EsxNetNetflow::Terminate, Ptr<EsxNetNetflow>(this));
        return;
    }
    NS_LOG_INFO(Named() << "ends after " << GetDatagrams() << " datagrams");
    m_poll.Cancel();
    m_report.Cancel();
    m_module->Unregister(m_registered, netflow::StopCause::KILLED);
    m_endedAt = Simulator::Now();
    m_socket->SetAttribute(
        "IcmpCallback",
        CallbackValue(MakeNullCallback<void, Ipv4Address, uint8_t, uint8_t, uint8_t, uint32_t>()));
    m_socket->Close();
    m_socket = nullptr;
    m_host->TraceDisconnectWithoutContext("StateChanged",
                                          MakeCallback(&EsxNetNetflow::HostChanged, this));
    m_lossWatch->TraceDisconnectWithoutContext("Lost",
                                               MakeCallback(&EsxNetNetflow::NoticeLoss, this));
    m_endedTrace();
}

bool
EsxNetNetflow::IsRunning() const
{
    return m_socket != nullptr;
}

const std::vector<uint16_t>&
EsxNetNetflow::GetRegistered() const
{
    return m_registered;
}

Time
EsxNetNetflow::GetStartedAt() const
{
    return m_startedAt;
}

Time
EsxNetNetflow::GetEndedAt() const
{
    return m_endedAt;
}

Ipv4Address
EsxNetNetflow::GetCollector() const
{
    return m_collector;
}

Ipv4Address
EsxNetNetflow::GetSourceAddress() const
{
    return m_source;
}

bool
EsxNetNetflow::UsesAlternatePortIds() const
{
    return m_alternatePortIds;
}

uint64_t
EsxNetNetflow::GetDatagrams() const
{
    return m_impl ? m_impl->exporter.GetDatagrams() : 0;
}

uint64_t
EsxNetNetflow::GetLossesNoticed() const
{
    uint64_t sum = 0;
    for (unsigned cause = 0; cause < ESX_LOSS_CAUSES; ++cause)
    {
        sum += GetLossesNoticed(static_cast<EsxLossCause>(cause));
    }
    return sum;
}

uint64_t
EsxNetNetflow::GetLossesNoticed(EsxLossCause cause) const
{
    return m_impl ? m_impl->losses[static_cast<unsigned>(cause)] : 0;
}

uint32_t
EsxNetNetflow::GetWorldId() const
{
    return m_world;
}

void
EsxNetNetflow::DoDispose()
{
    m_poll.Cancel();
    m_report.Cancel();
    m_socket = nullptr;
    m_lossWatch = nullptr;
    m_impl.reset();
    m_module = nullptr;
    m_host = nullptr;
    Application::DoDispose();
}

void
EsxNetNetflow::StartApplication()
{
    if (m_launched)
    {
        return; // by the console, in this instant
    }
    const std::string error = Launch();
    if (!error.empty())
    {
        Print("net-netflow: " + error);
        NS_ABORT_MSG_IF(m_abortOnError,
                        Named() << error << "; -e is \"" << m_vSwitches << "\", vSwitches of "
                                << m_host->GetName() << ": " << VSwitchesOf(*m_host)
                                << " (AbortOnError=false goes on without it)");
    }
}

/// How messages begin.
std::string
EsxNetNetflow::Named() const
{
    return "net-netflow of host " + (m_host ? m_host->GetName() : "?") + ": ";
}

void
EsxNetNetflow::StopApplication()
{
    Terminate();
}

/**
 * The technote's first step: a vmknic must exist. The one on the route to the collector gives the
 * MTU; without a route net-netflow starts all the same and its datagrams are refused one by one.
 */
std::string
EsxNetNetflow::FindVmknic(uint32_t& mtu)
{
    if (m_host->GetVmknics().empty())
    {
        return "no VMkernel interface (vmknic): configure the VMkernel TCP/IP stack first";
    }
    Ptr<NetDevice> device = m_host->GetVmknics().front().device;
    if (const Ptr<Ipv4Route> route = EsxRouteTo(GetNode(), m_collector))
    {
        device = route->GetOutputDevice();
        m_source = route->GetSource();
    }
    mtu = device->GetMtu();
    return netflow::RecordsForMtu(mtu) == 0
               ? "the MTU of " + std::to_string(mtu) + " is too small for a NetFlow datagram"
               : "";
}

void
EsxNetNetflow::HostChanged(EsxHost::State state)
{
    if (state == EsxHost::HALTED)
    {
        // Not inside the trace: it cannot lose a listener while it calls it.
        Simulator::ScheduleNow(&EsxNetNetflow::Terminate, Ptr<EsxNetNetflow>(this));
    }
}

/// Watches datagrams that die inside the host: its first process begins the watch.
void
EsxNetNetflow::WatchLosses()
{
    m_lossWatch = m_host->GetObject<EsxLossWatch>();
    if (!m_lossWatch)
    {
        m_lossWatch = CreateObject<EsxLossWatch>();
        m_host->AggregateObject(m_lossWatch);
    }
    m_lossWatch->Watch(m_host);
    m_lossWatch->TraceConnectWithoutContext("Lost", MakeCallback(&EsxNetNetflow::NoticeLoss, this));
}

void
EsxNetNetflow::OpenSocket()
{
    m_socket = Socket::CreateSocket(GetNode(), UdpSocketFactory::GetTypeId());
    // Bound to any address: only so does Send() report that there is no route.
    m_socket->Bind();
    m_socket->Connect(InetSocketAddress(m_collector, m_port));
    m_socket->ShutdownRecv();
    m_socket->SetAttribute("IcmpCallback",
                           CallbackValue(MakeCallback(&EsxNetNetflow::NoticeIcmp, this)));
}

void
EsxNetNetflow::Poll()
{
    m_poll = Simulator::Schedule(m_pollPeriod, &EsxNetNetflow::Poll, this);
    m_impl->records.clear();
    m_module->Poll(m_registered, m_impl->records);
    NS_LOG_INFO(Named() << "polls " << m_impl->records.size() << " records");
    m_exporting = true;
    m_impl->exporter.Export(m_impl->records, m_module->GetUptimeNs());
    m_exporting = false;
#ifdef NS3_ASSERT_ENABLE
    const netflow::Account total = m_module->GetLedgerToBook().GetTotal();
    NS_ASSERT_MSG(total.GetBalance(netflow::Place::STAGING) == netflow::Counts{}, "law L2");
    NS_ASSERT_MSG(total.GetBalance(netflow::Place::SOCKET) == netflow::Counts{}, "law L2");
#endif
}

void
EsxNetNetflow::Report()
{
    m_report = Simulator::Schedule(m_reportInterval, &EsxNetNetflow::Report, this);
    uint64_t sum = 0;
    std::string causes;
    for (unsigned i = 0; i < ESX_LOSS_CAUSES; ++i)
    {
        const uint64_t count = m_impl->losses[i] - m_impl->reported[i];
        if (count > 0)
        {
            sum += count;
            causes += (causes.empty() ? "" : ", ") + std::to_string(count) + " " +
                      ToString(static_cast<EsxLossCause>(i));
        }
    }
    if (sum > 0)
    {
        Print("net-netflow: " + std::to_string(sum) +
              " UDP packets to the collector were lost: " + causes);
        m_impl->reported = m_impl->losses;
    }
}

void
EsxNetNetflow::NoticeLoss(uint32_t process, uint64_t number, EsxLossCause cause)
{
    const auto lost = static_cast<int64_t>(number);
    if (process == m_world && lost != m_impl->lastLost)
    {
        NS_LOG_LOGIC(Named() << "datagram " << number << " lost: " << ToString(cause));
        m_impl->lastLost = lost;
        ++m_impl->losses[static_cast<unsigned>(cause)];
    }
}

/// An answer to a datagram: which of them, ICMP does not say.
void
EsxNetNetflow::NoticeIcmp(Ipv4Address, uint8_t, uint8_t type, uint8_t code, uint32_t)
{
    constexpr uint8_t UNREACHABLE = Icmpv4Header::ICMPV4_DEST_UNREACH;
    const EsxLossCause cause = type != UNREACHABLE ? EsxLossCause::OTHER_ICMP
                               : code == Icmpv4DestinationUnreachable::ICMPV4_PORT_UNREACHABLE
                                   ? EsxLossCause::PORT_UNREACHABLE
                               : code == Icmpv4DestinationUnreachable::ICMPV4_HOST_UNREACHABLE
                                   ? EsxLossCause::HOST_UNREACHABLE
                               : code == Icmpv4DestinationUnreachable::ICMPV4_NET_UNREACHABLE
                                   ? EsxLossCause::NET_UNREACHABLE
                                   : EsxLossCause::OTHER_ICMP;
    ++m_impl->losses[static_cast<unsigned>(cause)];
}

void
EsxNetNetflow::Print(const std::string& line)
{
    m_outputTrace(line);
}

} // namespace ns3
