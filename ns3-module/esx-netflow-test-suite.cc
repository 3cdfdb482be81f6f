// SPDX-License-Identifier: GPL-2.0-only
// The ns-3 TestSuite "esx-netflow": that the module is built, linked and at work inside an ns-3
// tree. What each class does is tested by tests/, in the standalone build.

#include "netflow/ledger.h"
#include "netflow/packet-parser.h"
#include "netflow/v5-codec.h"

#include "ns3/boolean.h"
#include "ns3/csma-helper.h"
#include "ns3/esx-host-helper.h"
#include "ns3/esx-ledger-helper.h"
#include "ns3/esx-netflow-helper.h"
#include "ns3/esx-traffic-helper.h"
#include "ns3/internet-stack-helper.h"
#include "ns3/ipv4-address-helper.h"
#include "ns3/node-container.h"
#include "ns3/simulator.h"
#include "ns3/test.h"

#include <string>
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

/// The whole way: guest, vSwitch, meter, purgatory, net-netflow, vmknic, uplink, wire, collector.
class PacketReachesCollectorTestCase : public TestCase
{
  public:
    PacketReachesCollectorTestCase()
        : TestCase("What a guest sends is exported, collected and balanced")
    {
    }

  private:
    void DoRun() override
    {
        Build();
        EsxLedgerHelper books;
        Ptr<EsxLedger> ledger = books.InstallAll();
        Simulator::Stop(Seconds(30)); // the flow ends at 2 s, its record 15 s later
        Simulator::Run();

        CheckMoved(ledger->GetMoved(netflow::Move::METERED), "metered");
        CheckMoved(ledger->GetMoved(netflow::Move::RECEIVED), "received");
        const EsxCounts residual = ledger->GetResidual();
        NS_TEST_EXPECT_MSG_EQ(residual.packets, 0U, "residual packets");
        NS_TEST_EXPECT_MSG_EQ(residual.octets, 0U, "residual octets");
        NS_TEST_EXPECT_MSG_EQ(residual.records, 0U, "residual records");
        Simulator::Destroy();
    }

    /// One second of ten packets of 512 octets from "a" to "b" on one host; a collector outside.
    void Build()
    {
        const Ipv4Mask mask("255.255.255.0");
        EsxHostHelper esx;
        Ptr<EsxHost> host = esx.CreateHost("esx1");
        Ptr<EsxVSwitch> vSwitch = esx.AddVSwitch(host, "vSwitch0");
        vSwitch->AddPortGroup("VM Network");
        Ptr<Node> a = esx.AddVm(host, "a");
        Ptr<Node> b = esx.AddVm(host, "b");
        esx.AddVnic(host, "a", "VM Network", Ipv4InterfaceAddress("10.0.0.11", mask));
        esx.AddVnic(host, "b", "VM Network", Ipv4InterfaceAddress("10.0.0.12", mask));
        esx.AddVmknic(host, "vmk0", "VM Network", Ipv4InterfaceAddress("10.0.0.5", mask));

        NodeContainer collector(1);
        InternetStackHelper().Install(collector);
        NetDeviceContainer wire =
            CsmaHelper().Install(NodeContainer(host->GetVmkernelNode(), collector.Get(0)));
        host->AddUplink(vSwitch, wire.Get(0));
        Ipv4AddressHelper("10.0.0.0", mask, "0.0.0.9").Assign(wire.Get(1));

        EsxUdpCbrOptions stream;
        stream.start = Seconds(1);
        stream.stop = Seconds(2);
        stream.rate = DataRate(PACKETS * PAYLOAD * 8);
        stream.packetSize = PAYLOAD;
        EsxTrafficHelper().UdpCbr(a, b, stream);

        EsxNetflowHelper netflow;
        netflow.SetModuleAttribute("MeterOwnExport", BooleanValue(false));
        netflow.InstallCollector(collector.Get(0));
        netflow.InstallNetNetflow(host, "vSwitch0", "10.0.0.9");
    }

    void CheckMoved(const EsxCounts& moved, const std::string& what)
    {
        NS_TEST_EXPECT_MSG_EQ(moved.packets, PACKETS, what << " packets");
        NS_TEST_EXPECT_MSG_EQ(moved.octets, PACKETS * (PAYLOAD + 28), what << " octets");
        NS_TEST_EXPECT_MSG_EQ(moved.records, 1U, what << " records");
    }

    static constexpr uint64_t PACKETS = 10;
    static constexpr uint32_t PAYLOAD = 512; // 8 octets of UDP and 20 of IPv4 header come on top
};

class EsxNetflowTestSuite : public TestSuite
{
  public:
    EsxNetflowTestSuite()
        : TestSuite("esx-netflow", Type::UNIT)
    {
        AddTestCase(new FrameIsMeteredTestCase);
        AddTestCase(new InterfaceNumberTestCase);
        AddTestCase(new PacketReachesCollectorTestCase);
    }
};

EsxNetflowTestSuite g_esxNetflowTestSuite;

} // namespace
