// SPDX-License-Identifier: GPL-2.0-only
// NS_LOG of the module, by component and level.
#include "netflow-fixture.h"

#include "ns3/log.h"

#include <iostream>
#include <sstream>

using namespace ns3;

namespace
{

const char* const COMPONENTS[] = {"EsxNetflow",
                                  "EsxNetNetflow",
                                  "EsxNetflowCollector",
                                  "EsxExportTracker",
                                  "EsxLedger",
                                  "EsxVSwitchForwarding"};

class EsxLoggingTest : public NetflowTest
{
  protected:
    /// The log of a run with losses at a level.
    std::string LoggedAt(LogLevel level)
    {
        for (const char* component : COMPONENTS)
        {
            LogComponentEnable(component, level);
        }
        std::ostringstream text;
        std::streambuf* const former = std::clog.rdbuf(text.rdbuf());
        netflow.SetModuleAttribute("PurgatoryMax", UintegerValue(2));
        AddExport();
        Start();
        Start("vSwitch9");
        Burst(Seconds(1), 1, 5);
        At(Seconds(30), [this] { a->Send(MakePacket(9, 1600), b->GetAddress(), IPV4); });
        RunUntil(Seconds(40));
        std::clog.rdbuf(former);
        for (const char* component : COMPONENTS)
        {
            LogComponentDisable(component, LOG_LEVEL_ALL);
        }
        return text.str();
    }
};

TEST_F(EsxLoggingTest, NothingUnlessAsked)
{
    EXPECT_EQ(LoggedAt(LOG_NONE), "");
}

TEST_F(EsxLoggingTest, WarningsAreRefusalsAndAFullPurgatory)
{
    const std::string text = LoggedAt(LOG_LEVEL_WARN);
    EXPECT_NE(text.find("net-netflow of host esx1: cannot start: no such virtual switch: vSwitch9"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("host esx1: purgatory is full"), std::string::npos) << text;
    EXPECT_EQ(text.find("polls"), std::string::npos) << text;
}

TEST_F(EsxLoggingTest, InformationIsLoadsPollsAndDatagrams)
{
    const std::string text = LoggedAt(LOG_LEVEL_INFO);
    for (const char* line : {"host esx1: module loaded",
                             "host esx1: enabled on vSwitch0",
                             "net-netflow of host esx1: started for vSwitch0, to 10.0.0.9:2055",
                             "net-netflow of host esx1: polls 2 records",
                             "net-netflow of host esx1: datagram 0, 2 records, to 10.0.0.9",
                             "read 2 records of engine 1 of 10.0.0.5, sequence 0",
                             "1 hosts with NetFlow, 1 collectors"})
    {
        EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
    }
    EXPECT_EQ(text.find("ended (idle)"), std::string::npos) << text;
}

TEST_F(EsxLoggingTest, LogicIsDecisionsAndDropsWithTheirCause)
{
    const std::string text = LoggedAt(LOG_LEVEL_LOGIC);
    for (const char* line : {"ended (idle), queued",
                             "ended (idle), dropped_purgatory_full",
                             "vSwitch0: from port",
                             "vSwitch0: dropped at port 3: oversize",
                             "datagram 0 of node 0: received at node1"})
    {
        EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text.substr(0, 5000);
    }
}

} // namespace
