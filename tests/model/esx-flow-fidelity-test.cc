// SPDX-License-Identifier: GPL-2.0-only
#include "tests/model/esx-fixture.h"

#include "ns3/enum.h"
#include "ns3/esx-event-heap.h"
#include "ns3/esx-injector.h"
#include "ns3/esx-synthetic-flows.h"
#include "ns3/object-factory.h"
#include "ns3/uinteger.h"

using namespace ns3;

namespace
{

/// Four flows of ten packets each, a second apart, from one guest to another one of its vSwitch.
class EsxFlowFidelityTest : public EsxTest
{
  protected:
    EsxFlowFidelityTest()
        : from(AddVm("from")),
          to(AddVm("to")),
          injector(CreateObject<EsxInjector>())
    {
        Simulator::SetScheduler(ObjectFactory("ns3::EsxEventHeap"));
        const auto flows = CreateObject<EsxSyntheticFlows>();
        flows->SetAttribute("Fidelity", EnumValue(EsxSyntheticFlows::FLOW));
        flows->SetAttribute("Flows", UintegerValue(4));
        flows->AddDestination(Ipv4Address("10.0.0.2"));
        injector->SetSource(flows);
        injector->SetDevice(from);
        injector->AddTarget(to);
        injector->SetStartTime(Seconds(1));
        from->GetNode()->AddApplication(injector);
    }

    void TearDown() override
    {
        injector = nullptr;
        EsxTest::TearDown();
    }

    static void RunUntil(Time end)
    {
        Simulator::Stop(end);
        Simulator::Run();
    }

    const EsxPortCounters& At(const Ptr<EsxVnic>& device) const
    {
        return vSwitch->GetPort(device->GetPortId())->GetCounters();
    }

    Ptr<EsxVnic> from;
    Ptr<EsxVnic> to;
    Ptr<EsxInjector> injector;
};

TEST_F(EsxFlowFidelityTest, PacketsThatDecideNothingAreCountedOnly)
{
    RunUntil(Seconds(10));
    EXPECT_EQ(injector->GetSent(), 40U);
    EXPECT_EQ(injector->GetPassed(), 36U) << "all but the last one of each flow, which has FIN";
    EXPECT_EQ(At(from).framesAccepted, 40U);
    EXPECT_EQ(At(to).framesOut, 40U);
    EXPECT_EQ(At(to).octetsOut, 40U * 500);
}

TEST_F(EsxFlowFidelityTest, CountsAreThoseBeforeTheInstantInTheMidstOfAFlow)
{
    RunUntil(Seconds(1) + MilliSeconds(500));
    EXPECT_EQ(At(from).framesIn, 5U) << "9 gaps in a second";
    EXPECT_EQ(At(to).framesOut, 5U);
}

TEST_F(EsxFlowFidelityTest, PacketsThatSomebodySeesAreSent)
{
    uint32_t seen = 0;
    vSwitch->GetPort(to->GetPortId())
        ->TraceConnectWithoutContext(
            "Egress",
            Callback<void, Ptr<const Packet>>([&seen](Ptr<const Packet>) { ++seen; }));
    RunUntil(Seconds(10));
    EXPECT_EQ(seen, 40U);
    EXPECT_EQ(injector->GetPassed(), 0U);
}

TEST_F(EsxFlowFidelityTest, AReceiverThatIsUnpluggedGetsNoMore)
{
    Simulator::Schedule(Seconds(1) + MilliSeconds(500),
                        [this] { vSwitch->Disconnect(to->GetPortId()); });
    RunUntil(Seconds(10));
    EXPECT_EQ(vSwitch->GetPort(to->GetPortId())->GetCounters().framesOut, 5U);
}

} // namespace
