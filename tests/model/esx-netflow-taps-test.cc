// SPDX-License-Identifier: GPL-2.0-only
#include "esx-fixture.h"
#include "model/netflow/esx-netflow-taps.h"

using namespace ns3;

namespace
{

class EsxNetflowTapsTest : public EsxTest
{
  protected:
    EsxNetflowTapsTest()
        : a(AddVm("a")),
          b(AddVm("b"))
    {
    }

    Ptr<EsxVnic> a;
    Ptr<EsxVnic> b;
    EsxNetflowTaps taps;
};

TEST_F(EsxNetflowTapsTest, FramesCountWhileTheTapIsSet)
{
    Send(a, b->GetAddress());
    taps.Add(vSwitch, &tap);
    EXPECT_EQ(taps.GetAccepted(), 0u) << "accepted before";
    Send(a, b->GetAddress());
    Send(b, a->GetAddress());
    EXPECT_EQ(taps.GetAccepted(), 2u);
    EXPECT_EQ(tap.notes.size(), 2u);
    taps.RemoveAll();
    Send(a, b->GetAddress());
    EXPECT_EQ(taps.GetAccepted(), 2u);
    EXPECT_EQ(tap.notes.size(), 2u);
    EXPECT_TRUE(taps.GetVSwitches().empty());
    taps.Add(vSwitch, &tap);
    Send(a, b->GetAddress());
    EXPECT_EQ(taps.GetAccepted(), 3u) << "of both times";
    taps.RemoveAll();
}

TEST_F(EsxNetflowTapsTest, AForgottenVSwitchKeepsItsFramesAndOthersTheirTaps)
{
    const Ptr<EsxVSwitch> second = host->AddVSwitch("vSwitch1");
    taps.Add(vSwitch, &tap);
    taps.Add(second, &tap);
    EXPECT_EQ(taps.GetVSwitches(), (std::vector<Ptr<EsxVSwitch>>{vSwitch, second}));
    Send(a, b->GetAddress());
    taps.Forget(*vSwitch);
    EXPECT_EQ(taps.GetAccepted(), 1u);
    EXPECT_EQ(taps.GetVSwitches(), std::vector<Ptr<EsxVSwitch>>{second});
    taps.Forget(*vSwitch); // is not known any more
    EXPECT_EQ(taps.GetAccepted(), 1u);
    taps.RemoveAll();
    EXPECT_EQ(second->GetTap(), nullptr);
}

} // namespace
