// SPDX-License-Identifier: GPL-2.0-only
#include "esx-net-netflow.h"

#include "esx-compat.h"
#include "esx-export-tag.h"
#include "esx-host.h"
#include "esx-netflow.h"
#include "esx-socket-tools.h"
#include "netflow/exporter.h"
#include "netflow/metering-process.h"

#include "ns3/boolean.h"
#include "ns3/inet-socket-address.h"
#include "ns3/log.h"
#include "ns3/simulator.h"
#include "ns3/string.h"
#include "ns3/udp-socket-factory.h"
#include "ns3/uinteger.h"

#include <sstream>

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxNetNetflow");
NS_OBJECT_ENSURE_REGISTERED(EsxNetNetflow);

/// The exporter of netflow/ and the socket that its datagrams leave by.
struct EsxNetNetflow::Impl : public netflow::DatagramSink
{
    Impl(EsxNetNetflow& owner, const netflow::ExporterConfig& config)
        : process(owner),
          exporter(config, *this, owner.m_module->GetLedger(), &owner.m_module->GetJournal())
    {
    }

    bool Send(const netflow::Datagram& datagram) override
    {
        Ptr<Packet> packet = Create<Packet>(datagram.data, static_cast<uint32_t>(datagram.size));
        packet->AddPacketTag(
            EsxExportTag(process.m_host->GetVmkernelNode()->GetId(), datagram.number));
        process.m_txTrace(packet);
        process.m_module->NotifyDatagram(datagram, process.m_collector);
        const bool sent = process.m_socket->Send(packet) >= 0;
        if (!sent)
        {
            ++process.m_losses;
            process.m_module->NotifySendFailed(datagram);
        }
        if (process.m_verbose)
        {
            std::ostringstream line;
            line << "vSwitch " << datagram.vSwitch << ": sequence " << datagram.flowSequence << ", "
                 << datagram.counts.records << " flows, " << datagram.counts.packets << " packets, "
                 << datagram.counts.octets << " bytes" << (sent ? "" : " (not sent)");
            process.Print(line.str());
        }
        return sent;
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
            .AddAttribute("SequenceMode",
                          "What flow_sequence counts",
                          EnumValue(AT_SEND),
                          MakeEsxEnumAccessor<SequenceMode>(&EsxNetNetflow::m_sequenceMode),
                          MakeEnumChecker(AT_SEND, "AtSend", AT_EXPIRY, "AtExpiry"))
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

    std::vector<std::string> names;
    std::istringstream list(m_vSwitches);
    for (std::string name; std::getline(list, name, ',');)
    {
        names.push_back(name);
    }
    if (names.empty())
    {
        return "no virtual switch given (-e)";
    }
    uint32_t mtu = 0;
    std::string error = FindVmknic(mtu);
    if (error.empty())
    {
        error = m_module->Register(names, m_registered);
    }
    if (!error.empty())
    {
        return error;
    }
    netflow::ExporterConfig config;
    config.alternatePortIds = m_alternatePortIds;
    config.sequenceMode = static_cast<netflow::SequenceMode>(m_sequenceMode);
    config.initialSequence = m_initialSequence;
    config.maxRecords = netflow::RecordsForMtu(mtu);
    config.bootUnixNs = static_cast<int64_t>(m_host->GetUnixTimeNs()) - m_module->GetUptimeNs();
    m_impl = std::make_unique<Impl>(*this, config);
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
    m_poll.Cancel();
    m_report.Cancel();
    m_module->Unregister(m_registered, netflow::StopCause::KILLED);
    m_endedAt = Simulator::Now();
    m_socket->SetAttribute(
        "IcmpCallback",
        CallbackValue(MakeNullCallback<void, Ipv4Address, uint8_t, uint8_t, uint8_t, uint32_t>()));
    m_socket->Close();
    m_socket = nullptr;
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
    return m_losses;
}

void
EsxNetNetflow::DoDispose()
{
    m_poll.Cancel();
    m_report.Cancel();
    m_socket = nullptr;
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
    }
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
    m_impl->exporter.Export(m_impl->records, m_module->GetUptimeNs());
}

void
EsxNetNetflow::Report()
{
    m_report = Simulator::Schedule(m_reportInterval, &EsxNetNetflow::Report, this);
    if (m_losses > m_lossesReported)
    {
        Print("net-netflow: " + std::to_string(m_losses - m_lossesReported) +
              " UDP packets to the collector were lost");
        m_lossesReported = m_losses;
    }
}

void
EsxNetNetflow::NoticeIcmp(Ipv4Address, uint8_t, uint8_t, uint8_t, uint32_t)
{
    ++m_losses;
}

void
EsxNetNetflow::Print(const std::string& line)
{
    m_outputTrace(line);
}

} // namespace ns3
