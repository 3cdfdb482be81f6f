// SPDX-License-Identifier: GPL-2.0-only
// Export and pings to addresses where no collector can be.
#include "console-fixture.h"

using namespace ns3;

namespace
{

using netflow::Move;

struct Odd
{
    const char* address;
    Move fate; //!< of what is exported there
};

class EsxOddDestinationsTest : public LabTest<ConsoleLab>, public ::testing::WithParamInterface<Odd>
{
};

TEST_P(EsxOddDestinationsTest, ExportToIt)
{
    AddVmknic();
    netflow.Install(host);
    Start("vSwitch0", GetParam().address);
    Send(Seconds(1), 1);
    RunUntil(Seconds(60));
    ASSERT_GE(Datagrams().size(), 1u); // a guest that refuses answers, which is a flow as well
    EXPECT_EQ(Records(GetParam().fate), Records(Move::SEALED));
    EXPECT_EQ(Datagrams()[0].fate, GetParam().fate);
}

TEST_P(EsxOddDestinationsTest, PingToIt)
{
    AddVmknic();
    At(Seconds(1), [this] { Type(std::string("vmkping -c 1 ") + GetParam().address); });
    RunUntil(Seconds(30));
    EXPECT_NE(screen.find("1 packets transmitted"), std::string::npos) << screen;
    EXPECT_EQ(screen.find("No route to host") != std::string::npos,
              GetParam().fate == Move::SEND_FAILED &&
                  screen.find("bytes from") == std::string::npos)
        << screen;
}

INSTANTIATE_TEST_SUITE_P(All,
                         EsxOddDestinationsTest,
                         ::testing::Values(Odd{"224.0.0.0", Move::SEND_FAILED},
                                           Odd{"224.0.0.1", Move::SEND_FAILED},
                                           Odd{"224.0.0.251", Move::SEND_FAILED},
                                           Odd{"224.0.1.1", Move::SEND_FAILED},
                                           Odd{"239.1.1.1", Move::SEND_FAILED},
                                           Odd{"240.0.0.1", Move::SEND_FAILED},
                                           Odd{"0.0.0.0", Move::SEND_FAILED},
                                           Odd{"255.255.255.255", Move::SEND_FAILED},
                                           Odd{"10.0.0.255", Move::SEND_FAILED},
                                           Odd{"169.254.1.1", Move::SEND_FAILED},
                                           Odd{"10.0.0.0", Move::LOST_ARP},
                                           Odd{"10.0.0.99", Move::LOST_ARP},
                                           Odd{"127.0.0.1", Move::LOST_REFUSED},
                                           Odd{"127.9.9.9", Move::LOST_NO_ROUTE},
                                           Odd{"10.0.0.5", Move::LOST_REFUSED},
                                           Odd{"10.0.0.12", Move::LOST_REFUSED}));

} // namespace
