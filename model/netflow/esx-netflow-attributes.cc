// SPDX-License-Identifier: GPL-2.0-only
// Attributes and trace sources of EsxNetflow.
#include "esx-netflow.h"
#include "model/esx-compat.h"

#include "ns3/boolean.h"
#include "ns3/esx-host.h"
#include "ns3/log.h"
#include "ns3/string.h"
#include "ns3/uinteger.h"

#include <tuple>
#include <utility>

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxNetflowAttributes");

namespace
{

/// Allows the words of a table of policies.
template <typename Info, std::size_t... I>
Ptr<const AttributeChecker>
CheckerOf(const Info* infos, std::index_sequence<I...>)
{
    return std::apply([](auto... rest) { return MakeEnumChecker(rest...); },
                      std::tuple_cat(std::tuple(infos[I].policy, infos[I].word)...));
}

} // namespace

template <typename T, T EsxNetflow::*MEMBER>
bool
EsxNetflow::SetUnlessLoaded(T value)
{
    if (IsLoaded() && this->*MEMBER != value)
    {
        NS_LOG_WARN("host " << m_host->GetName()
                            << ": the NetFlow module is loaded; unload it before you set what it "
                               "is loaded with");
        return false;
    }
    this->*MEMBER = value;
    return true;
}

template <typename T, T EsxNetflow::*MEMBER>
T
EsxNetflow::Get() const
{
    return this->*MEMBER;
}

