// SPDX-License-Identifier: GPL-2.0-only
#include "ns3/esx-host-memory.h"
#include "ns3/esx-host.h"
#include "ns3/simulator.h"
#include "ns3/uinteger.h"

#include <gtest/gtest.h>
#include <vector>

using namespace ns3;

namespace
{

constexpr uint64_t MIB = 1024 * 1024;

/// 10 000 MiB, of which the VMkernel keeps 1000: 1 % is 100 MiB.
class EsxHostMemoryTest : public ::testing::Test
{
  protected:
    EsxHostMemoryTest()
        : memory(CreateObject<EsxHostMemory>())
    {
        memory->SetAttribute("Total", UintegerValue(10000 * MIB));
        memory->SetAttribute("Kernel", UintegerValue(1000 * MIB));
        Reclaim(0, 0);
        memory->TraceConnectWithoutContext(
            "State",
            Callback<void, EsxHostMemory::State, EsxHostMemory::State>(
                [this](EsxHostMemory::State, EsxHostMemory::State to) {
                    changes.push_back({Simulator::Now(), to});
                }));
    }

    ~EsxHostMemoryTest() override
    {
        Simulator::Destroy();
    }

    void Reclaim(uint64_t balloonMib, uint64_t swapMib)
    {
        memory->SetAttribute("BalloonRate", UintegerValue(balloonMib * MIB));
        memory->SetAttribute("SwapRate", UintegerValue(swapMib * MIB));
    }

    void Add(const char* name, uint64_t size, uint64_t reservation, uint64_t touched)
    {
        EXPECT_EQ(memory->AddVirtualMachine(name, size * MIB, reservation * MIB, touched * MIB),
                  "");
    }

    struct Change
    {
        Time at;
        EsxHostMemory::State to;
    };

