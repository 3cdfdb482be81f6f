// SPDX-License-Identifier: GPL-2.0-only
#include "esx-fixture.h"

#include "ns3/uinteger.h"

using namespace ns3;

using EsxVmkernelLogTest = EsxTest;

namespace
{

constexpr uint64_t SECOND = 1000000000;

} // namespace

TEST_F(EsxVmkernelLogTest, LineIsThatOfTheServer)
{
    // 2008-11-14 01:15:46 UTC = 1226625346, 2 h 9 min 11.075 s after boot
    host->SetAttribute("Epoch", UintegerValue(1226625346 * SECOND));
    host->SetAttribute("UptimeAtStart", TimeValue(MilliSeconds(7751075)));
    host->GetLog()->Log("StorageMonitor", 196, "text", 1035);
    EXPECT_EQ(host->GetLog()->GetLines().back(),
              "Nov 14 01:15:46 esx vmkernel: 0:02:09:11.075 cpu0:1035)StorageMonitor: 196: text");
}

TEST_F(EsxVmkernelLogTest, WarningStandsBeforeTheModule)
{
    host->SetAttribute("Epoch", UintegerValue(1226625346 * SECOND));
    host->GetLog()->Warning("Heap",
                            1266,
                            "Heap netflow: Maximum allowed growth (24) too small for size (8192)");
    EXPECT_EQ(
        host->GetLog()->GetLines().back(),
        "Nov 14 01:15:46 esx vmkernel: 0:00:00:00.000 cpu0:1024)WARNING: Heap: 1266: Heap netflow: "
        "Maximum allowed growth (24) too small for size (8192)");
}

TEST_F(EsxVmkernelLogTest, DayIsPaddedWithASpace)
{
    EXPECT_EQ(EsxVmkernelLog::FormatDate(1204329599 * SECOND), "Feb 29 23:59:59");
    EXPECT_EQ(EsxVmkernelLog::FormatDate(1204329600 * SECOND), "Mar  1 00:00:00");
    EXPECT_EQ(EsxVmkernelLog::FormatDate(0), "Jan  1 00:00:00");
}

TEST_F(EsxVmkernelLogTest, UptimeIsCutToMilliseconds)
{
    EXPECT_EQ(EsxVmkernelLog::FormatUptime(Time(0)), "0:00:00:00.000");
    EXPECT_EQ(EsxVmkernelLog::FormatUptime(MicroSeconds(1999)), "0:00:00:00.001");
    EXPECT_EQ(EsxVmkernelLog::FormatUptime(MilliSeconds(86399999)), "0:23:59:59.999");
    EXPECT_EQ(EsxVmkernelLog::FormatUptime(Hours(24 * 49) + MilliSeconds(61007)),
              "49:00:01:01.007");
}

TEST_F(EsxVmkernelLogTest, TimeComesFromTheSimulation)
{
    Simulator::Schedule(Seconds(90), [this] { host->GetLog()->Log("NetFlow", 1, "x"); });
    Simulator::Run();
    EXPECT_EQ(host->GetLog()->GetLines().back(),
              "Oct 26 00:01:30 esx vmkernel: 0:00:01:30.000 cpu0:1024)NetFlow: 1: x");
}

TEST_F(EsxVmkernelLogTest, OldestLinesGoAndAllAreTraced)
{
    std::vector<std::string> traced;
    host->GetLog()->SetAttribute("MaxLines", UintegerValue(2));
    host->GetLog()->TraceConnectWithoutContext(
        "Line",
        Callback<void, const std::string&>(
            [&traced](const std::string& line) { traced.push_back(line); }));
    for (uint32_t i = 0; i < 3; ++i)
    {
        host->GetLog()->Log("NetFlow", i, "x");
    }
    EXPECT_EQ(traced.size(), 3u);
    EXPECT_EQ(host->GetLog()->GetNLines(), 3u);
    ASSERT_EQ(host->GetLog()->GetLines().size(), 2u);
    EXPECT_EQ(host->GetLog()->GetLines().front(), traced[1]);
}

TEST_F(EsxVmkernelLogTest, NothingIsWrittenOnceTheHostIsGone)
{
    Ptr<EsxVmkernelLog> log = host->GetLog();
    Simulator::Destroy();
    log->Log("NetFlow", 1, "x");
    EXPECT_EQ(log->GetNLines(), 0u);
}
