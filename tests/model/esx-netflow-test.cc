// SPDX-License-Identifier: GPL-2.0-only
// The VMkernel module: loading, registration, bounds, and what the host's log says of them.
#include "netflow-fixture.h"
#include "netflow/metering-process.h"

#include "ns3/boolean.h"
#include "ns3/enum.h"
#include "ns3/esx-host-memory.h"

using namespace ns3;
using netflow::Move;

namespace
{

class EsxNetflowTest : public NetflowTest
{
  protected:
    /// Few places in purgatory, and no poll before \p period: ended records pile up.
    Ptr<EsxNetNetflow> SmallPurgatory(uint32_t places, Time period)
    {
        netflow.SetModuleAttribute("PurgatoryMax", UintegerValue(places));
        netflow.SetNetNetflowAttribute("PollPeriod", TimeValue(period));
        AddExport();
        return Start();
    }
};

TEST_F(EsxNetflowTest, RegistrationNeedsTheModuleLoaded)
{
    AddExport();
    EXPECT_NE(Launch().find("module is not loaded"), std::string::npos);
    RunUntil(Seconds(1));
    Send(Seconds(1), 1);
    RunUntil(Seconds(2));
    EXPECT_EQ(Moved(Move::OFFERED).packets, 0u); // nothing taps
}

TEST_F(EsxNetflowTest, LoadedTwiceIsAnError)
{
    AddExport();
    EXPECT_EQ(Module()->Load(), "");
    EXPECT_NE(Module()->Load(), "");
    EXPECT_TRUE(Module()->IsLoaded());
}

TEST_F(EsxNetflowTest, UnloadIsRefusedWhileInUse)
{
    AddExport();
    ASSERT_EQ(Module()->Load(), "");
    std::vector<uint16_t> ids;
    ASSERT_EQ(Module()->Register({"vSwitch0"}, ids), "");
    EXPECT_EQ(Module()->Unload(), "module netflow is in use");
    EXPECT_TRUE(Module()->IsLoaded());
    Module()->Unregister(ids, netflow::StopCause::KILLED);
    EXPECT_EQ(Module()->Unload(), "");
    EXPECT_FALSE(Module()->IsLoaded());
    EXPECT_NE(Module()->Unload(), "");
}

TEST_F(EsxNetflowTest, RegistrationIsForAllOrNone)
{
    esx.AddVSwitch(host, "vSwitch1");
    AddExport();
    ASSERT_EQ(Module()->Load(), "");
    std::vector<uint16_t> ids;
    EXPECT_EQ(Module()->Register({"vSwitch0", "vSwitch1", "nope"}, ids),
              "no such virtual switch: nope");
    EXPECT_TRUE(ids.empty());
    EXPECT_EQ(Module()->Unload(), "") << "something stayed registered";
    ASSERT_EQ(Module()->Load(), "");
    EXPECT_NE(Module()->Register({"vSwitch0", "vSwitch0"}, ids), "");
    EXPECT_EQ(Module()->Register({"vSwitch0"}, ids), "") << "the first of two stayed registered";
    EXPECT_NE(Module()->Register({"vSwitch1", "vSwitch0"}, ids).find("already registered"),
              std::string::npos);
}

TEST_F(EsxNetflowTest, SwitchMadeAfterTheLoadCanBeMonitored)
{
    AddExport();
    ASSERT_EQ(Module()->Load(), "");
    esx.AddVSwitch(host, "vSwitch1");
    std::vector<uint16_t> ids;
    EXPECT_EQ(Module()->Register({"vSwitch1"}, ids), "");
    EXPECT_EQ(ids, std::vector<uint16_t>{2});
}

TEST_F(EsxNetflowTest, FramesOfSwitchesNotMonitoredAreIgnored)
{
    AddExport();
    ASSERT_EQ(Module()->Load(), "");
    Send(Seconds(1), 1);
    RunUntil(Seconds(2));
    EXPECT_EQ(Moved(Move::OFFERED).packets, 1u);
    EXPECT_EQ(Moved(Move::IGNORED_NOT_MONITORED).packets, 1u);
    EXPECT_EQ(Moved(Move::IGNORED_NOT_MONITORED).octets, 100u);
    EXPECT_EQ(Moved(Move::METERED).packets, 0u);
}

TEST_F(EsxNetflowTest, LedgerAndRecordNumbersOutliveAnUnload)
{
    AddExport();
    const Ptr<EsxNetNetflow> process = Start();
    Send(Seconds(1), 1);
    At(Seconds(2), [&] {
        process->Terminate();
        EXPECT_EQ(Module()->Unload(), "");
    });
    Send(Seconds(3), 2); // nobody watches
    At(Seconds(4), [&] {
        EXPECT_EQ(Module()->Load(), "");
        EXPECT_EQ(Launch(), "");
    });
    Send(Seconds(5), 3);
    RunUntil(Seconds(30));
    EXPECT_EQ(Records(Move::DISCARDED_KILLED), 1u);
    EXPECT_EQ(Records(Move::RECEIVED), 1u);
    EXPECT_EQ(Moved(Move::METERED).packets, 2u);
    std::set<uint64_t> ids;
    books.GetLedger()->ForEachRecord(host,
                                     [&](const netflow::FlowRecord& record,
                                         Move,
                                         const EsxExportDatagram*) { ids.insert(record.id); });
    EXPECT_EQ(ids, (std::set<uint64_t>{0, 1}));
}

TEST_F(EsxNetflowTest, RecordEndsWithinOneScanAfterItsIdleTimeout)
{
    AddExport();
    Start();
    std::vector<std::pair<Time, Move>> ended;
    Module()->TraceConnectWithoutContext("RecordEnded",
                                         Callback<void, const netflow::FlowRecord&, Move>(
                                             [&](const netflow::FlowRecord&, Move station) {
                                                 ended.emplace_back(Simulator::Now(), station);
                                             }));
    Send(MilliSeconds(1003), 1);
    Send(MilliSeconds(1003) + Seconds(15), 2);
    Send(MilliSeconds(1003) + Seconds(15), 1); // exactly the timeout is not longer than it
    RunUntil(Seconds(40));
    ASSERT_EQ(ended.size(), 2u);
    EXPECT_EQ(ended[0].first, MilliSeconds(31010)); // 16.003 + 15 s, at the next multiple of 10 ms
    EXPECT_EQ(ended[0].second, Move::QUEUED);
    EXPECT_EQ(Moved(Move::ENDED_IDLE).packets, 3u);
}

TEST_F(EsxNetflowTest, ActiveFlowIsSplitAfterItsActiveTimeout)
{
    netflow.SetModuleAttribute("ActiveTimeout", TimeValue(Seconds(20)));
    AddExport();
    Start();
    for (int second = 1; second < 25; ++second)
    {
        Send(Seconds(second), 1);
    }
    RunUntil(Seconds(60));
    EXPECT_EQ(Records(Move::ENDED_ACTIVE), 1u);
    EXPECT_EQ(Moved(Move::ENDED_ACTIVE).packets, 21u); // 1 to 21 s
    EXPECT_EQ(Moved(Move::ENDED_IDLE).packets, 3u);
}

TEST_F(EsxNetflowTest, FullPurgatoryLosesExactlyWhatIsTooMuch)
{
    SmallPurgatory(10, Seconds(100));
    Burst(Seconds(1), 1, 25);
    RunUntil(Seconds(150));
    EXPECT_EQ(Records(Move::DROPPED_PURGATORY_FULL), 15u);
    EXPECT_EQ(Records(Move::RECEIVED), 10u);
    EXPECT_EQ(Module()->GetPurgatoryHighWater(), 10u);
    ASSERT_EQ(read.size(), 1u);
    EXPECT_EQ(read[0].records.front().sourcePort, 1u); // tail drop: the first ones got in
}

TEST_F(EsxNetflowTest, HeadDropLosesTheOldest)
{
    netflow.SetModuleAttribute("PurgatoryPolicy", EnumValue(netflow::HEAD_DROP));
    SmallPurgatory(10, Seconds(100));
    Burst(Seconds(1), 1, 25);
    RunUntil(Seconds(150));
    EXPECT_EQ(Records(Move::DROPPED_PURGATORY_HEAD), 15u);
    ASSERT_EQ(read.size(), 1u);
    EXPECT_EQ(read[0].records.front().sourcePort, 16u);
}

TEST_F(EsxNetflowTest, LogSaysPurgatoryIsFullOnceAnEpisodeAndHowMuchItCost)
{
    SmallPurgatory(10, Seconds(30));
    Burst(Seconds(1), 1, 25);    // ends at 16 s: 15 lost before the poll of 30 s
    Burst(Seconds(20), 101, 14); // ends at 35 s: 4 more of the same episode
    Burst(Seconds(95), 201, 11); // ends at 110 s: another episode, as 90 s saw no drop
    RunUntil(Seconds(100));
    EXPECT_EQ(Logged("Maximum purgatory size reached").size(), 1u);
    EXPECT_NE(Logged("WARNING: NetFlow: 412: Maximum purgatory size reached").size(), 0u);
    ASSERT_EQ(Logged("purgatory no longer full").size(), 1u);
    EXPECT_NE(Logged("purgatory no longer full")[0].find("0:00:01:30.000"), std::string::npos);
    EXPECT_NE(Logged("purgatory no longer full")[0].find(": 19 flow records dropped"),
              std::string::npos);
    RunUntil(Seconds(200));
    EXPECT_EQ(Logged("Maximum purgatory size reached").size(), 2u);
    EXPECT_EQ(Logged(": 1 flow records dropped").size(), 1u);
}

TEST_F(EsxNetflowTest, ShrunkHeapShedsNewFlowsAndSaysSo)
{
    AddExport();
    Start();
    Burst(Seconds(1), 1, 5);
    At(Seconds(2), [this] { Module()->SetHeapMax(Module()->GetHeapUsed()); });
    Burst(Seconds(3), 101, 7); // no room
    Burst(Seconds(3), 1, 5);   // live already: counted
    At(Seconds(4), [this] { Module()->SetHeapMax(1 << 20); });
    Burst(Seconds(5), 201, 3);
    RunUntil(Seconds(30));
    EXPECT_EQ(Moved(Move::SHED_NO_MEMORY).packets, 7u);
    EXPECT_EQ(Moved(Move::SHED_NO_MEMORY).octets, 700u);
    EXPECT_EQ(Moved(Move::METERED).packets, 13u);
    EXPECT_EQ(Logged("WARNING: Heap: 1266: Heap netflow: Maximum allowed growth (0) too small for "
                     "size (80)")
                  .size(),
              1u);
}

TEST_F(EsxNetflowTest, FailedAllocationIsLoggedInTwoLinesOfEsx35)
{
    netflow.SetModuleAttribute("PurgatoryMax", UintegerValue(1));
    netflow.SetModuleAttribute("HeapMax", UintegerValue(64 + 80 + 24));
    AddExport();
    Start();
    Burst(Seconds(1), 1, 2);
    RunUntil(Seconds(2));
    EXPECT_EQ(Moved(Move::SHED_NO_MEMORY).packets, 1u);
    ASSERT_EQ(Logged("Heap").size(), 2u);
    EXPECT_NE(Logged("Heap")[0].find("WARNING: Heap: 1266: Heap netflow: Maximum allowed growth "
                                     "(24) too small for size (80)"),
              std::string::npos);
    EXPECT_NE(Logged("Heap")[1].find("WARNING: Heap: 1370: Heap_Align(netflow, 80/80 bytes, 4 "
                                     "align) failed. caller: 0x8fdbd0"),
              std::string::npos);
}

TEST_F(EsxNetflowTest, HeapKeepsItsSizeWhileTheHostIsInHardOrLowState)
{
    const Ptr<EsxHostMemory> memory = CreateObject<EsxHostMemory>();
    host->GetVmkernelNode()->AggregateObject(memory);
    AddExport();
    Start();
    Burst(Seconds(1), 1, 5);
    At(Seconds(2), [&] { memory->Hold(3); }); // soft
    Burst(Seconds(3), 101, 5);
    At(Seconds(4), [&] { memory->Hold(1.5); });  // hard
    Burst(Seconds(5), 201, 7);                   // no room
    Burst(Seconds(5), 1, 5);                     // live already: counted
    Burst(Seconds(25), 301, 12);                 // all ended: as many as ever were live fit
    At(Seconds(26), [&] { memory->Hold(0.5); }); // low
    Burst(Seconds(27), 401, 4);                  // no room
    At(Seconds(28), [&] { memory->Release(); });
    Burst(Seconds(29), 501, 3);
    RunUntil(Seconds(60));
    EXPECT_EQ(Moved(Move::SHED_NO_MEMORY).packets, 7u + 2u + 4u);
    EXPECT_EQ(Moved(Move::METERED).packets, 5u + 5u + 5u + 10u + 3u);
    EXPECT_NE(Logged("Heap: 1266")[0].find("Maximum allowed growth (0)"), std::string::npos);
}

TEST_F(EsxNetflowTest, HeapTooSmallForPurgatoryFailsTheLoad)
{
    netflow.SetModuleAttribute("HeapMax", UintegerValue(1000));
    AddExport();
    EXPECT_EQ(Module()->Load(), "not enough heap for purgatory: 262144 octets wanted, 1000 left");
    EXPECT_FALSE(Module()->IsLoaded());
    EXPECT_EQ(Module()->GetHeapUsed(), 0u);
}

TEST_F(EsxNetflowTest, BoundedCacheFollowsItsPolicy)
{
    netflow.SetModuleAttribute("MaxEntries", UintegerValue(3));
    netflow.SetModuleAttribute("CachePolicy", EnumValue(netflow::EVICT_OLDEST_DROP));
    AddExport();
    Start();
    Burst(Seconds(1), 1, 5);
    RunUntil(Seconds(30));
    EXPECT_EQ(Records(Move::DROPPED_EVICTED), 2u);
    EXPECT_EQ(Records(Move::RECEIVED), 3u);
    EXPECT_EQ(Module()->GetCacheHighWater(), 3u);
}

TEST_F(EsxNetflowTest, DeletedSwitchIsDiscardedAndWarnedOf)
{
    netflow.SetModuleAttribute("IdleTimeout", TimeValue(Seconds(2)));
    netflow.SetNetNetflowAttribute("PollPeriod", TimeValue(Seconds(4)));
    AddExport();
    const Ptr<EsxNetNetflow> process = Start();
    Send(Seconds(1), 1);         // ended at 3 s, queued until the poll of 4 s
    Send(MilliSeconds(3200), 2); // live
    At(MilliSeconds(3500), [this] { host->RemoveVSwitch("vSwitch0"); });
    Send(Seconds(5), 3); // the guest's vNIC has no switch any more
    At(Seconds(20), [&] { process->Terminate(); });
    RunUntil(Seconds(30));
    EXPECT_EQ(Records(Move::DISCARDED_QUEUED_SWITCH_DELETED), 1u);
    EXPECT_EQ(Records(Move::DISCARDED_SWITCH_DELETED), 1u);
    EXPECT_EQ(Records(Move::SEALED), 0u);
    EXPECT_EQ(
        Logged("WARNING: Host: 301: virtual switch vSwitch0 deleted with NetFlow activated").size(),
        1u);
    EXPECT_EQ(Module()->Unload(), "");
}

TEST_F(EsxNetflowTest, DeletingASwitchThatIsNotMonitoredIsNoEvent)
{
    AddExport();
    ASSERT_EQ(Module()->Load(), "");
    Send(Seconds(1), 1);
    At(Seconds(2), [this] { host->RemoveVSwitch("vSwitch0"); });
    RunUntil(Seconds(3));
    EXPECT_TRUE(Logged("deleted").empty());
}

TEST_F(EsxNetflowTest, FrameThatIsNotIpv4IsIgnoredWithItsReason)
{
    AddExport();
    Start();
    At(Seconds(1), [this] { a->Send(Create<Packet>(50), b->GetAddress(), 0x86dd); });
    At(Seconds(1), [this] { a->Send(Create<Packet>(50), b->GetAddress(), 0x88cc); });
    RunUntil(Seconds(2));
    EXPECT_EQ(Moved(Move::IGNORED_NOT_IPV4).packets, 2u);
    EXPECT_EQ(Moved(Move::IGNORED_NOT_IPV4).octets, 100u);
}

TEST_F(EsxNetflowTest, TcpFlagsBehindLongIpOptionsAreRead)
{
    AddExport();
    Start();
    // 60 octets of IP header: the flags lie beyond what is usually parsed at once.
    std::vector<uint8_t> octets(60 + 20, 1);
    const uint8_t fixed[] = {0x4f, 0, 0, 80, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 11, 192, 0, 2, 1};
    std::copy(std::begin(fixed), std::end(fixed), octets.begin());
    octets[60] = 0x12;
    octets[61] = 0x34;
    octets[73] = 0x12; // SYN, ACK
    At(Seconds(1),
       [&] { a->Send(Create<Packet>(octets.data(), octets.size()), b->GetAddress(), IPV4); });
    RunUntil(Seconds(20));
    ASSERT_EQ(read.size(), 1u);
    EXPECT_EQ(read[0].records[0].sourcePort, 0x1234);
    EXPECT_EQ(read[0].records[0].tcpFlags, 0x12);
    EXPECT_EQ(read[0].records[0].octets, 80u);
}

class EsxNetflow3iTest : public NetflowTest
{
  protected:
    EsxNetflow3iTest()
        : NetflowTest("Edition", EnumValue(EsxHost::ESX3I))
    {
    }
};

TEST_F(EsxNetflow3iTest, ThereIsNoNetflow)
{
    AddExport();
    EXPECT_EQ(Module()->Load(), "NetFlow is not supported on ESX Server 3i");
    EXPECT_FALSE(Module()->IsLoaded());
}

} // namespace
