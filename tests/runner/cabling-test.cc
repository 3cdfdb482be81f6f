// SPDX-License-Identifier: GPL-2.0-only
#include "runner/lab/cabling.h"
#include "tests/runner/scenario-lab.h"

#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

using VlanOrNone = std::optional<uint16_t>;

constexpr Plug UPLINK_END{0, 0};

CableEnd
MakeTrunk(std::vector<uint16_t> allowed, uint16_t native)
{
    CableEnd end;
    end.kind = CableEnd::Kind::Switch;
    end.trunk = true;
    end.untagged = native;
    end.allowed = std::move(allowed);
    return end;
}

TEST(Cabling, AnAccessPortIsInOneVlanWhichItTakesWithATagToo)
{
    CableEnd port;
    port.untagged = 101;
    EXPECT_EQ(port.Ingress(0), VlanOrNone(101));
    EXPECT_EQ(port.Ingress(101), VlanOrNone(101));
    EXPECT_EQ(port.Ingress(102), VlanOrNone());
    EXPECT_EQ(port.Egress(101), VlanOrNone(0));
    EXPECT_EQ(port.Egress(102), VlanOrNone());
}

TEST(Cabling, ATrunkTagsAllButItsNativeVlan)
{
    const CableEnd port = MakeTrunk({1, 101}, 1);
    EXPECT_EQ(port.Ingress(0), VlanOrNone(1));
    EXPECT_EQ(port.Ingress(101), VlanOrNone(101));
    EXPECT_EQ(port.Ingress(102), VlanOrNone());
    EXPECT_EQ(port.Egress(1), VlanOrNone(0));
    EXPECT_EQ(port.Egress(101), VlanOrNone(101));
}

TEST(Cabling, ATrunkWithoutItsNativeVlanDropsFramesWithoutATag)
{
    EXPECT_EQ(MakeTrunk({101}, 1).Ingress(0), VlanOrNone());
}

TEST(Cabling, ATrunkWithoutAListCarriesVlans1To4094)
{
    const CableEnd port = MakeTrunk({}, 1);
    EXPECT_TRUE(port.Has(1) && port.Has(4094));
    EXPECT_FALSE(port.Has(0) || port.Has(4095));
}

TEST(Cabling, EndsAreWhatTheyArePluggedInto)
{
    const Scenario lab = ParseScenario(g_lab, "lab.yaml");
    const Cabling cabling(lab);
    const CableEnd& uplink = cabling.At(UPLINK_END);
    EXPECT_EQ(uplink.kind, CableEnd::Kind::Uplink);
    EXPECT_EQ(uplink.vSwitch->name, "vSwitch0");
    EXPECT_EQ(cabling.At(UPLINK_END.GetOther()).kind, CableEnd::Kind::Switch);
    EXPECT_EQ(cabling.At({2, 0}).kind, CableEnd::Kind::Interface);
    EXPECT_EQ(cabling.GetPlugs(0).size(), 2U); // sw1
    ASSERT_TRUE(cabling.FindUplink(lab.hosts[0], "vmnic0"));
    EXPECT_EQ(cabling.FindUplink(lab.hosts[0], "vmnic0")->link, 0);
    EXPECT_FALSE(cabling.FindUplink(lab.hosts[0], "vmnic1"));
}

TEST(Cabling, ALinkIsCutThatIsDownFromTheFirstMomentToTheLast)
{
    const std::string episode = "{at: 10s, for: 5s, link: trunk, down: true}";
    const auto isCut = [&](const std::string& step) {
        const Scenario lab = ParseScenario(LabWith(episode, step), "lab.yaml");
        return Cabling(lab).IsCut(1);
    };
    EXPECT_FALSE(isCut(episode));
    EXPECT_FALSE(isCut("{at: 10s, link: trunk, down: true}"));
    EXPECT_FALSE(isCut("{at: 0s, for: 59s, link: trunk, down: true}"));
    EXPECT_TRUE(isCut("{at: 0s, for: 60s, link: trunk, down: true}"));
    EXPECT_TRUE(isCut("{at: 0s, link: trunk, down: true}"));
}

} // namespace
} // namespace esxnf
