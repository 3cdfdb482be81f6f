// SPDX-License-Identifier: GPL-2.0-only
#include "runner/probe/flow-comparison.h"

#include <gmock/gmock.h>

namespace esxnf
{
namespace
{

using testing::ElementsAre;
using R = DifferenceReason;

const ComparedKey KEY{0x0a000001, 0x0a000002, 6, 1000, 80};

ComparedFlow
Flow(uint64_t packets, uint64_t octets, uint64_t records, std::set<uint8_t> tos = {0})
{
    return {packets, octets, records, 0, std::move(tos)};
}

std::set<R>
Reasons(const ComparedFlow& ours, const ComparedFlow& peer, const LinkOctets& link = {})
{
    const auto differences = CompareFlows({{KEY, ours}}, {{KEY, peer}}, {{KEY, link}});
    return differences.empty() ? std::set<R>{} : differences.at(0).reasons;
}

TEST(FlowComparisonTest, EqualFlowsAreNoDifference)
{
    EXPECT_TRUE(CompareFlows({{KEY, Flow(5, 300, 2)}}, {{KEY, Flow(5, 300, 2)}}, {}).empty());
}

TEST(FlowComparisonTest, OctetsThatArePaddingOrTagsAreExplained)
{
    const LinkOctets link{12, 8};
    EXPECT_THAT(Reasons(Flow(2, 80, 1), Flow(2, 92, 1), link), ElementsAre(R::PADDING_COUNTED));
    EXPECT_THAT(Reasons(Flow(2, 80, 1), Flow(2, 88, 1), link), ElementsAre(R::TAGS_COUNTED));
    EXPECT_THAT(Reasons(Flow(2, 80, 1), Flow(2, 100, 1), link),
                ElementsAre(R::PADDING_COUNTED, R::TAGS_COUNTED));
    EXPECT_THAT(Reasons(Flow(2, 80, 1), Flow(2, 93, 1), link), ElementsAre(R::UNKNOWN));
    EXPECT_THAT(Reasons(Flow(2, 80, 1), Flow(2, 79, 1), link), ElementsAre(R::UNKNOWN));
}

TEST(FlowComparisonTest, MergedTosIsExplained)
{
    EXPECT_THAT(Reasons(Flow(4, 80, 2, {0, 46}), Flow(4, 80, 1, {0})), ElementsAre(R::TOS_MERGED));
    EXPECT_THAT(Reasons(Flow(4, 80, 2, {0, 46}), Flow(4, 80, 2, {0})), ElementsAre(R::TOS_MERGED));
}

TEST(FlowComparisonTest, TosThatIsNotKeptIsExplained)
{
    EXPECT_THAT(Reasons(Flow(4, 80, 1, {46}), Flow(4, 80, 1, {0})), ElementsAre(R::TOS_NOT_KEPT));
    EXPECT_THAT(Reasons(Flow(4, 80, 2, {8, 46}), Flow(4, 80, 1, {0})),
                ElementsAre(R::TOS_MERGED, R::TOS_NOT_KEPT));
    EXPECT_THAT(Reasons(Flow(4, 80, 1, {46}), Flow(4, 80, 1, {8})), ElementsAre(R::UNKNOWN));
    EXPECT_THAT(Reasons(Flow(4, 80, 1, {0}), Flow(4, 80, 1, {8})), ElementsAre(R::UNKNOWN));
    EXPECT_THAT(Reasons(Flow(4, 80, 3, {46}), Flow(4, 80, 1, {0})),
                ElementsAre(R::TOS_NOT_KEPT, R::TIMEOUTS_NOT_APPLIED));
}

TEST(FlowComparisonTest, FewerRecordsThatTimeoutsEndedAreOfALateTimeout)
{
    EXPECT_THAT(Reasons(Flow(9, 360, 3), Flow(9, 360, 2)), ElementsAre(R::LATE_TIMEOUT));
    EXPECT_THAT(Reasons(Flow(9, 360, 4, {0, 46}), Flow(9, 360, 2)), ElementsAre(R::TOS_MERGED));
    EXPECT_THAT(Reasons(Flow(9, 360, 4, {0, 46}), Flow(9, 360, 5)),
                ElementsAre(R::TOS_MERGED, R::UNKNOWN));
}

TEST(FlowComparisonTest, TimeoutsThatWereNotAppliedAreExplained)
{
    EXPECT_THAT(Reasons(Flow(9, 360, 3), Flow(9, 360, 1)), ElementsAre(R::TIMEOUTS_NOT_APPLIED));
    EXPECT_THAT(Reasons(Flow(9, 360, 5, {0, 46}), Flow(9, 360, 1)),
                ElementsAre(R::TOS_MERGED, R::TIMEOUTS_NOT_APPLIED));
}

TEST(FlowComparisonTest, RecordsEndedByTcpAreExplained)
{
    ComparedFlow ours = Flow(9, 360, 1);
    EXPECT_THAT(Reasons(ours, Flow(9, 360, 2)), ElementsAre(R::UNKNOWN));
    ours.tcpFlags = 0x11;
    EXPECT_THAT(Reasons(ours, Flow(9, 360, 2)), ElementsAre(R::TCP_END));
}

TEST(FlowComparisonTest, ARecordForEachPacketOfDnsIsExplained)
{
    ComparedKey dns = KEY;
    dns.protocol = 17;
    dns.sourcePort = 53;
    const auto differences = CompareFlows({{dns, Flow(3, 120, 1)}}, {{dns, Flow(3, 120, 3)}}, {});
    EXPECT_THAT(differences.at(0).reasons, ElementsAre(R::DNS_EACH_PACKET));
}

TEST(FlowComparisonTest, ARecordForEachPacketOfIcmpIsExplained)
{
    ComparedKey icmp = KEY;
    icmp.protocol = 1;
    const auto differences = CompareFlows({{icmp, Flow(3, 120, 1)}}, {{icmp, Flow(3, 120, 3)}}, {});
    EXPECT_THAT(differences.at(0).reasons, ElementsAre(R::ICMP_EACH_PACKET));
    EXPECT_THAT(Reasons(Flow(3, 120, 1), Flow(3, 120, 3)), ElementsAre(R::UNKNOWN));
}

TEST(FlowComparisonTest, ATunnelAndWhatIsInsideAreDecapsulated)
{
    ComparedKey tunnel = KEY;
    tunnel.protocol = 47;
    ComparedFlow inside = Flow(3, 120, 1);
    inside.decapsulated = true;
    ComparedFlow opened;
    opened.decapsulated = true;
    const ComparedFlows ours = {{tunnel, Flow(3, 192, 1)}};
    const ComparedFlows peer = {{tunnel, opened}, {KEY, inside}};
    EXPECT_EQ(CountFlows(peer), 1U);
    const auto differences = CompareFlows(ours, peer, {});
    ASSERT_EQ(differences.size(), 2U);
    EXPECT_THAT(differences[0].reasons, ElementsAre(R::DECAPSULATED));
    EXPECT_THAT(differences[1].reasons, ElementsAre(R::DECAPSULATED));
    EXPECT_THAT(CompareFlows(ours, {{KEY, Flow(3, 120, 1)}}, {}).at(0).reasons,
                ElementsAre(R::UNKNOWN));
}

TEST(FlowComparisonTest, FragmentsThatThePeerJoinsAreExplainedOnBothSides)
{
    ComparedKey fragments = KEY;
    fragments.sourcePort = fragments.destinationPort = 0;
    const ComparedFlows ours = {{KEY, Flow(1, 1500, 1)}, {fragments, Flow(2, 1560, 1)}};
    for (const auto& difference : CompareFlows(ours, {{KEY, Flow(1, 3020, 1)}}, {}))
    {
        EXPECT_THAT(difference.reasons, ElementsAre(R::FRAGMENTS_JOINED));
    }
    ComparedKey elsewhere = KEY;
    elsewhere.source = 1;
    const auto other = CompareFlows({{elsewhere, Flow(1, 1500, 1)}, {fragments, Flow(1, 60, 1)}},
                                    {{elsewhere, Flow(1, 1600, 1)}},
                                    {});
    EXPECT_THAT(other.at(0).reasons, ElementsAre(R::UNKNOWN));
}

TEST(FlowComparisonTest, OtherPacketsHaveNoKnownReason)
{
    EXPECT_THAT(Reasons(Flow(2, 80, 1), Flow(3, 120, 1)), ElementsAre(R::UNKNOWN));
}

TEST(FlowComparisonTest, FlowsOfOneMeterOnlyAreDifferencesInOrder)
{
    ComparedKey later = KEY;
    later.destinationPort = 81;
    const auto differences = CompareFlows({{later, Flow(1, 40, 1)}}, {{KEY, Flow(1, 40, 1)}}, {});
    ASSERT_EQ(differences.size(), 2U);
    EXPECT_EQ(differences[0].key.destinationPort, 80);
    EXPECT_EQ(differences[0].ours.packets, 0U);
    EXPECT_EQ(differences[1].peer.packets, 0U);
    EXPECT_EQ(differences[1].key.ToString(), "tcp 10.0.0.1:1000 > 10.0.0.2:81");
}

TEST(FlowComparisonTest, SumsAreOverAllFlows)
{
    ComparedKey other = KEY;
    other.protocol = 17;
    const ComparedFlow sum = SumFlows({{KEY, Flow(1, 40, 1)}, {other, Flow(2, 60, 2)}});
    EXPECT_EQ(sum.packets, 3U);
    EXPECT_EQ(sum.octets, 100U);
    EXPECT_EQ(sum.records, 3U);
}

} // namespace
} // namespace esxnf
