// SPDX-License-Identifier: GPL-2.0-only
// The ns-3 TestSuite "esx-netflow": that the module is built, linked and at work inside an ns-3
// tree. What each class does is tested by tests/, in the standalone build.

#include "netflow/packet-parser.h"
#include "netflow/v5-codec.h"

#include "ns3/test.h"

#include <vector>

using namespace ns3;

namespace
{

/// The library in the module reads a frame as it does everywhere else.
class FrameIsMeteredTestCase : public TestCase
{
  public:
    FrameIsMeteredTestCase()
        : TestCase("A UDP packet in an 802.1Q frame is metered")
    {
    }

  private:
    void DoRun() override
    {
        const std::vector<uint8_t> frame{
            0x00, 0x50, 0x56, 0x00, 0x00, 0x02,             // destination MAC address
            0x00, 0x50, 0x56, 0x00, 0x00, 0x01,             // source MAC address
            0x81, 0x00, 0x00, 0x65, 0x08, 0x00,             // VLAN 101, IPv4
            0x45, 0x10, 0x00, 0x20, 0x00, 0x00, 0x00, 0x00, // type of service 0x10, 32 octets
            0x40, 0x11, 0x00, 0x00,                         // UDP
            0x0a, 0x00, 0x00, 0x01, 0x0a, 0x00, 0x00, 0x02, // 10.0.0.1 to 10.0.0.2
            0x04, 0x00, 0x08, 0x07, 0x00, 0x0c, 0x00, 0x00, // port 1024 to 2055
            0x01, 0x02, 0x03, 0x04,                         // payload
        };
        const auto size = static_cast<uint32_t>(frame.size());
        const auto packet = netflow::ParseEthernet(frame.data(), size, size);
        NS_TEST_ASSERT_MSG_EQ((packet.verdict == netflow::FrameVerdict::METERABLE),
                              true,
                              netflow::ToString(packet.verdict));
        NS_TEST_EXPECT_MSG_EQ(packet.octets, 32U, "IP total length");
        NS_TEST_EXPECT_MSG_EQ(packet.key.source, 0x0a000001U, "source address");
        NS_TEST_EXPECT_MSG_EQ(packet.key.destination, 0x0a000002U, "destination address");
        NS_TEST_EXPECT_MSG_EQ(packet.key.sourcePort, 1024U, "source port");
        NS_TEST_EXPECT_MSG_EQ(packet.key.destinationPort, 2055U, "destination port");
        NS_TEST_EXPECT_MSG_EQ(unsigned{packet.key.tos}, 0x10U, "type of service");
    }
};

/// Option -p of net-netflow packs switch ID and port into an interface number of NetFlow v5.
class InterfaceNumberTestCase : public TestCase
{
  public:
    InterfaceNumberTestCase()
        : TestCase("Switch ID and port make an interface number")
    {
    }

  private:
    void DoRun() override
    {
        NS_TEST_EXPECT_MSG_EQ(netflow::EncodeIfIndex(3, 13), 1549U, "3 * 512 + 13");
        NS_TEST_EXPECT_MSG_EQ(netflow::IfIndexToSwitch(1549), 3U, "switch ID");
        NS_TEST_EXPECT_MSG_EQ(netflow::IfIndexToPort(1549), 13U, "port");
    }
};

class EsxNetflowTestSuite : public TestSuite
{
  public:
    EsxNetflowTestSuite()
        : TestSuite("esx-netflow", Type::UNIT)
    {
        AddTestCase(new FrameIsMeteredTestCase);
        AddTestCase(new InterfaceNumberTestCase);
    }
};

EsxNetflowTestSuite g_esxNetflowTestSuite;

} // namespace
