// SPDX-License-Identifier: GPL-2.0-only
// The net-netflow process: start, polls, options, end; and what of it a collector sees.
#include "netflow-fixture.h"
#include "netflow/v5-codec.h"

#include "ns3/boolean.h"
#include "ns3/enum.h"

using namespace ns3;
using netflow::Move;

namespace
{

class EsxNetNetflowTest : public NetflowTest
{
};

TEST_F(EsxNetNetflowTest, AnalysisBeginsAtOnce)
{
    AddExport();
    Module()->Load();
    const Ptr<EsxNetNetflow> process = Start();
    process->SetStartTime(Seconds(2));
    Send(Seconds(2) - NanoSeconds(1), 1);
    Send(Seconds(2) + NanoSeconds(1), 2);
    RunUntil(Seconds(20));
    EXPECT_EQ(Moved(Move::IGNORED_NOT_MONITORED).packets, 1u);
    EXPECT_EQ(Moved(Move::METERED).packets, 1u);
}

TEST_F(EsxNetNetflowTest, PollsComeAtStartPlusMultiplesOfThePeriod)
{
    netflow.SetModuleAttribute("IdleTimeout", TimeValue(MilliSeconds(500)));
    netflow.SetNetNetflowAttribute("PollPeriod", TimeValue(MilliSeconds(700)));
    AddExport();
    const Ptr<EsxNetNetflow> process = Start();
    process->SetStartTime(MilliSeconds(1234));
    std::vector<Time> sent;
    process->TraceConnectWithoutContext("Tx",
                                        Callback<void, Ptr<const Packet>>([&](Ptr<const Packet>) {
                                            sent.push_back(Simulator::Now());
                                        }));
    for (int i = 0; i < 40; ++i)
    {
        Send(MilliSeconds(2000 + 100 * i), 100 + i); // ends about 500 ms later: no poll is in vain
    }
    RunUntil(Seconds(7));
    ASSERT_EQ(sent.size(), 7u); // a record or more in each
    for (const Time& at : sent)
    {
        EXPECT_EQ((at - MilliSeconds(1234)).GetNanoSeconds() % 700000000, 0) << at;
    }
    EXPECT_EQ(process->GetDatagrams(), 7u);
}

TEST_F(EsxNetNetflowTest, ScanComesBeforeAPollOfTheSameInstant)
{
    AddExport();
    Start();
    Send(MilliSeconds(985), 1); // ends in the scan of 16 s exactly: deadline 15.985 s
    Send(MilliSeconds(995), 2); // deadline 15.995 s: the same scan
    RunUntil(Seconds(16) + MilliSeconds(500));
    EXPECT_EQ(Records(Move::RECEIVED), 2u);
}

TEST_F(EsxNetNetflowTest, UnknownSwitchLeavesNothingRegistered)
{
    esx.AddVSwitch(host, "vSwitch1");
    AddExport();
    Module()->Load();
    EXPECT_EQ(Launch("vSwitch0,vSwitch1,vSwitch7"), "no such virtual switch: vSwitch7");
    EXPECT_EQ(Module()->Unload(), "");
}

TEST_F(EsxNetNetflowTest, SecondProcessOnTheSameSwitchFails)
{
    AddExport();
    Start();
    At(Seconds(1), [this] {
        EXPECT_EQ(Launch("vSwitch0"), "vSwitch vSwitch0 is already registered for NetFlow");
    });
    Send(Seconds(2), 1);
    RunUntil(Seconds(20));
    EXPECT_EQ(Records(Move::RECEIVED), 1u) << "the first one suffered";
}

TEST_F(EsxNetNetflowTest, SecondProcessOnAnotherSwitchTakesItsOwnRecords)
{
    esx.AddVSwitch(host, "vSwitch1")->AddPortGroup("Second");
    esx.AddVm(host, "c");
    const Ptr<EsxVnic> c = esx.AddVnic(host, "c", "Second", Address("10.0.1.1"));
    AddExport();
    const Ptr<EsxNetNetflow> first = Start("vSwitch0");
    const Ptr<EsxNetNetflow> second = Start("vSwitch1");
    second->SetStartTime(MilliSeconds(500));
    Send(Seconds(1), 1);
    At(Seconds(1), [&] { c->Send(MakePacket(2, 100), Mac48Address::GetBroadcast(), IPV4); });
    RunUntil(Seconds(20));
    ASSERT_EQ(read.size(), 2u);
    EXPECT_EQ(read[0].engine, 2u); // polled at 16.5 s
    EXPECT_EQ(read[0].records[0].sourcePort, 2u);
    EXPECT_EQ(read[1].engine, 1u); // polled at 17 s
    EXPECT_EQ(read[1].records[0].sourcePort, 1u);
    EXPECT_EQ(read[1].sequence, 0u);
    EXPECT_EQ(first->GetDatagrams(), 1u);
    EXPECT_EQ(second->GetDatagrams(), 1u);
}

TEST_F(EsxNetNetflowTest, NoVmknicIsAnError)
{
    AddCollector();
    netflow.Install(host);
    Module()->Load();
    EXPECT_EQ(Launch(),
              "no VMkernel interface (vmknic): configure the VMkernel TCP/IP stack first");
    EXPECT_EQ(Module()->Unload(), "") << "something is registered";
}

TEST_F(EsxNetNetflowTest, NoSwitchIsAnError)
{
    AddExport();
    Module()->Load();
    EXPECT_EQ(Launch(""), "no virtual switch given (-e)");
}

TEST_F(EsxNetNetflowTest, WhatItPrintsAtItsEndIsHeard)
{
    AddExport();
    const Ptr<EsxNetNetflow> process = Start("vSwitch9");
    RunUntil(Seconds(1));
    EXPECT_EQ(output, "net-netflow: no such virtual switch: vSwitch9\n");
    EXPECT_FALSE(process->IsRunning());
}

TEST_F(EsxNetNetflowTest, KilledProcessDiscardsWhatIsLiveAndQueued)
{
    netflow.SetNetNetflowAttribute("PollPeriod", TimeValue(Seconds(30)));
    AddExport();
    const Ptr<EsxNetNetflow> process = Start();
    Burst(Seconds(1), 1, 3);    // queued from 16 s on
    Burst(Seconds(15), 101, 2); // live
    process->SetStopTime(Seconds(20));
    Send(Seconds(21), 1);
    RunUntil(Seconds(100));
    EXPECT_FALSE(process->IsRunning());
    EXPECT_EQ(Records(Move::DISCARDED_QUEUED_KILLED), 3u);
    EXPECT_EQ(Records(Move::DISCARDED_KILLED), 2u);
    EXPECT_EQ(Moved(Move::IGNORED_NOT_MONITORED).packets, 1u);
    EXPECT_EQ(Records(Move::SEALED), 0u);
    for (const EsxFlow& flow : books.GetLedger()->GetFlows())
    {
        EXPECT_EQ(flow.losses.at("killed").packets, 1u);
    }
}

TEST_F(EsxNetNetflowTest, RestartCountsFromZeroAndCostsOneSequenceFailureAnEngine)
{
    esx.AddVSwitch(host, "vSwitch1")->AddPortGroup("Second");
    esx.AddVm(host, "c");
    const Ptr<EsxVnic> c = esx.AddVnic(host, "c", "Second", Address("10.0.1.1"));
    AddExport();
    const Ptr<EsxNetNetflow> first = Start("vSwitch0,vSwitch1");
    first->SetStopTime(Seconds(40));
    const auto sendAt = [&](Time at) {
        Burst(at, 1, 4);
        At(at, [&] { c->Send(MakePacket(2, 100), Mac48Address::GetBroadcast(), IPV4); });
    };
    sendAt(Seconds(1));
    sendAt(Seconds(20));
    At(Seconds(50), [this] { EXPECT_EQ(Launch("vSwitch0,vSwitch1"), ""); });
    sendAt(Seconds(51));
    sendAt(Seconds(70));
    RunUntil(Seconds(100));
    std::vector<std::pair<uint16_t, uint32_t>> sequences;
    for (const ReadDatagram& datagram : read)
    {
        sequences.emplace_back(datagram.engine, datagram.sequence);
    }
    EXPECT_EQ(sequences,
              (std::vector<std::pair<uint16_t, uint32_t>>{{1, 0},
                                                          {2, 0},
                                                          {1, 4},
                                                          {2, 1},
                                                          {1, 0},
                                                          {2, 0},
                                                          {1, 4},
                                                          {2, 1}}));
    ASSERT_EQ(collector->GetEngines().size(), 2u);
    for (const auto& [key, engine] : collector->GetEngines())
    {
        EXPECT_EQ(engine.sequenceFailures, 1u);
        EXPECT_EQ(engine.missing, 0u);
    }
}

TEST_F(EsxNetNetflowTest, SequenceAdvancesOverDatagramsNotSent)
{
    AddExport();
    Start();
    Burst(Seconds(1), 1, 3);
    Burst(Seconds(30), 101, 4);
    Burst(Seconds(60), 201, 5);
    const Ptr<Ipv4> ipv4 = host->GetVmkernelNode()->GetObject<Ipv4>();
    At(Seconds(40), [&] { ipv4->SetDown(1); });
    At(Seconds(50), [&] { ipv4->SetUp(1); });
    RunUntil(Seconds(90));
    EXPECT_EQ(Records(Move::SEND_FAILED), 4u);
    ASSERT_EQ(read.size(), 2u);
    EXPECT_EQ(read[1].sequence, 7u);
    EXPECT_EQ(collector->GetTotals().missing, 4u);
}

TEST_F(EsxNetNetflowTest, AtExpiryPurgatoryDropsAreGapsAtTheCollector)
{
    netflow.SetModuleAttribute("PurgatoryMax", UintegerValue(10));
    netflow.SetNetNetflowAttribute("PollPeriod", TimeValue(Seconds(30)));
    netflow.SetNetNetflowAttribute("SequenceMode", EnumValue(netflow::AT_EXPIRY));
    AddExport();
    Start();
    Burst(Seconds(1), 1, 25);
    Burst(Seconds(40), 101, 8);
    Burst(Seconds(70), 201, 8);
    RunUntil(Seconds(130));
    EXPECT_EQ(Records(Move::DROPPED_PURGATORY_FULL), 15u);
    EXPECT_EQ(collector->GetTotals().missing, 15u);
    EXPECT_EQ(collector->GetTotals().sequenceFailures, 1u);
}

TEST_F(EsxNetNetflowTest, InitialSequenceWraps)
{
    netflow.SetNetNetflowAttribute("InitialSequence", UintegerValue(0xfffffffe));
    AddExport();
    Start();
    Burst(Seconds(1), 1, 3);
    Burst(Seconds(20), 101, 1);
    RunUntil(Seconds(50));
    ASSERT_EQ(read.size(), 2u);
    EXPECT_EQ(read[0].sequence, 0xfffffffeu);
    EXPECT_EQ(read[1].sequence, 1u);
    EXPECT_EQ(collector->GetTotals().sequenceFailures, 0u);
}

TEST_F(EsxNetNetflowTest, DatagramsAreFullAtThirtyRecords)
{
    AddExport();
    Start();
    Burst(Seconds(1), 1, 61);
    RunUntil(Seconds(20));
    ASSERT_EQ(read.size(), 3u);
    EXPECT_EQ(read[0].count, 30u);
    EXPECT_EQ(read[1].count, 30u);
    EXPECT_EQ(read[2].count, 1u);
    EXPECT_EQ(read[2].sequence, 60u);
}

TEST_F(EsxNetNetflowTest, SmallMtuMakesSmallerDatagramsAndNoFragments)
{
    AddExport();
    host->GetVmknic("vmk0")->SetMtu(576); // (576 - 52) / 48 = 10 records
    Start();
    Burst(Seconds(1), 1, 25);
    uint32_t largest = 0;
    host->GetVmknic("vmk0")->TraceConnectWithoutContext(
        "MacTx",
        Callback<void, Ptr<const Packet>>(
            [&](Ptr<const Packet> packet) { largest = std::max(largest, packet->GetSize()); }));
    RunUntil(Seconds(20));
    ASSERT_EQ(read.size(), 3u);
    EXPECT_EQ(read[0].count, 10u);
    EXPECT_EQ(largest, 532u); // one IP packet each
}

TEST_F(EsxNetNetflowTest, MtuWithoutRoomForARecordIsAnError)
{
    AddExport();
    Module()->Load();
    host->GetVmknic("vmk0")->SetMtu(99);
    EXPECT_EQ(Launch(), "the MTU of 99 is too small for a NetFlow datagram");
    host->GetVmknic("vmk0")->SetMtu(100);
    EXPECT_EQ(Launch(), "");
}

TEST_F(EsxNetNetflowTest, InterfacesAreLocalPortIds)
{
    AddExport();
    Start();
    Send(Seconds(1), 1);
    RunUntil(Seconds(20));
    ASSERT_EQ(read.size(), 1u);
    EXPECT_EQ(read[0].records[0].input, a->GetPortId());
    EXPECT_EQ(read[0].records[0].output, b->GetPortId());
    EXPECT_EQ(vSwitch->GetPortName(read[0].records[0].input), "a.eth0");
}

TEST_F(EsxNetNetflowTest, AlternatePortIdsCarryTheSwitch)
{
    netflow.SetNetNetflowAttribute("AlternatePortIds", BooleanValue(true));
    AddExport();
    Start();
    Send(Seconds(1), 1);
    RunUntil(Seconds(20));
    ASSERT_EQ(read.size(), 1u);
    EXPECT_EQ(read[0].records[0].input, 512u * vSwitch->GetId() + a->GetPortId());
    EXPECT_EQ(netflow::IfIndexToPort(read[0].records[0].output), b->GetPortId());
}

TEST_F(EsxNetNetflowTest, OwnExportLoopSettlesAtOneRecordAnIdleTimeout)
{
    netflow.SetModuleAttribute("MeterOwnExport", BooleanValue(true));
    AddExport();
    Start();
    Send(Seconds(1), 1);
    RunUntil(Seconds(1600));
    // Each record goes out in one datagram, which is one packet of the next record.
    EXPECT_LE(read.size(), 1600u / 15);
    EXPECT_GE(read.size(), 1500u / 17);
    for (const ReadDatagram& datagram : read)
    {
        EXPECT_EQ(datagram.count, 1u);
    }
    const ReadDatagram::Record& own = read.back().records[0];
    EXPECT_EQ(own.destinationPort, 2055u);
    EXPECT_EQ(own.packets, 1u);
    EXPECT_EQ(own.octets, 28u + 24u + 48u);
    EXPECT_EQ(vSwitch->GetPortName(own.input), "vmk0");
    EXPECT_EQ(vSwitch->GetPortName(own.output), "vmnic0");
}

TEST_F(EsxNetNetflowTest, OwnExportIsNotMeteredIfNotWanted)
{
    AddExport();
    Start();
    Send(Seconds(1), 1);
    RunUntil(Seconds(100));
    EXPECT_EQ(read.size(), 1u);
    EXPECT_EQ(Moved(Move::IGNORED_OWN_EXPORT).packets, 1u);
    EXPECT_EQ(Moved(Move::IGNORED_OWN_EXPORT).octets, 28u + 24u + 48u);
}

TEST_F(EsxNetNetflowTest, RefusalsAreCountedReportedAndDoNotStopIt)
{
    AddExport();
    collector->SetStartTime(Seconds(60));
    const Ptr<EsxNetNetflow> process = Start();
    Send(Seconds(1), 1); // 17 s: port unreachable
    Send(Seconds(2), 2); // 18 s: again
    Send(Seconds(30), 3);
    Send(Seconds(60), 4); // read
    RunUntil(Seconds(90));
    // The collector's ICMP errors cross the vSwitch and are a flow as well: its record is refused
    // once and read once.
    EXPECT_EQ(process->GetLossesNoticed(), 4u);
    EXPECT_EQ(Records(Move::LOST_REFUSED), 4u);
    EXPECT_EQ(Records(Move::RECEIVED), 2u);
    EXPECT_EQ(read.back().records[0].sourcePort, 4u);
    EXPECT_EQ(output,
              "net-netflow: 2 UDP packets to the collector were lost: 2 port unreachable\n"
              "net-netflow: 1 UDP packets to the collector were lost: 1 port unreachable\n"
              "net-netflow: 1 UDP packets to the collector were lost: 1 port unreachable\n");
}

TEST_F(EsxNetNetflowTest, VerboseTellsOfEachDatagram)
{
    netflow.SetNetNetflowAttribute("Verbose", BooleanValue(true));
    AddExport();
    Start();
    Burst(Seconds(1), 1, 2);
    RunUntil(Seconds(20));
    EXPECT_EQ(output, "vSwitch 1: sequence 0, 2 flows, 2 packets, 200 bytes\n");
}

TEST_F(EsxNetNetflowTest, UnixTimeAndUptimeBelongTogether)
{
    AddExport();
    Start();
    Send(Seconds(1), 1);
    RunUntil(Seconds(20));
    ASSERT_EQ(read.size(), 1u);
    EXPECT_EQ(read[0].sysUptime, 17000u);
    EXPECT_EQ(read[0].unixSecs, 1224979200u + 17);
    EXPECT_EQ(read[0].unixNsecs, 0u);
    EXPECT_EQ(read[0].records[0].first, 1000u);
    EXPECT_EQ(read[0].records[0].last, 1000u);
}

class EsxNetNetflowWrapTest : public NetflowTest
{
  protected:
    static constexpr uint64_t WRAP_MS = 1ULL << 32;

    EsxNetNetflowWrapTest()
        : NetflowTest("UptimeAtStart", TimeValue(MilliSeconds(WRAP_MS - 10000)))
    {
    }
};

TEST_F(EsxNetNetflowWrapTest, UptimeWrapsBetweenFirstAndExport)
{
    AddExport();
    Start();
    Send(Seconds(1), 1);
    Send(Seconds(11), 1);
    RunUntil(Seconds(30));
    ASSERT_EQ(read.size(), 1u);
    const ReadDatagram::Record& record = read[0].records[0];
    EXPECT_EQ(record.first, WRAP_MS - 9000);
    EXPECT_EQ(record.last, 1000u);
    EXPECT_EQ(read[0].sysUptime, static_cast<uint32_t>(read[0].at.GetMilliSeconds() - 10000));
    EXPECT_EQ(record.packets, 2u);
    EXPECT_EQ(read[0].unixSecs, 1224979200u + 27); // 11 + 15 s, at the next poll
}

} // namespace