    Ptr<EsxHostMemory> memory;
    std::vector<Change> changes;
};

TEST_F(EsxHostMemoryTest, FreeIsWhatNobodyHasTouched)
{
    EXPECT_DOUBLE_EQ(memory->GetFreePercent(), 90);
    Add("a", 4000, 2000, 1000); // a reservation that is not touched is free
    EXPECT_DOUBLE_EQ(memory->GetFreePercent(), 80);
    EXPECT_EQ(memory->GetState(), EsxHostMemory::HIGH);
}

TEST_F(EsxHostMemoryTest, StatesBeginBelowFourTwoAndOnePercent)
{
    const auto stateAt = [&](double percent) {
        memory->Release();
        EXPECT_EQ(memory->GetState(), EsxHostMemory::HIGH);
        memory->Hold(percent);
        return memory->GetState();
    };
    EXPECT_EQ(stateAt(6), EsxHostMemory::HIGH);
    EXPECT_EQ(stateAt(4), EsxHostMemory::HIGH);
    EXPECT_EQ(stateAt(3.99), EsxHostMemory::SOFT);
    EXPECT_EQ(stateAt(2), EsxHostMemory::SOFT);
    EXPECT_EQ(stateAt(1.99), EsxHostMemory::HARD);
    EXPECT_EQ(stateAt(1), EsxHostMemory::HARD);
    EXPECT_EQ(stateAt(0.99), EsxHostMemory::LOW);
    EXPECT_EQ(stateAt(0), EsxHostMemory::LOW);
}

TEST_F(EsxHostMemoryTest, AStateIsLeftWhenTheNextHigherThresholdIsSignificantlyExceeded)
{
    const auto holdAt = [&](double percent) {
        memory->Hold(percent);
        return memory->GetState();
    };
    EXPECT_EQ(holdAt(0.5), EsxHostMemory::LOW);
    EXPECT_EQ(holdAt(2.4), EsxHostMemory::LOW);
    EXPECT_EQ(holdAt(2.5), EsxHostMemory::HARD);
    EXPECT_EQ(holdAt(4.4), EsxHostMemory::HARD);
    EXPECT_EQ(holdAt(4.5), EsxHostMemory::SOFT);
    EXPECT_EQ(holdAt(6.4), EsxHostMemory::SOFT);
    EXPECT_EQ(holdAt(6.5), EsxHostMemory::HIGH);
}

TEST_F(EsxHostMemoryTest, HeapsMayGrowInHighAndSoftOnly)
{
    for (const auto& [percent, allowed] :
         std::vector<std::pair<double, bool>>{{50, true}, {3, true}, {1.5, false}, {0.5, false}})
    {
        memory->Hold(percent);
        EXPECT_EQ(memory->IsGrowthAllowed(), allowed) << percent;
    }
}

TEST_F(EsxHostMemoryTest, AGrowingMachineTakesTheHostThroughTheStates)
{
    Add("a", 9000, 0, 8000); // 10 % free
    memory->Grow("a", 9000 * MIB, 100 * MIB);
    Simulator::Run();
    ASSERT_EQ(changes.size(), 3U);
    EXPECT_EQ(changes[0].to, EsxHostMemory::SOFT); // below 4 %: after 600 MiB
    EXPECT_NEAR(changes[0].at.GetSeconds(), 6.1, 0.11);
    EXPECT_EQ(changes[1].to, EsxHostMemory::HARD);
    EXPECT_NEAR(changes[1].at.GetSeconds(), 8.1, 0.11);
    EXPECT_EQ(changes[2].to, EsxHostMemory::LOW);
    EXPECT_NEAR(changes[2].at.GetSeconds(), 9.1, 0.11);
    EXPECT_NEAR(memory->GetFreePercent(), 0, 0.01);
}

TEST_F(EsxHostMemoryTest, ReclamationBringsTheHostBackAndSparesReservations)
{
    Reclaim(16, 64);
    Add("guarded", 4000, 4000, 4000);
    Add("a", 6000, 100, 4000); // 10 % free
    memory->Grow("a", 4900 * MIB, 200 * MIB);
    Simulator::Run();
    EXPECT_EQ(memory->GetState(), EsxHostMemory::HIGH);
    EXPECT_GE(memory->GetFreePercent(), 6.5);
    EXPECT_EQ(memory->GetVirtualMachines()[0].reclaimed, 0U);
    EXPECT_GT(memory->GetVirtualMachines()[1].reclaimed, 0U);
    const bool wasHard = std::any_of(changes.begin(), changes.end(), [](const Change& change) {
        return change.to == EsxHostMemory::HARD;
    });
    EXPECT_TRUE(wasHard); // it grew faster than ballooning takes back
}

TEST_F(EsxHostMemoryTest, WithEverythingReservedTheHostStaysShort)
{
    Reclaim(16, 64);
    Add("a", 8900, 8900, 8000);
    memory->Grow("a", 8900 * MIB, 500 * MIB);
    Simulator::Run(); // ends: nothing moves any more
    EXPECT_EQ(memory->GetState(), EsxHostMemory::HARD);
}

TEST_F(EsxHostMemoryTest, AReservationThatIsNotThereRefusesThePowerOn)
{
    Add("a", 8000, 8000, 0);
    EXPECT_EQ(memory->AddVirtualMachine("b", 2000 * MIB, 1001 * MIB, 0),
              "b: not enough memory for its reservation");
    EXPECT_EQ(memory->AddVirtualMachine("b", 2000 * MIB, 1000 * MIB, 0), "");
}

TEST_F(EsxHostMemoryTest, AnIdleHostCostsNoEvents)
{
    Add("a", 8000, 100, 4000);
    Simulator::Run();
    EXPECT_EQ(Simulator::GetEventCount(), 0U);
}

TEST_F(EsxHostMemoryTest, StateChangesStandInTheVmkernelLog)
{
    const Ptr<Node> node = CreateObject<Node>();
    const Ptr<EsxHost> host = CreateObject<EsxHost>();
    node->AggregateObject(host);
    node->AggregateObject(memory);
    memory->Hold(1.55);
    ASSERT_FALSE(host->GetLog()->GetLines().empty());
    EXPECT_NE(
        host->GetLog()->GetLines().back().find("MemSched: 207: memory state is hard: 1.5% free"),
        std::string::npos);
}

} // namespace
