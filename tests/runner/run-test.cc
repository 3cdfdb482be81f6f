// SPDX-License-Identifier: GPL-2.0-only
// The parts of 'run' that can be looked at without a run.
#include "runner/commands/exit-code.h"
#include "runner/simulation/progress.h"
#include "runner/simulation/real-collectors.h"
#include "scenario-lab.h"

#include "ns3/esx-table.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace esxnf
{
namespace
{

using testing::HasSubstr;

const std::string g_secondHost = R"(  esx2:
    vswitches: {vSwitch0: {uplinks: [vmnic0], portgroups: {Two: {}}}}
    vmknics: {vmk0: {portgroup: Two, address: 10.6.125.12/24}}
nodes:
)";
const std::string g_secondExport =
    "timeline:\n  - {at: 2s, host: esx2, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 "
    "10.6.125.84:2055}\n";

Scenario
TwoHosts()
{
    std::string text = LabWith("nodes:\n", g_secondHost);
    const std::string timeline = "timeline:\n";
    text.replace(text.find(timeline), timeline.size(), g_secondExport);
    return ParseScenario(text, "lab.yaml");
}

/// A listening socket on a free port of loopback.
class Listener
{
  public:
    Listener()
        : m_socket(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0))
    {
        sockaddr_in address = Resolve({"127.0.0.1", 0});
        EXPECT_EQ(bind(m_socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
        socklen_t size = sizeof(address);
        getsockname(m_socket, reinterpret_cast<sockaddr*>(&address), &size);
        m_port = ntohs(address.sin_port);
    }

    ~Listener()
    {
        close(m_socket);
    }

    Endpoint GetEndpoint() const
    {
        return {"127.0.0.1", m_port};
    }

    /// "SOURCE PAYLOAD" of the next datagram, empty if there is none.
    std::string Next() const
    {
        sockaddr_in from = {};
        socklen_t fromSize = sizeof(from);
        char buffer[100];
        const ssize_t size = recvfrom(m_socket,
                                      buffer,
                                      sizeof(buffer),
                                      0,
                                      reinterpret_cast<sockaddr*>(&from),
                                      &fromSize);
        return size < 0 ? ""
                        : ns3::EsxDotted(ntohl(from.sin_addr.s_addr)) + " " +
                              std::string(buffer, static_cast<std::size_t>(size));
    }

  private:
    int m_socket;
    uint16_t m_port{0};
};

std::string
Refusal(const Scenario& scenario, const std::vector<std::string>& to, ExitCode expected)
{
    try
    {
        std::vector<RealTarget> targets;
        for (const std::string& text : to)
        {
            targets.push_back(ParseRealTarget(text));
        }
        RealCollectors(scenario, targets, 0);
    }
    catch (const UserError& error)
    {
        EXPECT_EQ(ExitCodeOf(error), expected);
        return error.what();
    }
    return "none";
}

const ns3::Ipv4Address COLLECTOR("10.6.125.84");

TEST(RealCollectors, EveryExportingHostHasItsOwnSource)
{
    const Listener listener;
    RealCollectors collectors(TwoHosts(), {{"", listener.GetEndpoint()}}, 0);
    collectors.Send("esx1", COLLECTOR, {'a'});
    EXPECT_EQ(listener.Next(), "127.0.0.2 a");
    collectors.Send("esx2", COLLECTOR, {'b'});
    EXPECT_EQ(listener.Next(), "127.0.0.3 b");
    EXPECT_THAT(collectors.Report(), HasSubstr("sent 1 datagrams of esx2 to 127.0.0.1:"));
    EXPECT_THAT(collectors.Report(), HasSubstr("from 127.0.0.3\n"));
}

TEST(RealCollectors, ACollectorsOwnTargetComesFirst)
{
    const Listener own;
    const Listener others;
    const Scenario lab = ParseScenario(g_lab, "lab.yaml");
    RealCollectors collectors(lab, {{"", others.GetEndpoint()}, {"nf1", own.GetEndpoint()}}, 0);
    collectors.Send("esx1", COLLECTOR, {'a'});
    EXPECT_EQ(own.Next(), "127.0.0.2 a");
    EXPECT_EQ(others.Next(), "");
    collectors.Send("esx1", ns3::Ipv4Address("10.6.125.99"), {'b'}); // nobody has this address
    EXPECT_EQ(others.Next(), "127.0.0.2 b");
}

TEST(RealCollectors, WithoutATargetNothingIsSent)
{
    const Listener own;
    const Scenario lab = ParseScenario(g_lab, "lab.yaml");
    RealCollectors collectors(lab, {{"nf1", own.GetEndpoint()}}, 0);
    collectors.Send("esx1", ns3::Ipv4Address("10.6.125.99"), {'b'});
    EXPECT_EQ(own.Next(), "");
}

TEST(RealCollectors, ASourceOfOursIsSentFromWithoutADoubt)
{
    const Listener listener;
    RealCollectors collectors(TwoHosts(),
                              {{"", listener.GetEndpoint()}},
                              0,
                              "",
                              {"esx2=127.0.0.9"});
    collectors.Send("esx2", COLLECTOR, {'b'});
    EXPECT_EQ(listener.Next(), "127.0.0.9 b");
    collectors.Send("esx1", COLLECTOR, {'a'});
    EXPECT_EQ(listener.Next(), "127.0.0.2 a");
    EXPECT_EQ(collectors.GetDoubt(), "");
}

TEST(RealCollectors, TargetsMustFitTheScenario)
{
    const Scenario lab = ParseScenario(g_lab, "lab.yaml");
    EXPECT_THAT(Refusal(lab, {"nf2=127.0.0.1:2055"}, EXIT_USAGE), HasSubstr("did you mean 'nf1'?"));
    EXPECT_THAT(Refusal(lab, {"127.0.0.1:1", "127.0.0.1:2"}, EXIT_USAGE),
                HasSubstr("both 127.0.0.1:1 and 127.0.0.1:2 for all collectors"));
    EXPECT_THAT(Refusal(lab, {"=127.0.0.1:2055"}, EXIT_USAGE), HasSubstr("before '='"));
    EXPECT_THAT(Refusal(lab, {"no-such-host.invalid:2055"}, EXIT_COLLECTOR),
                HasSubstr("no-such-host.invalid"));
}

TEST(Progress, LineHasTimeSpeedAndTimeLeft)
{
    EXPECT_EQ(ProgressLine(ns3::Seconds(15), ns3::Seconds(60), std::chrono::seconds(3)),
              "[#####               ] 15.0 s of 60.0 s, 5 times real time, 9 s left");
}

TEST(Progress, NothingIsForetoldAtTheStart)
{
    EXPECT_EQ(ProgressLine(ns3::Seconds(0), ns3::Seconds(60), std::chrono::seconds(0)),
              "[                    ] 0.0 s of 60.0 s");
    EXPECT_EQ(ProgressLine(ns3::Seconds(60), ns3::Seconds(60), std::chrono::seconds(0)),
              "[####################] 60.0 s of 60.0 s");
}

} // namespace
} // namespace esxnf
