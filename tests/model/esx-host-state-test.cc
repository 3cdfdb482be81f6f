// SPDX-License-Identifier: GPL-2.0-only
// A host whose vSwitch is deleted while NetFlow is activated on it: unstable, or halted.

#include "console-fixture.h"

#include "ns3/enum.h"

using namespace ns3;
using netflow::Move;

namespace
{

class EsxHostStateTest : public ConsoleTest
{
  protected:
    EsxHostStateTest()
    {
        AddExport();
        esx.AddVSwitch(host, "prod1")->AddPortGroup("Prod");
        host->TraceConnectWithoutContext(
            "StateChanged",
            Callback<void, EsxHost::State>(
                [this](EsxHost::State state) { states.push_back(state); }));
    }

    /// net-netflow runs on vSwitch0 as a daemon; one record is live when the vSwitch is deleted.
    void DeleteMonitored(const std::string& switches = "vSwitch0")
    {
        Module()->Load();
        Do(std::string(DAEMON) + "-e " + switches + " 10.0.0.9");
        Send(Seconds(1), 1);
        At(Seconds(5), [this] { said = Do("esxcfg-vswitch -d vSwitch0; echo after"); });
        RunUntil(Seconds(30));
    }

    std::string StateAttribute() const
    {
        auto state = EnumValue(EsxHost::RUNNING); // a template since ns-3.41
        host->GetAttribute("State", state);
        return state.SerializeToString(EsxHost::GetTypeId().GetAttribute(Index("State")).checker);
    }

    static std::size_t Index(const std::string& name)
    {
        const TypeId type = EsxHost::GetTypeId();
        std::size_t i = 0;
        while (type.GetAttribute(i).name != name)
        {
            ++i;
        }
        return i;
    }

    std::vector<EsxHost::State> states;
    std::string said;
};

TEST_F(EsxHostStateTest, IsRunningAtFirst)
{
    EXPECT_EQ(host->GetState(), EsxHost::RUNNING);
    EXPECT_EQ(StateAttribute(), "Running");
}

TEST_F(EsxHostStateTest, DeletionOfAMonitoredSwitchMakesItUnstable)
{
    DeleteMonitored("vSwitch0,prod1");
    EXPECT_EQ(StateAttribute(), "Unstable");
    EXPECT_EQ(states, std::vector<EsxHost::State>{EsxHost::UNSTABLE});
    EXPECT_EQ(Records(Move::DISCARDED_SWITCH_DELETED), 1u);
    EXPECT_EQ(Logged("WARNING: Host: 301: virtual switch vSwitch0 deleted with NetFlow activated; "
                     "host may be unstable")
                  .size(),
              1u);
    // net-netflow runs on with what is left.
    EXPECT_EQ(console->GetRunning().size(), 1u);
    EXPECT_TRUE(Module()->IsInUse());
    EXPECT_EQ(said,
              "0\nafter\n! esxcfg-vswitch: WARNING: NetFlow is activated on vSwitch0: deleting it "
              "may cause ESX Server to become unstable\n");
}

TEST_F(EsxHostStateTest, DeletionOfAnotherSwitchDoesNot)
{
    Module()->Load();
    Do(std::string(DAEMON) + "-e vSwitch0 10.0.0.9");
    Do("esxcfg-vswitch -d prod1");
    EXPECT_EQ(host->GetState(), EsxHost::RUNNING);
    EXPECT_TRUE(states.empty());
}

TEST_F(EsxHostStateTest, DeletionCanHaltIt)
{
    Module()->SetAttribute("HaltOnDelete", BooleanValue(true));
    Ptr<EsxConsoleSession> other = console->OpenSession();
    Watch(other);
    other->Execute("tail -f /var/log/vmkernel | grep nothing");
    DeleteMonitored("vSwitch0,prod1");
    EXPECT_EQ(StateAttribute(), "Halted");
    EXPECT_EQ(states, std::vector<EsxHost::State>{EsxHost::HALTED});
    EXPECT_EQ(Logged("WARNING: Host: 317: virtual switch vSwitch0 deleted with NetFlow activated; "
                     "host halted")
                  .size(),
              1u);
    EXPECT_TRUE(console->GetRunning().empty());
    EXPECT_FALSE(Module()->IsInUse());
    EXPECT_FALSE(session->IsOpen());
    EXPECT_FALSE(other->IsOpen());
    EXPECT_EQ(finished, std::vector<int>{129});
    EXPECT_EQ(console->GetTranscript().back(), "esx1 has halted");
    EXPECT_EQ(host->GetVSwitch("prod1")->GetNConnected(), 1u); // its internal port
    EXPECT_EQ(Say(console->Execute("ps")), "1\n! esx1 has halted\n");
}

TEST_F(EsxHostStateTest, AHaltEndsNetNetflowOfScriptsToo)
{
    const Ptr<EsxNetNetflow> process = Start();
    At(Seconds(5), [this] { host->Halt("test"); });
    At(Seconds(6), [this] { host->Halt("again"); });
    RunUntil(Seconds(10));
    EXPECT_FALSE(process->IsRunning());
    EXPECT_EQ(process->GetEndedAt(), Seconds(5));
    EXPECT_TRUE(Logged("again").empty());
}

} // namespace
