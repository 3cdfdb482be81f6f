// SPDX-License-Identifier: GPL-2.0-only
#include "tests/model/esx-fixture.h"

#include "ns3/esx-injector.h"

#include <deque>

using namespace ns3;

namespace
{

/// Frames that a test lists.
class ListedFrames : public EsxFrameSource
{
  public:
    bool Next(EsxInjectedFrame& frame) override
    {
        if (frames.empty())
        {
            return false;
        }
        frame = frames.front();
        frames.pop_front();
        return true;
    }

    void Add(Time at, uint32_t octets, std::optional<Mac48Address> source = {}, uint32_t target = 0)
    {
        frames.push_back({at, Create<Packet>(octets), 0x0800, target, source});
    }

    std::deque<EsxInjectedFrame> frames;
};

class EsxInjectorTest : public EsxTest
{
  protected:
    EsxInjectorTest()
        : from(AddVm("from")),
          to(AddVm("to")),
          frames(CreateObject<ListedFrames>()),
          injector(CreateObject<EsxInjector>())
    {
        vSwitch->SetTap(&tap);
        vSwitch->GetPort(from->GetPortId())
            ->TraceConnectWithoutContext(
                "Ingress",
                Callback<void, Ptr<const Packet>>([this](Ptr<const Packet> frame) {
                    std::vector<uint8_t> octets(frame->GetSize());
                    frame->CopyData(octets.data(), octets.size());
                    entered.push_back({Simulator::Now(), octets});
                }));
        injector->SetSource(frames);
        injector->SetDevice(from);
        injector->AddTarget(to);
        injector->SetStartTime(Seconds(1));
        from->GetNode()->AddApplication(injector);
    }

    void TearDown() override
    {
        vSwitch->SetTap(nullptr);
        frames = nullptr;
        injector = nullptr;
        EsxTest::TearDown();
    }

    static Mac48Address MacAt(const std::vector<uint8_t>& frame, size_t at)
    {
        Mac48Address address;
        address.CopyFrom(frame.data() + at);
        return address;
    }

    struct Entered
    {
        Time at;
        std::vector<uint8_t> frame;
    };