TypeId
EsxNetflow::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxNetflow")
            .SetParent<Object>()
            .SetGroupName("EsxNetflow")
            .AddConstructor<EsxNetflow>()
            .AddAttribute(
                "IdleTimeout",
                "A record without a packet for longer ends (documented: static 15 s)",
                TimeValue(Seconds(15)),
                MakeTimeAccessor(&EsxNetflow::SetUnlessLoaded<Time, &EsxNetflow::m_idleTimeout>,
                                 &EsxNetflow::Get<Time, &EsxNetflow::m_idleTimeout>),
                MakeTimeChecker(NanoSeconds(1), Days(24)))
            .AddAttribute(
                "ActiveTimeout",
                "A record older than this ends (documented: static 5 min)",
                TimeValue(Minutes(5)),
                MakeTimeAccessor(&EsxNetflow::SetUnlessLoaded<Time, &EsxNetflow::m_activeTimeout>,
                                 &EsxNetflow::Get<Time, &EsxNetflow::m_activeTimeout>),
                MakeTimeChecker(NanoSeconds(1), Days(24)))
            .AddAttribute(
                "ScanInterval",
                "Records end on multiples of this time since boot",
                TimeValue(MilliSeconds(10)),
                MakeTimeAccessor(&EsxNetflow::SetUnlessLoaded<Time, &EsxNetflow::m_scanInterval>,
                                 &EsxNetflow::Get<Time, &EsxNetflow::m_scanInterval>),
                MakeTimeChecker(NanoSeconds(1)))
            .AddAttribute(
                "HeapMax",
                "Limit of the module's heap in octets; 80 are charged for each live record, 64 for "
                "each "
                "place in purgatory",
                UintegerValue(uint64_t{4} * 1024 * 1024),
                MakeUintegerAccessor(&EsxNetflow::SetHeapMax, &EsxNetflow::GetHeapMax),
                MakeUintegerChecker<uint64_t>())
            .AddAttribute("MaxEntries",
                          "Live records at most; 0: only the heap limits them",
                          UintegerValue(0),
                          MakeUintegerAccessor(
                              &EsxNetflow::SetUnlessLoaded<uint32_t, &EsxNetflow::m_maxEntries>,
                              &EsxNetflow::Get<uint32_t, &EsxNetflow::m_maxEntries>),
                          MakeUintegerChecker<uint32_t>())
            .AddAttribute(
                "CachePolicy",
                "Treatment of a packet of a new flow when cache or heap is full",
                EnumValue(netflow::DROP_NEW),
                MakeEsxEnumAccessor<netflow::CachePolicy>(
                    &EsxNetflow::SetUnlessLoaded<netflow::CachePolicy, &EsxNetflow::m_cachePolicy>,
                    &EsxNetflow::Get<netflow::CachePolicy, &EsxNetflow::m_cachePolicy>),
                CheckerOf(netflow::CACHE_POLICY_INFOS,
                          std::make_index_sequence<netflow::CACHE_POLICIES>()))
            .AddAttribute("PurgatoryMax",
                          "Ended records that can wait for a poll",
                          UintegerValue(4096),
                          MakeUintegerAccessor(
                              &EsxNetflow::SetUnlessLoaded<uint32_t, &EsxNetflow::m_purgatoryMax>,
                              &EsxNetflow::Get<uint32_t, &EsxNetflow::m_purgatoryMax>),
                          MakeUintegerChecker<uint32_t>(1))
            .AddAttribute(
                "PurgatoryPolicy",
                "Record that a full purgatory loses",
                EnumValue(netflow::TAIL_DROP),
                MakeEsxEnumAccessor<netflow::PurgatoryPolicy>(
                    &EsxNetflow::SetUnlessLoaded<netflow::PurgatoryPolicy,
                                                 &EsxNetflow::m_purgatoryPolicy>,
                    &EsxNetflow::Get<netflow::PurgatoryPolicy, &EsxNetflow::m_purgatoryPolicy>),
                CheckerOf(netflow::PURGATORY_POLICY_INFOS,
                          std::make_index_sequence<netflow::PURGATORY_POLICIES>()))
            .AddAttribute("ExpireOnTcpEnd",
                          "End a TCP flow's record with the packet that carries FIN or RST",
                          BooleanValue(false),
                          MakeBooleanAccessor(
                              &EsxNetflow::SetUnlessLoaded<bool, &EsxNetflow::m_expireOnTcpEnd>,
                              &EsxNetflow::Get<bool, &EsxNetflow::m_expireOnTcpEnd>),
                          MakeBooleanChecker())
            .AddAttribute("MeterOwnExport",
                          "Meter this host's export datagrams when they cross a monitored vSwitch",
                          BooleanValue(true),
                          MakeBooleanAccessor(&EsxNetflow::m_meterOwnExport),
                          MakeBooleanChecker())
            .AddAttribute("MeteringDelay",
                          "Time that each metered packet and each line of net-netflow -v costs the "
                          "host; frames wait for it (documented: performance may be affected)",
                          TimeValue(Seconds(0)),
                          MakeTimeAccessor(&EsxNetflow::m_meteringDelay),
                          MakeTimeChecker(Seconds(0), Seconds(1)))
            .AddAttribute("HaltOnDelete",
                          "Deleting a vSwitch with NetFlow activated halts the host; else the host "
                          "is marked unstable",
                          BooleanValue(false),
                          MakeBooleanAccessor(&EsxNetflow::m_haltOnDelete),
                          MakeBooleanChecker())
            .AddTraceSource("CacheRecords",
                            "Live records",
                            MakeTraceSourceAccessor(&EsxNetflow::m_cacheRecords),
                            "ns3::TracedValueCallback::Uint64")
            .AddTraceSource("PurgatoryRecords",
                            "Ended records that wait for a poll",
                            MakeTraceSourceAccessor(&EsxNetflow::m_purgatoryRecords),
                            "ns3::TracedValueCallback::Uint64")
            .AddTraceSource("HeapOctets",
                            "Octets of the module's heap in use",
                            MakeTraceSourceAccessor(&EsxNetflow::m_heapOctets),
                            "ns3::TracedValueCallback::Uint64")
            .AddTraceSource(
                "RecordEnded",
                "A flow record ended, and where it went: purgatory, a drop or a discard",
                MakeTraceSourceAccessor(&EsxNetflow::m_recordTrace),
                "ns3::EsxNetflow::RecordTracedCallback")
            .AddTraceSource("Datagram",
                            "net-netflow is about to hand a datagram to its socket",
                            MakeTraceSourceAccessor(&EsxNetflow::m_datagramTrace),
                            "ns3::EsxNetflow::DatagramTracedCallback")
            .AddTraceSource("Polled",
                            "A poll took records; also none",
                            MakeTraceSourceAccessor(&EsxNetflow::m_polledTrace),
                            "ns3::EsxNetflow::PolledTracedCallback")
            .AddTraceSource("SendFailed",
                            "The socket refused the datagram",
                            MakeTraceSourceAccessor(&EsxNetflow::m_sendFailedTrace),
                            "ns3::EsxNetflow::SendFailedTracedCallback");
    return tid;
}

} // namespace ns3
