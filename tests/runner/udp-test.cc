// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/udp-sender.h"
#include "runner/commands/exit-code.h"
#include "runner/probe/udp-listener.h"

#include "ns3/esx-table.h"

#include <cerrno>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

namespace esxnf
{
namespace
{

using std::chrono::milliseconds;

constexpr milliseconds WAIT{5000}; // on loopback a datagram is there at once
constexpr uint8_t PAYLOAD[] = {1, 2, 3};

/// Exit code with which a callable's UserError would end the program.
template <typename Callable>
int
ExitCodeOf(Callable callable)
{
    try
    {
        callable();
    }
    catch (const UserError& error)
    {
        return ExitCodeOf(error);
    }
    return EXIT_GOOD;
}

/// A port nobody listens on.
Endpoint
ClosedPort()
{
    return UdpListener({"127.0.0.1", 0}).GetLocal();
}

TEST(UdpTest, DatagramsArriveAsSent)
{
    UdpListener listener({"127.0.0.1", 0});
    UdpSender sender(listener.GetLocal());
    EXPECT_TRUE(sender.Send(PAYLOAD, sizeof(PAYLOAD)));
    netflow::UdpDatagram datagram;
    ASSERT_TRUE(listener.Receive(WAIT, datagram));
    EXPECT_EQ(std::string(datagram.data, datagram.data + datagram.size), "\1\2\3");
    EXPECT_EQ(ns3::EsxDotted(datagram.sourceAddress), "127.0.0.1");
    EXPECT_EQ(sender.GetStatistics().sent, 1U);
}

TEST(UdpTest, ASenderKeepsItsSourceAddressAndPort)
{
    UdpListener listener({"127.0.0.1", 0});
    UdpSender sender(listener.GetLocal(), "127.0.0.2");
    netflow::UdpDatagram first;
    netflow::UdpDatagram second;
    sender.Send(PAYLOAD, sizeof(PAYLOAD));
    ASSERT_TRUE(listener.Receive(WAIT, first));
    sender.Send(PAYLOAD, sizeof(PAYLOAD));
    ASSERT_TRUE(listener.Receive(WAIT, second));
    EXPECT_EQ(ns3::EsxDotted(first.sourceAddress), "127.0.0.2");
    EXPECT_EQ(first.sourcePort, second.sourcePort);
}

TEST(UdpTest, RefusalsAreCountedAndSilenceNothing)
{
    const Endpoint target = ClosedPort();
    UdpSender sender(target);
    EXPECT_TRUE(sender.Send(PAYLOAD, sizeof(PAYLOAD)));
    EXPECT_TRUE(sender.Send(PAYLOAD, sizeof(PAYLOAD))); // is told of the first one's refusal
    const auto listener = std::make_unique<UdpListener>(target);
    EXPECT_TRUE(sender.Send(PAYLOAD, sizeof(PAYLOAD)));
    netflow::UdpDatagram datagram;
    EXPECT_TRUE(listener->Receive(WAIT, datagram));
    EXPECT_EQ(sender.GetStatistics().sent, 3U);
    EXPECT_EQ(sender.GetStatistics().refused, 2U);
    EXPECT_EQ(sender.GetStatistics().failed, 0U);
}

TEST(UdpTest, TheLastRefusalIsNoticedToo)
{
    UdpSender sender(ClosedPort());
    sender.Send(PAYLOAD, sizeof(PAYLOAD));
    EXPECT_EQ(sender.GetStatistics().refused, 1U);
    EXPECT_EQ(sender.GetStatistics().refused, 1U); // once
}

TEST(UdpTest, ADatagramTheKernelRefusesIsCountedAndNotFatal)
{
    UdpListener listener({"127.0.0.1", 0});
    UdpSender sender(listener.GetLocal());
    const std::vector<uint8_t> tooLong(65508);
    EXPECT_FALSE(sender.Send(tooLong.data(), tooLong.size()));
    EXPECT_TRUE(sender.Send(PAYLOAD, sizeof(PAYLOAD)));
    EXPECT_EQ(sender.GetStatistics().failed, 1U);
    EXPECT_EQ(sender.GetStatistics().lastError, EMSGSIZE);
}

TEST(UdpTest, ABatchArrivesAsIfSentOneByOne)
{
    // Sizes that can be segments of one buffer, sizes that cannot, and more than one buffer full.
    std::vector<std::size_t> sizes(60, 1464);
    sizes.insert(sizes.end(), {72, 1464, 1464, 120, 168, 72, 72});
    std::vector<std::vector<uint8_t>> payloads;
    std::vector<DatagramView> views;
    for (std::size_t size : sizes)
    {
        payloads.emplace_back(size, static_cast<uint8_t>(payloads.size()));
    }
    for (const auto& payload : payloads)
    {
        views.push_back({payload.data(), payload.size()});
    }
    UdpListener listener({"127.0.0.1", 0});
    UdpSender sender(listener.GetLocal());
    const auto taken = std::make_unique<bool[]>(views.size());
    sender.SendBatch(views.data(), views.size(), taken.get());
    netflow::UdpDatagram datagram;
    for (std::size_t i = 0; i < views.size(); ++i)
    {
        EXPECT_TRUE(taken[i]);
        ASSERT_TRUE(listener.Receive(WAIT, datagram)) << i;
        EXPECT_EQ(std::vector<uint8_t>(datagram.data, datagram.data + datagram.size), payloads[i]);
    }
    EXPECT_EQ(sender.GetStatistics().sent, views.size());
}

TEST(UdpTest, InABatchTheFateOfEachDatagramIsKnown)
{
    const std::vector<uint8_t> good(100);
    const std::vector<uint8_t> tooLong(65508);
    const DatagramView views[] = {{good.data(), good.size()},
                                  {tooLong.data(), tooLong.size()},
                                  {tooLong.data(), tooLong.size()},
                                  {good.data(), good.size()},
                                  {good.data(), good.size()}};
    bool taken[5];
    UdpListener listener({"127.0.0.1", 0});
    UdpSender sender(listener.GetLocal());
    sender.SendBatch(views, 5, taken);
    EXPECT_THAT(taken, testing::ElementsAre(true, false, false, true, true));
    EXPECT_EQ(sender.GetStatistics().sent, 3U);
    EXPECT_EQ(sender.GetStatistics().failed, 2U);
    netflow::UdpDatagram datagram;
    for (int i = 0; i < 3; ++i)
    {
        EXPECT_TRUE(listener.Receive(WAIT, datagram));
    }
}

TEST(UdpTest, ARefusalDoesNotStopABatch)
{
    const Endpoint target = ClosedPort();
    UdpSender sender(target);
    const std::vector<uint8_t> payload(100);
    const DatagramView views[] = {{payload.data(), 100}, {payload.data(), 100}};
    bool taken[2] = {};
    sender.SendBatch(views, 2, taken);
    const auto listener = std::make_unique<UdpListener>(target);
    sender.SendBatch(views, 2, taken);
    EXPECT_THAT(taken, testing::ElementsAre(true, true));
    netflow::UdpDatagram datagram;
    EXPECT_TRUE(listener->Receive(WAIT, datagram));
    EXPECT_TRUE(listener->Receive(WAIT, datagram));
    EXPECT_EQ(sender.GetStatistics().sent, 4U);
    EXPECT_GE(sender.GetStatistics().refused, 1U);
}

TEST(UdpTest, WhatCannotBeResolvedOrOpenedIsTheCollectorsError)
{
    EXPECT_EQ(ExitCodeOf([] { UdpSender({"no.such.host.invalid", 2055}); }), EXIT_COLLECTOR);
    EXPECT_EQ(ExitCodeOf([] {
                  UdpSender({"127.0.0.1", 2055}, "no.such.host.invalid");
              }),
              EXIT_COLLECTOR);
    UdpListener listener({"127.0.0.1", 0});
    EXPECT_EQ(ExitCodeOf([&] { UdpListener second(listener.GetLocal()); }), EXIT_COLLECTOR);
}

TEST(UdpTest, NothingReceivedIsNoError)
{
    UdpListener listener({"127.0.0.1", 0});
    netflow::UdpDatagram datagram;
    EXPECT_FALSE(listener.Receive(milliseconds(0), datagram));
}

TEST(EndpointTest, HostWithAndWithoutPort)
{
    EXPECT_EQ(ParseEndpoint("collector").ToString(), "collector:2055");
    EXPECT_EQ(ParseEndpoint("10.6.125.84:4242").ToString(), "10.6.125.84:4242");
    EXPECT_EQ(ParseListenEndpoint("0").ToString(), "0.0.0.0:0");
    EXPECT_EQ(ParseListenEndpoint("127.0.0.2:65535").ToString(), "127.0.0.2:65535");
}

TEST(EndpointTest, AnythingElseIsAUsageError)
{
    for (const char* text : {"", ":2055", "a:", "a:0", "a:65536", "a:-1", "a:1x", "a:1:2"})
    {
        EXPECT_EQ(ExitCodeOf([&] { ParseEndpoint(text); }), EXIT_USAGE) << text;
    }
    for (const char* text : {"", "a", "127.0.0.1", "a:", "a:65536"})
    {
        EXPECT_EQ(ExitCodeOf([&] { ParseListenEndpoint(text); }), EXIT_USAGE) << text;
    }
}

TEST(PacerTest, DeparturesAreSpreadEvenly)
{
    Pacer pacer(1000);
    const Pacer::TimePoint start{std::chrono::hours(1)};
    const Pacer::TimePoint first = pacer.NextDeparture(start);
    EXPECT_LE(first, start);
    EXPECT_EQ(pacer.NextDeparture(start) - first, milliseconds(1));
    EXPECT_EQ(pacer.NextDeparture(start) - first, milliseconds(2));
}

TEST(PacerTest, OnlyAShortLatenessIsMadeUpFor)
{
    Pacer pacer(1000);
    const Pacer::TimePoint start{std::chrono::hours(1)};
    pacer.NextDeparture(start);
    const Pacer::TimePoint late = start + std::chrono::hours(1);
    EXPECT_EQ(pacer.NextDeparture(late), late - Pacer::BURST);
}

TEST(PacerTest, WithoutARateNothingWaits)
{
    Pacer pacer(0);
    const Pacer::TimePoint start{std::chrono::hours(1)};
    for (int i = 0; i < 100; ++i)
    {
        EXPECT_LE(pacer.NextDeparture(start), start);
    }
}

} // namespace
} // namespace esxnf
