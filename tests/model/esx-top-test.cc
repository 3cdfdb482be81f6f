// SPDX-License-Identifier: GPL-2.0-only
#include "esx-fixture.h"
#include "model/vswitch/esx-vswitch-metrics.h"

#include "ns3/data-rate.h"
#include "ns3/esx-top.h"

using namespace ns3;

namespace
{

class EsxTopTest : public EsxTest
{
  protected:
    static const EsxTopRow& Row(const std::vector<EsxTopRow>& rows, const std::string& usedBy)
    {
        const auto row = std::find_if(rows.begin(), rows.end(), [&](const EsxTopRow& candidate) {
            return candidate.usedBy == usedBy;
        });
        EXPECT_NE(row, rows.end()) << usedBy;
        return *row;
    }

    /// Runs to a time of simulation, when nothing else happens.
    static void RunTo(Time time)
    {
        Simulator::Stop(time - Simulator::Now());
        Simulator::Run();
    }
};

} // namespace

TEST_F(EsxTopTest, RatesAreOverTheIntervalAndAsTheDeviceSeesThem)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    AddUplink();
    EsxTop top(*host);
    for (int i = 0; i < 10; ++i)
    {
        a->Send(Create<Packet>(1000), b->GetAddress(), IPV4);
    }
    a->Send(Create<Packet>(1000), Mac48Address("02:00:00:00:00:99"), IPV4);
    RunTo(Seconds(2));
    const auto rows = top.Sample();
    ASSERT_EQ(rows.size(), 3u) << "no internal port";
    EXPECT_DOUBLE_EQ(Row(rows, "a.eth0").packetsTx, 5.5);
    EXPECT_DOUBLE_EQ(Row(rows, "a.eth0").megabitsTx, 0.044);
    EXPECT_DOUBLE_EQ(Row(rows, "a.eth0").packetsRx, 0);
    EXPECT_DOUBLE_EQ(Row(rows, "b.eth0").packetsRx, 5);
    EXPECT_DOUBLE_EQ(Row(rows, "vmnic0").packetsTx, 0.5);
    EXPECT_TRUE(Row(rows, "vmnic0").uplink);
    EXPECT_EQ(Row(rows, "a.eth0").teamUplink, "vmnic0");
    EXPECT_EQ(Row(rows, "a.eth0").portId, 1u << 24 | a->GetPortId());
    RunTo(Seconds(3));
    EXPECT_DOUBLE_EQ(Row(top.Sample(), "a.eth0").packetsTx, 0) << "nothing since";
}

TEST_F(EsxTopTest, DropsArePercentOfWhatWasWanted)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    b->SetAttribute("Type", StringValue("Vlance"));
    b->SetGuestRate(DataRate("8Mbps"));
    for (int i = 0; i < 40; ++i)
    {
        a->Send(Create<Packet>(100), b->GetAddress(), IPV4);
    }
    for (int i = 0; i < 10; ++i)
    {
        a->Send(Create<Packet>(1501), b->GetAddress(), IPV4);
    }
    RunTo(Seconds(1));
    const auto rows = EsxTop(*host).Sample();
    EXPECT_DOUBLE_EQ(Row(rows, "a.eth0").percentDroppedTx, 20) << "10 of 50";
    EXPECT_DOUBLE_EQ(Row(rows, "b.eth0").percentDroppedRx, 20) << "8 of 40 found the ring full";
    EXPECT_DOUBLE_EQ(Row(rows, "b.eth0").percentDroppedTx, 0);
}

TEST_F(EsxTopTest, TableHasALineForEachPort)
{
    AddVm("a");
    AddUplink();
    host->PowerOff("a");
    const std::string table = EsxTop::Format(EsxTop(*host).Sample());
    EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 3);
    EXPECT_NE(table.find("%DRPTX"), std::string::npos);
    EXPECT_NE(table.find("16777218       N  N  a.eth0"), std::string::npos) << table;
    EXPECT_NE(table.find("16777219       Y  Y  vmnic0"), std::string::npos) << table;
}

TEST_F(EsxTopTest, TextDoesNotFollowTheLocale)
{
    struct Grouping : std::numpunct<char>
    {
        char do_decimal_point() const override
        {
            return ',';
        }

        std::string do_grouping() const override
        {
            return "\3";
        }
    };

    const std::locale before = std::locale::global({std::locale::classic(), new Grouping});
    auto a = AddVm("a");
    EsxTopRow row;
    row.portId = 16777219;
    row.packetsTx = 1234.5;
    const std::string table = EsxTop::Format({row});
    std::locale::global(before);
    EXPECT_NE(table.find("16777219 "), std::string::npos) << table;
    EXPECT_NE(table.find(" 1234.50 "), std::string::npos) << table;
    const std::string port = "connected a.eth0 to VM Network, portID 0x1000002";
    EXPECT_NE(host->GetLog()->GetLines().back().find(port), std::string::npos)
        << host->GetLog()->GetLines().back();
}

using EsxVSwitchMetricsTest = EsxTest;

TEST_F(EsxVSwitchMetricsTest, MetricsAreTheCountersOfAllPorts)
{
    auto a = AddVm("a");
    auto b = AddVm("b");
    Send(a, b->GetAddress(), 100);
    Send(a, b->GetAddress(), 1600);
    Send(a, Mac48Address("02:00:00:00:00:99"), 50);
    const auto read = [this](const std::string& name, const std::string& cause = "") {
        return EsxReadVSwitchMetric(*host, name, cause, "");
    };
    EXPECT_EQ(read("vswitch.frames.in"), 3);
    EXPECT_EQ(read("vswitch.octets.in"), 1750);
    EXPECT_EQ(read("vswitch.frames.accepted"), 2);
    EXPECT_EQ(read("vswitch.octets.accepted"), 150);
    EXPECT_EQ(read("vswitch.frames.out"), 1);
    EXPECT_EQ(read("vswitch.octets.out"), 100);
    EXPECT_EQ(read("vswitch.frames.dropped"), 2);
    EXPECT_EQ(read("vswitch.frames.dropped", "oversize"), 1);
    EXPECT_EQ(read("vswitch.frames.dropped", "no_uplink"), 1);
    EXPECT_EQ(EsxReadVSwitchMetric(*host, "vswitch.frames.in", "", "vSwitch1"), 0);
    host->RemoveVSwitch("vSwitch0");
    EXPECT_EQ(read("vswitch.frames.in"), 3) << "a deleted vSwitch keeps its counts";
}
