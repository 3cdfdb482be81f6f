// SPDX-License-Identifier: GPL-2.0-only
// Expectations that are no plain metric: conservation, unique interfaces, complaints, logs.
// Windows, bounds and labels are tested with the metrics.
#include "netflow-fixture.h"

#include <cmath>

using namespace ns3;
using netflow::Move;

namespace
{

class EsxExpectationsTest : public NetflowTest
{
  protected:
    Ptr<EsxExpectations> Expect()
    {
        books.InstallAll();
        return books.GetExpectations();
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

    bool Passes(std::size_t index)
    {
        return books.GetExpectations()->Evaluate().at(index).pass;
    }

    /// A second vSwitch. \return a guest's vNIC that has the same local port ID as guest a's: there
    /// is no uplink before it, but another guest
    Ptr<EsxVnic> AddSecondVSwitch()
    {
        esx.AddVSwitch(host, "vSwitch1")->AddPortGroup("Second");
        esx.AddVm(host, "c");
        esx.AddVm(host, "d");
        esx.AddVnic(host, "c", "Second", Address("10.0.1.1"));
        return esx.AddVnic(host, "d", "Second", Address("10.0.1.2"));
    }

    void SendOnBoth(const Ptr<EsxVnic>& other)
    {
        Burst(Seconds(1), 1, 3);
        At(Seconds(1), [this, other] {
            for (int i = 0; i < 2; ++i)
            {
                other->Send(MakePacket(2, 100), Mac48Address::GetBroadcast(), IPV4);
            }
        });
    }
};

TEST_F(EsxExpectationsTest, InterfacesOfTwoVSwitchesAreNotUniqueByLocalPort)
{
    const Ptr<EsxVnic> other = AddSecondVSwitch();
    AddExport();
    Start("vSwitch0,vSwitch1");
    Expect()->UniqueInterfaces();
    books.GetExpectations()->UniqueInterfaces("esx1");
    SendOnBoth(other);
    RunUntil(Seconds(30));
    EXPECT_FALSE(Passes(0));
    EXPECT_FALSE(Passes(1));
    EXPECT_EQ(Measured()[0], 1);
}

TEST_F(EsxExpectationsTest, InterfacesAreUniqueUnderDashP)
{
    const Ptr<EsxVnic> other = AddSecondVSwitch();
    AddExport();
    netflow.SetNetNetflowAttribute("AlternatePortIds", BooleanValue(true));
    Start("vSwitch0,vSwitch1");
    Expect()->UniqueInterfaces();
    SendOnBoth(other);
    RunUntil(Seconds(30));
    EXPECT_EQ(Records(Move::RECEIVED), 4u);
    EXPECT_TRUE(Passes(0));
}

TEST_F(EsxExpectationsTest, InterfacesOfOneVSwitchAreUnique)
{
    AddExport();
    Start();
    Expect()->UniqueInterfaces();
    Burst(Seconds(1), 1, 3);
    RunUntil(Seconds(30));
    EXPECT_TRUE(Passes(0));
}

TEST_F(EsxExpectationsTest, RestartIsTheOneFailureThatIsNoComplaint)
{
    Names::Add("ntop", collectorNode);
    AddExport();
    const Ptr<EsxNetNetflow> first = Start();
    const Ptr<EsxExpectations> expectations = Expect();
    expectations->NoCollectorComplaints();
    expectations->NoCollectorComplaints("ntop");
    expectations->Equals({"collector.sequence.failures"}, 1);
    expectations->Equals({"collector.sequence.restarts", "", "", "", "ntop"}, 1);
    Burst(Seconds(1), 1, 3);
    At(Seconds(30), [&] { first->Terminate(); });
    At(Seconds(31), [&] { EXPECT_EQ(Launch(), ""); });
    Burst(Seconds(40), 1, 3);
    RunUntil(Seconds(70));
    EXPECT_EQ(Measured(), (std::vector<double>{0, 0, 1, 1}));
    EXPECT_TRUE(expectations->AllPass());
}

TEST_F(EsxExpectationsTest, RestartThatTheCollectorDoesNotSeeIsNotPredicted)
{
    AddExport();
    const Ptr<EsxNetNetflow> first = Start();
    const Ptr<EsxExpectations> expectations = Expect();
    expectations->NoCollectorComplaints();
    expectations->Equals({"collector.sequence.restarts"}, 0);
    At(Seconds(5), [&] { first->Terminate(); });
    At(Seconds(6), [&] { EXPECT_EQ(Launch(), ""); }); // the first one had sent nothing
    Burst(Seconds(10), 1, 3);
    RunUntil(Seconds(40));
    EXPECT_TRUE(expectations->AllPass());
}

TEST_F(EsxExpectationsTest, LostDatagramIsAComplaint)
{
    AddExport();
    Start();
    Expect()->NoCollectorComplaints();
    Burst(Seconds(1), 1, 1);
    Burst(Seconds(5), 2, 1);
    Burst(Seconds(9), 3, 1);
    At(Seconds(18), [this] { host->GetUplink("vmnic0")->SetDown(true); });
    At(Seconds(22), [this] { host->GetUplink("vmnic0")->SetDown(false); });
    RunUntil(Seconds(60));
    EXPECT_EQ(Records(Move::LOST_LINK_DOWN), 1u);
    EXPECT_EQ(Measured(), std::vector<double>{1});
    EXPECT_FALSE(Passes(0));
}

TEST_F(EsxExpectationsTest, LogIsSearchedForLinesThatContainAText)
{
    AddExport();
    Start();
    const Ptr<EsxExpectations> expectations = Expect();
    expectations->LogContains("esx1", "NetFlow enabled on vSwitch0");
    expectations->LogAbsent("esx1", "Maximum purgatory size reached");
    expectations->LogContains("esx1", "Maximum purgatory size reached");
    expectations->LogAbsent("esx1", "NetFlow enabled");
    RunUntil(Seconds(10));
    EXPECT_EQ(Measured(), (std::vector<double>{1, 0, 0, 1}));
    EXPECT_TRUE(Passes(0));
    EXPECT_TRUE(Passes(1));
    EXPECT_FALSE(Passes(2));
    EXPECT_FALSE(Passes(3));
}

TEST_F(EsxExpectationsTest, LogOfAWindowHoldsItsLinesOnly)
{
    AddExport();
    Start();
    const Ptr<EsxExpectations> expectations = Expect();
    EsxExpectation late;
    late.metric = {"vmkernel.log.lines", "", "esx1", "", "", "NetFlow enabled"};
    late.from = Seconds(5);
    expectations->Add(late);
    RunUntil(Seconds(10));
    EXPECT_EQ(Measured(), std::vector<double>{0}) << "it was enabled at 0 s";
}

TEST_F(EsxExpectationsTest, WhatMeasuresNothingFails)
{
    AddExport();
    Start();
    const Ptr<EsxExpectations> expectations = Expect();
    EsxExpectation tooLate;
    tooLate.metric = {"netflow.records.dropped"};
    tooLate.from = Seconds(20);
    tooLate.atMost = 0;
    expectations->Add(tooLate);
    expectations->AtMost({"collector.records.lost_ratio"}, 1);
    RunUntil(Seconds(10));
    EXPECT_FALSE(Passes(0));
    EXPECT_FALSE(Passes(1)) << "no record was collected or lost";
    EXPECT_EQ(expectations->Evaluate()[0].why, "the run ended before its time span");
    EXPECT_TRUE(std::isnan(Measured()[1]));
}

TEST_F(EsxExpectationsTest, WhatNothingCouldBreakDoesNotPass)
{
    AddExport();
    const Ptr<EsxExpectations> expectations = Expect();
    expectations->Conservation();
    expectations->UniqueInterfaces();
    expectations->NoCollectorComplaints();
    RunUntil(Seconds(30));
    std::vector<std::string> reasons;
    for (const EsxVerdict& verdict : expectations->Evaluate())
    {
        EXPECT_FALSE(verdict.pass);
        EXPECT_TRUE(std::isnan(verdict.measured));
        reasons.push_back(verdict.why);
    }
    EXPECT_EQ(reasons,
              (std::vector<std::string>{"no frame came to a meter",
                                        "nothing was exported",
                                        "node1 received nothing"}));
}

TEST(EsxExpectationsOfNothingTest, ALedgerWithoutHostsDoesNotPass)
{
    EsxLedgerHelper books;
    books.InstallAll();
    const Ptr<EsxExpectations> expectations = books.GetExpectations();
    EXPECT_FALSE(expectations->AllPass());
    expectations->Conservation();
    expectations->NoCollectorComplaints();
    EXPECT_EQ(expectations->Evaluate()[0].why, "there is no host");
    EXPECT_EQ(expectations->Evaluate()[1].why, "there is no collector");
    Simulator::Destroy();
}

TEST_F(EsxExpectationsTest, ConservationIsTheLedgersResidual)
{
    AddExport();
    Start();
    Expect()->Conservation();
    books.GetExpectations()->Between({"netflow.packets.metered"}, 2, 3);
    Burst(Seconds(1), 1, 3);
    RunUntil(Seconds(5));
    EXPECT_TRUE(books.GetExpectations()->AllPass());
    netflow::Account& account = Module()->GetLedgerToBook().GetAccount(vSwitch->GetId());
    account.Book(Move::RECEIVED, {1, 100, 1});
    EXPECT_FALSE(Passes(0));
    EXPECT_GE(Measured()[0], 102);
    netflow::Counts back;
    back -= {1, 100, 1};
    account.Book(Move::RECEIVED, back);
}

} // namespace
