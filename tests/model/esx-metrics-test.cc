// SPDX-License-Identifier: GPL-2.0-only
// Metrics and expectations: names, causes, labels, windows, ratios and marks.
#include "netflow-fixture.h"

#include "ns3/names.h"

#include <algorithm>
#include <cmath>

using namespace ns3;
using netflow::Move;

namespace
{

class EsxMetricsTest : public NetflowTest
{
  protected:
    double Read(const EsxMetric& metric) const
    {
        const EsxMetricSample sample = EsxReadMetric(*books.GetLedger(), metric);
        return sample.isRatio ? sample.counter / sample.base : sample.counter;
    }

    /// An expectation that always holds and measures a window.
    static EsxExpectation Window(const EsxMetric& metric, Time from, Time to)
    {
        EsxExpectation expectation;
        expectation.metric = metric;
        expectation.from = from;
        expectation.to = to;
        return expectation;
    }

    std::vector<double> Measured()
    {
        std::vector<double> values;
        for (const EsxVerdict& verdict : books.GetExpectations()->Evaluate())
        {
            values.push_back(verdict.measured);
        }
        return values;
    }
};

TEST_F(EsxMetricsTest, UnknownNamesAndCausesAreToldApart)
{
    EXPECT_EQ(EsxCheckMetric({"netflow.records.dropped", "purgatory_full"}), "");
    EXPECT_EQ(EsxCheckMetric({"netflow.records.dropped"}), "");
    EXPECT_EQ(EsxCheckMetric({"netflow.records.droped"}),
              "unknown metric 'netflow.records.droped'; did you mean 'netflow.records.dropped'?");
    EXPECT_EQ(EsxCheckMetric({"netflow.records.dropped", "no_memory"}),
              "netflow.records.dropped has no cause 'no_memory'; allowed: purgatory_full, evicted");
    EXPECT_EQ(EsxCheckMetric({"netflow.records.sent", "arp"}),
              "netflow.records.sent has no causes");
    EXPECT_NE(EsxCheckMetric({""}), "");
}

TEST_F(EsxMetricsTest, LabelThatCannotSelectAnythingIsAnError)
{
    EXPECT_EQ(EsxCheckMetric({"netflow.records.sent", "", "esx1", "vSwitch0"}), "");
    EXPECT_EQ(EsxCheckMetric({"netflow.records.sent", "", "", "", "ntop"}),
              "netflow.records.sent cannot be selected by node");
    EXPECT_EQ(EsxCheckMetric({"netflow.cache.high_water", "", "esx1"}), "");
    EXPECT_EQ(EsxCheckMetric({"netflow.cache.high_water", "", "", "vSwitch0"}),
              "netflow.cache.high_water cannot be selected by vSwitch");
    EXPECT_EQ(EsxCheckMetric({"collector.records.received", "", "", "", "ntop"}), "");
    EXPECT_EQ(EsxCheckMetric({"collector.records.received", "", "esx1"}),
              "collector.records.received cannot be selected by host");
    EXPECT_EQ(EsxCheckMetric({"collector.records.lost_ratio", "", "esx1", "", "ntop"}), "");
}

TEST_F(EsxMetricsTest, EveryNameIsKnownAndUnique)
{
    std::vector<std::string> names = EsxMetricNames();
    for (const std::string& name : names)
    {
        EXPECT_EQ(EsxCheckMetric({name}), "");
        for (const std::string& cause : EsxMetricCauses(name))
        {
            EXPECT_EQ(EsxCheckMetric({name, cause}), "");
        }
    }
    std::sort(names.begin(), names.end());
    EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
    EXPECT_EQ(EsxMetricCauses("netflow.records.lost").size(), 14u);
}

TEST_F(EsxMetricsTest, CountersSumWhatTheirLabelsSelect)
{
    esx.AddVSwitch(host, "vSwitch1")->AddPortGroup("Second");
    esx.AddVm(host, "c");
    const Ptr<EsxVnic> c = esx.AddVnic(host, "c", "Second", Address("10.0.1.1"));
    Names::Add("ntop", collectorNode);
    AddExport();
    Start("vSwitch0,vSwitch1");
    Burst(Seconds(1), 1, 3);
    At(Seconds(1), [&] { c->Send(MakePacket(2, 100), Mac48Address::GetBroadcast(), IPV4); });
    RunUntil(Seconds(30));
    EXPECT_EQ(Read({"netflow.records.sent"}), 4);
    EXPECT_EQ(Read({"netflow.packets.metered"}), 4);
    EXPECT_EQ(Read({"netflow.octets.metered"}), 400);
    EXPECT_EQ(Read({"netflow.records.ended", "idle"}), 4);
    EXPECT_EQ(Read({"netflow.records.sent", "", "esx1"}), 4);
    EXPECT_EQ(Read({"netflow.records.sent", "", "esx1", "vSwitch1"}), 1);
    EXPECT_DEATH(Read({"netflow.records.sent", "", "esx2"}), "no host esx2");
    EXPECT_EQ(Read({"collector.records.received", "", "", "", "ntop"}), 4);
    EXPECT_EQ(Read({"collector.datagrams.received", "", "", "", "ntop"}), 2);
    EXPECT_DEATH(Read({"collector.records.received", "", "", "", "node0"}),
                 "no collector on node0; allowed: ntop");
    EXPECT_EQ(Read({"netflow.cache.high_water"}), 4);
    EXPECT_EQ(Read({"netflow.purgatory.high_water"}), 4);
}

TEST_F(EsxMetricsTest, HeapIsWhatPurgatoryReservesAndRecordsTake)
{
    AddExport();
    Start();
    books.InstallAll();
    const EsxMetric used{"netflow.heap.used", "", "esx1"};
    books.GetExpectations()->Add(Window(used, Seconds(0), Seconds(2)));
    Burst(Seconds(1), 1, 3);
    RunUntil(Seconds(30)); // the records have expired
    constexpr double PURGATORY = 4096 * 64;
    EXPECT_EQ(Measured(), (std::vector<double>{PURGATORY + 3 * 80}));
    EXPECT_EQ(Read(used), PURGATORY);
    EXPECT_EQ(Read({"netflow.heap.high_water", "", "esx1"}), PURGATORY + 3 * 80);
    EXPECT_DEATH(Read({"netflow.heap.high_water", "", "esx2"}), "no host esx2");
}

TEST_F(EsxMetricsTest, WindowHoldsItsBeginAndNotItsEnd)
{
    AddExport();
    Start();
    books.InstallAll();
    const EsxMetric metered{"netflow.packets.metered"};
    const Ptr<EsxExpectations> expectations = books.GetExpectations();
    expectations->Add(Window(metered, Seconds(2), Seconds(4)));
    expectations->Add(Window(metered, Seconds(0), Seconds(2)));
    expectations->Add(Window(metered, Seconds(4), Time::Max()));
    expectations->Add(Window(metered, Seconds(100), Seconds(200))); // not reached
    for (int second : {1, 2, 3, 4, 5})
    {
        Send(Seconds(second), 1);
    }
    RunUntil(Seconds(10));
    std::vector<double> measured = Measured();
    EXPECT_TRUE(std::isnan(measured.at(3))) << "the run did not come to it";
    measured.pop_back();
    EXPECT_EQ(measured, (std::vector<double>{2, 1, 2}));
}

TEST_F(EsxMetricsTest, LossIsBookedAtTheInstantOfDeath)
{
    AddExport();
    Start("vSwitch0", "10.0.0.77");
    books.InstallAll();
    const Ptr<EsxExpectations> expectations = books.GetExpectations();
    const EsxMetric lost{"netflow.records.lost", "arp"};
    expectations->Add(Window(lost, Seconds(17), Seconds(20))); // sent at 17 s
    expectations->Add(Window(lost, Seconds(20), Seconds(22))); // ARP gives up after 4 s
    Send(Seconds(1), 1);
    RunUntil(Seconds(60));
    EXPECT_EQ(Measured(), (std::vector<double>{0, 1}));
}

TEST_F(EsxMetricsTest, LostRatioIsOfRecordsLostOrReceived)
{
    AddExport();
    Names::Add("ntop", collectorNode);
    collector->SetStopTime(Seconds(50));
    Start();
    books.InstallAll();
    const EsxMetric ratio{"collector.records.lost_ratio", "", "", "", "ntop"};
    const Ptr<EsxExpectations> expectations = books.GetExpectations();
    expectations->Add(Window(ratio, Seconds(0), Seconds(40)));
    expectations->Add(Window(ratio, Seconds(40), Time::Max()));
    expectations->Add(Window(ratio, Seconds(0), Time::Max()));
    expectations->Add(Window(ratio, Seconds(0), Seconds(10))); // neither
    Burst(Seconds(1), 1, 3);
    Burst(Seconds(40), 101, 1); // refused
    RunUntil(Seconds(70));
    std::vector<double> measured = Measured();
    EXPECT_TRUE(std::isnan(measured.at(3))) << "a part of nothing";
    measured.pop_back();
    EXPECT_EQ(measured, (std::vector<double>{0, 1, 0.25}));
    EXPECT_EQ(Read({"collector.records.lost_ratio", "", "esx1"}), 0.25);
}

TEST_F(EsxMetricsTest, LostOctetsRatioWeighsRecordsByTheirOctets)
{
    AddExport();
    Names::Add("ntop", collectorNode);
    collector->SetStopTime(Seconds(50));
    Start();
    for (uint16_t flow : {1, 2, 3})
    {
        Send(Seconds(1), flow, 100);
    }
    Send(Seconds(40), 101, 300); // refused
    RunUntil(Seconds(70));
    EXPECT_EQ(Read({"collector.records.lost_ratio", "", "esx1", "", "ntop"}), 0.25);
    EXPECT_EQ(Read({"collector.octets.lost_ratio", "", "esx1", "", "ntop"}), 0.5);
}

TEST_F(EsxMetricsTest, LostRatioKnowsCollectorsApart)
{
    esx.AddVSwitch(host, "vSwitch1")->AddPortGroup("Second");
    esx.AddVm(host, "c");
    const Ptr<EsxVnic> c = esx.AddVnic(host, "c", "Second", Address("10.0.1.1"));
    const Ptr<Node> other = CreateObject<Node>();
    InternetStackHelper().Install(other);
    Ipv4AddressHelper("10.0.0.0", "255.255.255.0", "0.0.0.8")
        .Assign(csma.Install(other, DynamicCast<CsmaChannel>(wire.Get(0)->GetChannel())));
    netflow.InstallCollector(other).Stop(Seconds(10));
    Names::Add("ntop", collectorNode);
    Names::Add("other", other);
    AddExport();
    Start("vSwitch0");
    Start("vSwitch1", "10.0.0.8");
    Burst(Seconds(1), 1, 3);
    At(Seconds(1), [&] { c->Send(MakePacket(2, 100), Mac48Address::GetBroadcast(), IPV4); });
    RunUntil(Seconds(30));
    EXPECT_EQ(Read({"collector.records.lost_ratio", "", "", "", "ntop"}), 0);
    EXPECT_EQ(Read({"collector.records.lost_ratio", "", "", "", "other"}), 1);
    EXPECT_EQ(Read({"collector.records.lost_ratio"}), 0.25);
}

TEST_F(EsxMetricsTest, MarkIsItsValueAtTheEndOfTheWindow)
{
    AddExport();
    Start();
    books.InstallAll();
    const EsxMetric mark{"netflow.cache.high_water"};
    books.GetExpectations()->Add(Window(mark, Seconds(2), Seconds(4)));
    books.GetExpectations()->Add(Window(mark, Seconds(5), Time::Max()));
    Burst(Seconds(1), 1, 3);
    Burst(Seconds(5), 101, 4);
    RunUntil(Seconds(10));
    EXPECT_EQ(Measured(), (std::vector<double>{3, 7}));
}

TEST_F(EsxMetricsTest, BoundsDecide)
{
    AddExport();
    Start();
    books.InstallAll();
    const Ptr<EsxExpectations> expectations = books.GetExpectations();
    const EsxMetric metered{"netflow.packets.metered"};
    expectations->Equals(metered, 3);
    expectations->AtLeast(metered, 3);
    expectations->AtMost(metered, 3);
    Burst(Seconds(1), 1, 3);
    RunUntil(Seconds(10));
    EXPECT_TRUE(expectations->AllPass());
    expectations->Equals(metered, 2);
    expectations->AtLeast(metered, 3.5);
    expectations->AtMost(metered, 2);
    const std::vector<EsxVerdict> verdicts = expectations->Evaluate();
    ASSERT_EQ(verdicts.size(), 6u);
    for (int i = 0; i < 6; ++i)
    {
        EXPECT_EQ(verdicts[i].pass, i < 3) << i;
        EXPECT_EQ(verdicts[i].measured, 3);
    }
    EXPECT_FALSE(expectations->AllPass());
}

TEST_F(EsxMetricsTest, NothingPassesWhileTheLedgerDoesNotBalance)
{
    AddExport();
    Start();
    books.InstallAll();
    Send(MilliSeconds(500), 1);
    RunUntil(Seconds(1));
    EXPECT_TRUE(books.GetExpectations()->AllPass());
    netflow::Account& account = Module()->GetLedgerToBook().GetAccount(vSwitch->GetId());
    account.Book(Move::RECEIVED, {1, 100, 1});
    EXPECT_FALSE(books.GetExpectations()->AllPass());
    netflow::Counts back;
    back -= {1, 100, 1};
    account.Book(Move::RECEIVED, back);
}

using EsxMetricsDeathTest = EsxMetricsTest;

TEST_F(EsxMetricsDeathTest, ExpectationThatCannotBeMeantAborts)
{
    AddExport();
    books.InstallAll();
    const Ptr<EsxExpectations> expectations = books.GetExpectations();
    EXPECT_DEATH(expectations->AtLeast({"netflow.records.droped"}, 1), "unknown metric");
    EXPECT_DEATH(expectations->AtLeast({"netflow.records.sent", "", "esx9"}, 1), "no host esx9");
    EXPECT_DEATH(expectations->AtLeast({"netflow.records.sent", "", "", "vSwitch9"}, 1),
                 "no vSwitch vSwitch9");
    EXPECT_DEATH(expectations->AtLeast({"collector.records.received", "", "", "", "node0"}, 1),
                 "no collector on node0");
    EXPECT_DEATH(expectations->Add(Window({"netflow.records.sent"}, Seconds(4), Seconds(4))),
                 "window");
}

} // namespace
