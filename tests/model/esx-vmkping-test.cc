// SPDX-License-Identifier: GPL-2.0-only
#include "console-fixture.h"
#include "model/host/esx-icmp.h"

#include "ns3/error-model.h"
#include "ns3/ethernet-header.h"

#include <sstream>

using namespace ns3;

namespace
{

class EsxVmkpingTest : public ConsoleTest
{
  protected:
    EsxVmkpingTest()
    {
        AddVmknic();
    }

    /// Types a line at 1 s and runs to the end. \return what appears
    std::string Ping(const std::string& line)
    {
        At(Seconds(1), [this, line] { Type(line); });
        RunUntil(Seconds(30));
        return screen;
    }
};

/// Replaces the digits of round-trip times, which depend on the network's delays.
std::string
WithoutTimes(std::string text)
{
    for (const char* label : {"time=", "max = "})
    {
        for (std::size_t at = text.find(label); at != std::string::npos; at = text.find(label, at))
        {
            at += std::string(label).size();
            text.erase(at, text.find(" ms", at) - at);
        }
    }
    return text;
}

TEST_F(EsxVmkpingTest, PrintsAnswersAndStatistics)
{
    EXPECT_EQ(WithoutTimes(Ping("vmkping 10.0.0.9")),
              "PING 10.0.0.9 (10.0.0.9): 56 data bytes\n"
              "64 bytes from 10.0.0.9: icmp_seq=0 ttl=64 time= ms\n"
              "64 bytes from 10.0.0.9: icmp_seq=1 ttl=64 time= ms\n"
              "64 bytes from 10.0.0.9: icmp_seq=2 ttl=64 time= ms\n"
              "\n"
              "--- 10.0.0.9 ping statistics ---\n"
              "3 packets transmitted, 3 packets received, 0% packet loss\n"
              "round-trip min/avg/max =  ms\n");
    EXPECT_EQ(finished, std::vector<int>{0});
}

TEST_F(EsxVmkpingTest, TakesNamesCountAndSize)
{
    EXPECT_EQ(WithoutTimes(Ping("vmkping -c1 -s 1000 nf-collector1.mycompany.com")),
              "PING nf-collector1.mycompany.com (10.0.0.9): 1000 data bytes\n"
              "1008 bytes from 10.0.0.9: icmp_seq=0 ttl=64 time= ms\n"
              "\n"
              "--- nf-collector1.mycompany.com ping statistics ---\n"
              "1 packets transmitted, 1 packets received, 0% packet loss\n"
              "round-trip min/avg/max =  ms\n");
}

TEST_F(EsxVmkpingTest, AnAnswerCountsWhenItIsWhole)
{
    EXPECT_EQ(WithoutTimes(Ping("vmkping -c 1 -s 3000 10.0.0.9")),
              "PING 10.0.0.9 (10.0.0.9): 3000 data bytes\n"
              "3008 bytes from 10.0.0.9: icmp_seq=0 ttl=64 time= ms\n"
              "\n"
              "--- 10.0.0.9 ping statistics ---\n"
              "1 packets transmitted, 1 packets received, 0% packet loss\n"
              "round-trip min/avg/max =  ms\n");
}

TEST_F(EsxVmkpingTest, AnAnswerThatLostItsLastFragmentDoesNotCount)
{
    // Three fragments go to the collector and three come back, of which the sixth dies.
    const auto loss = CreateObject<ReceiveListErrorModel>();
    loss->SetList({3}); // from 0, the ARP reply among them
    DynamicCast<CsmaNetDevice>(wire.Get(0))->SetReceiveErrorModel(loss);
    const std::string screenOfOne = Ping("vmkping -c 1 -s 3000 10.0.0.9");
    EXPECT_NE(screenOfOne.find("1 packets transmitted, 0 packets received"), std::string::npos)
        << screenOfOne;
}

TEST_F(EsxVmkpingTest, ABroadcastIsAnsweredFromTheAnswerersOwnAddress)
{
    std::set<std::string> sources;
    for (const Ptr<EsxPort>& port : vSwitch->GetPorts())
    {
        port->TraceConnectWithoutContext(
            "Ingress",
            Callback<void, Ptr<const Packet>>([&sources](Ptr<const Packet> frame) {
                const Ptr<Packet> packet = frame->Copy();
                EthernetHeader ethernet(false);
                packet->RemoveHeader(ethernet);
                Ipv4Header ip;
                if (ethernet.GetLengthType() == IPV4 && packet->RemoveHeader(ip) > 0)
                {
                    std::ostringstream text;
                    text << ip.GetSource();
                    sources.insert(text.str());
                }
            }));
    }
    EsxIcmp::Install(collectorNode);
    const std::string text = Ping("vmkping -c 1 10.0.0.255");
    EXPECT_EQ(sources, (std::set<std::string>{"10.0.0.11", "10.0.0.12", "10.0.0.5", "10.0.0.9"}));
    EXPECT_EQ(text.find("bytes from 10.0.0.255"), std::string::npos) << text;
    EXPECT_NE(text.find("1 packets received"), std::string::npos) << text;
}

TEST_F(EsxVmkpingTest, EndsWithTheLastAnswer)
{
    At(Seconds(1), [this] { Type("vmkping 10.0.0.9"); });
    RunUntil(Seconds(2.9));
    EXPECT_TRUE(session->IsBusy());
    RunUntil(Seconds(3.1));
    EXPECT_FALSE(session->IsBusy());
}

TEST_F(EsxVmkpingTest, NoAnswerIsStatus1)
{
    EXPECT_EQ(Ping("vmkping -c 2 10.0.0.99; echo $?"),
              "PING 10.0.0.99 (10.0.0.99): 56 data bytes\n"
              "\n"
              "--- 10.0.0.99 ping statistics ---\n"
              "2 packets transmitted, 0 packets received, 100% packet loss\n"
              "1\n");
}

TEST_F(EsxVmkpingTest, NoRouteIsTold)
{
    EXPECT_EQ(Ping("vmkping -c 1 192.168.7.7"),
              "PING 192.168.7.7 (192.168.7.7): 56 data bytes\n"
              "! ping: sendto: No route to host\n"
              "\n"
              "--- 192.168.7.7 ping statistics ---\n"
              "1 packets transmitted, 0 packets received, 100% packet loss\n");
}

TEST_F(EsxVmkpingTest, InterruptPrintsStatistics)
{
    At(Seconds(1), [this] { Type("vmkping -c 100 10.0.0.99"); });
    At(Seconds(3.5), [this] { session->Interrupt(); });
    RunUntil(Seconds(30));
    EXPECT_EQ(screen,
              "PING 10.0.0.99 (10.0.0.99): 56 data bytes\n"
              "\n"
              "--- 10.0.0.99 ping statistics ---\n"
              "3 packets transmitted, 0 packets received, 100% packet loss\n");
    EXPECT_EQ(finished, std::vector<int>{130});
}

TEST_F(EsxVmkpingTest, InterruptFromItsOwnOutputIsSafe)
{
    session->TraceConnectWithoutContext(
        "Output",
        Callback<void, const std::string&, bool>([this](const std::string& line, bool) {
            if (line.find("icmp_seq=1") != std::string::npos)
            {
                session->Interrupt();
            }
        }));
    Ping("vmkping 10.0.0.9");
    EXPECT_NE(screen.find("2 packets transmitted, 2 packets received"), std::string::npos);
    EXPECT_EQ(finished, std::vector<int>{130});
}

TEST_F(EsxVmkpingTest, TwoAtOnceReadTheirOwnAnswers)
{
    const Ptr<EsxConsoleSession> other = console->OpenSession();
    Watch(other);
    At(Seconds(1), [this, other] {
        Type("vmkping -c 2 10.0.0.9 | grep packets");
        other->Execute("vmkping -c 2 10.0.0.9 | grep packets");
    });
    RunUntil(Seconds(30));
    EXPECT_EQ(screen,
              "2 packets transmitted, 2 packets received, 0% packet loss\n"
              "2 packets transmitted, 2 packets received, 0% packet loss\n");
}

TEST_F(EsxVmkpingTest, BadValuesAreUsageErrors)
{
    const std::string usage = "! usage: vmkping [-c COUNT] [-s SIZE] HOST\n";
    EXPECT_EQ(Do("vmkping"), "2\n! vmkping: one host to ping\n" + usage);
    EXPECT_EQ(Do("vmkping a b"), "2\n! vmkping: one host to ping\n" + usage);
    EXPECT_EQ(Do("vmkping -c 0 10.0.0.9"), "2\n! vmkping: bad count '0': 1 to 1000000\n" + usage);
    EXPECT_EQ(Do("vmkping -s 65508 10.0.0.9"),
              "2\n! vmkping: bad size '65508': 0 to 65507 octets\n" + usage);
    EXPECT_EQ(Do("vmkping -z 10.0.0.9"), "2\n! vmkping: unknown option -z\n" + usage);
}

} // namespace