    Ptr<EsxVnic> from;
    Ptr<EsxVnic> to;
    Ptr<ListedFrames> frames;
    Ptr<EsxInjector> injector;
    std::vector<Entered> entered;
};

TEST_F(EsxInjectorTest, FramesEnterThePortAtTheirTimesAndReachTheTargetsPort)
{
    frames->Add(Seconds(0), 100);
    frames->Add(MilliSeconds(250), 200);
    Simulator::Run();
    ASSERT_EQ(entered.size(), 2U);
    EXPECT_EQ(entered[0].at, Seconds(1));
    EXPECT_EQ(entered[1].at, MilliSeconds(1250));
    ASSERT_EQ(tap.notes.size(), 2U);
    EXPECT_EQ(tap.notes[1].input, from->GetPortId());
    EXPECT_EQ(tap.notes[1].output, to->GetPortId());
    EXPECT_EQ(Counters(to->GetPortId()).framesOut, 2U);
    EXPECT_EQ(Counters(to->GetPortId()).octetsOut, 300U);
    EXPECT_EQ(injector->GetSent(), 2U);
}

TEST_F(EsxInjectorTest, OnlyTheDestinationAddressIsTheInjectors)
{
    const Mac48Address foreign("00:11:22:33:44:55");
    frames->Add(Seconds(0), 100, foreign);
    frames->Add(Seconds(1), 100);
    Simulator::Run();
    ASSERT_EQ(entered.size(), 2U);
    EXPECT_EQ(MacAt(entered[0].frame, 0), Mac48Address::ConvertFrom(to->GetAddress()));
    EXPECT_EQ(MacAt(entered[0].frame, 6), foreign);
    EXPECT_EQ(MacAt(entered[1].frame, 6), Mac48Address::ConvertFrom(from->GetAddress()));
}

TEST_F(EsxInjectorTest, StacksHearOfAllButWhatIsInjected)
{
    frames->Add(Seconds(0), 100);
    const Ptr<EsxVnic> other = AddVm("other");
    Simulator::Schedule(Seconds(2), [&] {
        other->Send(Create<Packet>(50), from->GetAddress(), IPV4);
        other->Send(Create<Packet>(50), to->GetAddress(), IPV4);
        to->Send(Create<Packet>(50), other->GetAddress(), IPV4);
    });
    Simulator::Run();
    EXPECT_EQ(Where(), "from other to"); // what stacks sent, not what was injected
}

TEST_F(EsxInjectorTest, AnswersEnterAtTheTargetInTheContextOfItsNode)
{
    frames->Add(Seconds(0), 100);
    frames->Add(Seconds(0), 200);
    frames->frames.back().isAnswer = true;
    uint32_t context = 0;
    vSwitch->GetPort(to->GetPortId())
        ->TraceConnectWithoutContext("Ingress",
                                     Callback<void, Ptr<const Packet>>([&](Ptr<const Packet>) {
                                         context = Simulator::GetContext();
                                     }));
    Simulator::Run();
    ASSERT_EQ(tap.notes.size(), 2U);
    EXPECT_EQ(tap.notes[1].input, to->GetPortId());
    EXPECT_EQ(tap.notes[1].output, from->GetPortId());
    EXPECT_EQ(context, to->GetNode()->GetId());
    EXPECT_EQ(Where(), "");
}

TEST_F(EsxInjectorTest, FramesGoToTheNextHopsAndNowhereWithoutOne)
{
    const Ptr<EsxVnic> router = AddVm("router");
    const Ptr<EsxVnic> far = AddVm("far");
    const Mac48Address hop = Mac48Address::ConvertFrom(router->GetAddress());
    injector->AddTarget(far, hop, hop);
    injector->AddTarget(far, Mac48Address(), Mac48Address());
    for (const uint32_t target : {1, 1, 2, 2})
    {
        frames->Add(Seconds(0), 100, {}, target);
        frames->frames.back().isAnswer = frames->frames.size() % 2 == 0;
    }
    Simulator::Run();
    ASSERT_EQ(tap.notes.size(), 2U);
    EXPECT_EQ(tap.notes[0].output, router->GetPortId());
    EXPECT_EQ(tap.notes[1].input, far->GetPortId());
    EXPECT_EQ(tap.notes[1].output, router->GetPortId());
    EXPECT_FALSE(injector->HasSentTo(2));
}

TEST_F(EsxInjectorTest, AnAnswerAloneIsNotWhatTheSenderSent)
{
    frames->Add(Seconds(0), 100);
    frames->frames.back().isAnswer = true;
    Simulator::Run();
    EXPECT_EQ(injector->GetSent(), 1U);
    EXPECT_FALSE(injector->HasSentTo(0));
}

TEST_F(EsxInjectorTest, FramesOfOneInstantCostOneEvent)
{
    for (int i = 0; i < 1000; ++i)
    {
        frames->Add(Seconds(0), 100);
    }
    injector->AddTarget(from); // a frame for its own port is dropped: no event for delivery
    for (EsxInjectedFrame& frame : frames->frames)
    {
        frame.target = 1;
    }
    Simulator::Run();
    EXPECT_EQ(injector->GetSent(), 1000U);
    EXPECT_LT(Simulator::GetEventCount(), 10U);
}

TEST_F(EsxInjectorTest, StopEndsTheTrace)
{
    injector->SetStopTime(Seconds(2));
    frames->Add(Seconds(0), 100);
    frames->Add(Seconds(5), 100);
    Simulator::Run();
    EXPECT_EQ(injector->GetSent(), 1U);
}

TEST_F(EsxInjectorTest, DetachedPortTakesNothing)
{
    frames->Add(Seconds(0), 100);
    vSwitch->Disconnect(from->GetPortId());
    Simulator::Run();
    EXPECT_TRUE(tap.notes.empty());
    ASSERT_EQ(drops.size(), 1U);
    EXPECT_EQ(drops[0].cause, EsxDropCause::DISCONNECTED);
    EXPECT_FALSE(injector->HasSentTo(0));
}

TEST_F(EsxInjectorTest, TargetsThatNothingWasSentToAreKnown)
{
    injector->AddTarget(AddVm("third"));
    frames->Add(Seconds(0), 100, {}, 1);
    Simulator::Run();
    EXPECT_FALSE(injector->HasSentTo(0));
    EXPECT_TRUE(injector->HasSentTo(1));
}

} // namespace
