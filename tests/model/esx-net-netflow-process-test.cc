// SPDX-License-Identifier: GPL-2.0-only
// net-netflow's life as an administrator sees it.
#include "console-fixture.h"

using namespace ns3;
using netflow::Move;

namespace
{

class EsxNetNetflowProcessTest : public ConsoleTest
{
  protected:
    EsxNetNetflowProcessTest()
    {
        const Ptr<EsxVSwitch> prod1 = esx.AddVSwitch(host, "prod1");
        prod1->AddPortGroup("Prod");
        esx.AddVm(host, "c");
        c = esx.AddVnic(host, "c", "Prod", Address("10.1.0.1"));
        Prepare();
    }

    /// A packet on each of the two vSwitches.
    void SendOnBoth(Time at, uint16_t sourcePort)
    {
        Send(at, sourcePort);
        At(at, [this, sourcePort] {
            c->Send(MakePacket(sourcePort, 100), Mac48Address::GetBroadcast(), IPV4);
        });
    }

    /// PID of the only net-netflow.
    std::string Pid() const
    {
        return std::to_string(console->GetRunning().at(0).process->GetPid());
    }

    /// Switch IDs of the datagrams read so far.
    std::set<uint16_t> Engines() const
    {
        std::set<uint16_t> engines;
        for (const ReadDatagram& datagram : read)
        {
            engines.insert(datagram.engine);
        }
        return engines;
    }

    Ptr<EsxVnic> c;
};

TEST_F(EsxNetNetflowProcessTest, TheSetOfSwitchesChangesByKillAndRestartOnly)
{
    const std::string both = std::string(DAEMON) + "-e vSwitch0,prod1 10.0.0.9";
    ASSERT_EQ(Do(std::string(DAEMON) + "-e vSwitch0 10.0.0.9"), "0\n");
    SendOnBoth(Seconds(1), 100);
    RunUntil(Seconds(20));
    EXPECT_EQ(Engines(), (std::set<uint16_t>{1}));
    // A second instance cannot add to the set, and takes nothing away from it.
    EXPECT_EQ(Do(both), "1\n! net-netflow: vSwitch vSwitch0 is already registered for NetFlow\n");
    EXPECT_FALSE(Module()->IsRegistered(2));
    EXPECT_TRUE(Module()->IsRegistered(1));
    EXPECT_EQ(Do("kill " + Pid()), "0\n");
    EXPECT_FALSE(Module()->IsRegistered(1));
    EXPECT_EQ(Do(both), "0\n");
    EXPECT_TRUE(Module()->IsRegistered(1) && Module()->IsRegistered(2));
    read.clear();
    SendOnBoth(Seconds(21), 100);
    RunUntil(Seconds(40));
    EXPECT_EQ(Engines(), (std::set<uint16_t>{1, 2}));
    for (const ReadDatagram& datagram : read)
    {
        EXPECT_EQ(datagram.sequence, 0u); // "this completely resets the exporting process"
    }
}

TEST_F(EsxNetNetflowProcessTest, ASmallerSetNeedsARestartToo)
{
    ASSERT_EQ(Do(std::string(DAEMON) + "-e vSwitch0,prod1 10.0.0.9"), "0\n");
    RunUntil(Seconds(1));
    EXPECT_EQ(Do("kill -INT " + Pid() + " && " + DAEMON + "-e prod1 10.0.0.9"), "0\n");
    SendOnBoth(Seconds(2), 100);
    RunUntil(Seconds(20));
    EXPECT_EQ(Engines(), (std::set<uint16_t>{2}));
    EXPECT_EQ(Moved(Move::IGNORED_NOT_MONITORED).packets, 1u + read.size() + 2); // and ARP
}

TEST_F(EsxNetNetflowProcessTest, EverySignalOfKillEndsItAndUnregisters)
{
    for (const char* signal : {"", "-TERM ", "-9 ", "-INT ", "-HUP ", "-SIGKILL ", "-s TERM "})
    {
        ASSERT_EQ(Do(std::string(DAEMON) + "-e vSwitch0 10.0.0.9"), "0\n") << signal;
        EXPECT_EQ(Do("kill " + std::string(signal) + Pid()), "0\n");
        EXPECT_FALSE(Module()->IsInUse()) << signal;
        EXPECT_TRUE(console->GetRunning().empty()) << signal;
    }
}

} // namespace
