// SPDX-License-Identifier: GPL-2.0-only
// Rules of metering: what is counted, when records end, what is lost for want of room.
#include "esx-export-lab.h"
#include "esx-test-case.h"
#include "netflow/flow-record.h"
#include "netflow/packet-parser.h"
#include "netflow/v5-codec.h"

#include "ns3/boolean.h"
#include "ns3/enum.h"
#include "ns3/esx-host-memory.h"

using namespace ns3;
using netflow::Move;

namespace
{

/// An export lab whose module, vmknic and collector are there.
class Lab : public NetflowLab
{
  public:
    Lab()
    {
        AddExport();
    }

    void SetModule(const std::string& attribute, const AttributeValue& value) const
    {
        Module()->SetAttribute(attribute, value); // takes effect at the load, that is, at Start()
    }
};

class FrameIsMetered : public TestCase
{
  public:
    FrameIsMetered()
        : TestCase("A UDP packet in an 802.1Q frame is metered by its IP total length")
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
        ESX_SAME(packet.octets, 32U);
        ESX_SAME(packet.key.source, 0x0a000001U);
        ESX_SAME(packet.key.destination, 0x0a000002U);
        ESX_SAME(packet.key.sourcePort, 1024U);
        ESX_SAME(packet.key.destinationPort, 2055U);
        ESX_SAME(unsigned{packet.key.tos}, 0x10U);
    }
};

ESX_CASE(Lab, OnlyIpv4IsMetered, "A frame that is not IPv4 is ignored, with its cause")
{
    lab.Start();
    Lab::At(Seconds(1), [&] { lab.a->Send(Create<Packet>(50), lab.b->GetAddress(), 0x86dd); });
    lab.Send(Seconds(2), 1);
    lab.RunUntil(Seconds(3));
    ESX_SAME(lab.Moved(Move::IGNORED_NOT_IPV4).packets, 1U);
    ESX_SAME(lab.Moved(Move::METERED).packets, 1U);
}

ESX_CASE(Lab,
         OnlyRegisteredSwitchesAreMetered,
         "Frames are metered from the registration to its end")
{
    const Ptr<EsxNetNetflow> process = lab.Start();
    process->SetStartTime(Seconds(5));
    process->SetStopTime(Seconds(10));
    for (int second : {1, 7, 11})
    {
        lab.Send(Seconds(second), 1);
    }
    lab.RunUntil(Seconds(12));
    ESX_SAME(lab.Moved(Move::METERED).packets, 1U);
    ESX_SAME(lab.Moved(Move::IGNORED_NOT_MONITORED).packets, 1U); // the module was loaded at 5 s
}

ESX_CASE(Lab,
         IdleTimeout,
         "A record ends in the first scan after 15 s without a packet, not at 15 s")
{
    lab.Start();
    std::vector<Time> ended;
    lab.Module()->TraceConnectWithoutContext(
        "RecordEnded",
        Callback<void, const netflow::FlowRecord&, Move>(
            [&](const netflow::FlowRecord&, Move) { ended.push_back(Simulator::Now()); }));
    lab.Send(MilliSeconds(1003), 1);
    lab.Send(MilliSeconds(16003), 1); // exactly the timeout is not longer than it
    lab.RunUntil(Seconds(40));
    NS_TEST_ASSERT_MSG_EQ(ended.size(), 1U, "one record");
    ESX_SAME(ended[0], MilliSeconds(31010)); // at the next multiple of 10 ms
    ESX_SAME(lab.Moved(Move::ENDED_IDLE).packets, 2U);
}

ESX_CASE(Lab,
         ActiveTimeout,
         "A flow that goes on is split when its record is older than the timeout")
{
    lab.SetModule("ActiveTimeout", TimeValue(Seconds(20)));
    lab.Start();
    for (int second = 1; second < 25; ++second)
    {
        lab.Send(Seconds(second), 1);
    }
    lab.RunUntil(Seconds(60));
    ESX_SAME(lab.Moved(Move::ENDED_ACTIVE).packets, 21U); // 1 to 21 s
    ESX_SAME(lab.Moved(Move::ENDED_IDLE).packets, 3U);
}

void
LeaveTenPlaces(Lab& lab)
{
    lab.netflow.SetNetNetflowAttribute("PollPeriod", TimeValue(Seconds(100)));
    lab.SetModule("PurgatoryMax", UintegerValue(10));
    lab.Start();
    lab.Burst(Seconds(1), 1, 25);
    lab.RunUntil(Seconds(150));
}

ESX_CASE(Lab,
         PurgatoryTailDrop,
         "A full purgatory loses the newest records, exactly what is too much")
{
    LeaveTenPlaces(lab);
    ESX_SAME(lab.Records(Move::DROPPED_PURGATORY_FULL), 15U);
    NS_TEST_ASSERT_MSG_EQ(lab.read.size(), 1U, "one datagram");
    ESX_SAME(lab.read[0].records.front().sourcePort, 1);
    ESX_SAME(lab.Logged("Maximum purgatory size reached").size(), 1U);
}

ESX_CASE(Lab, PurgatoryHeadDrop, "With HEAD_DROP a full purgatory loses the oldest records")
{
    lab.SetModule("PurgatoryPolicy", EnumValue(netflow::HEAD_DROP));
    LeaveTenPlaces(lab);
    ESX_SAME(lab.Records(Move::DROPPED_PURGATORY_HEAD), 15U);
    NS_TEST_ASSERT_MSG_EQ(lab.read.size(), 1U, "one datagram");
    ESX_SAME(lab.read[0].records.front().sourcePort, 16);
}

ESX_CASE(Lab, FullCacheSheds, "A full cache sheds packets of new flows and counts those of its own")
{
    lab.SetModule("MaxEntries", UintegerValue(3));
    lab.Start();
    lab.Burst(Seconds(1), 1, 5);
    lab.Burst(Seconds(2), 1, 3);
    lab.RunUntil(Seconds(30));
    ESX_SAME(lab.Moved(Move::METERED).packets, 6U);
    ESX_SAME(lab.Moved(Move::SHED_CACHE_FULL).packets, 2U);
    ESX_SAME(lab.Records(Move::RECEIVED), 3U);
}

ESX_CASE(Lab, FullCacheEvicts, "With EVICT_OLDEST a full cache exports its oldest record early")
{
    lab.SetModule("MaxEntries", UintegerValue(3));
    lab.SetModule("CachePolicy", EnumValue(netflow::EVICT_OLDEST));
    lab.Start();
    lab.Burst(Seconds(1), 1, 5);
    lab.RunUntil(Seconds(30));
    ESX_SAME(lab.Moved(Move::METERED).packets, 5U);
    ESX_SAME(lab.Records(Move::ENDED_EVICTED), 2U);
    ESX_SAME(lab.Records(Move::RECEIVED), 5U);
}

ESX_CASE(Lab,
         HeapIsALimit,
         "Without heap new flows are shed, live ones counted, and the log says so")
{
    lab.Start();
    lab.Burst(Seconds(1), 1, 5);
    Lab::At(Seconds(2), [&] { lab.Module()->SetHeapMax(lab.Module()->GetHeapUsed()); });
    lab.Burst(Seconds(3), 101, 7);
    lab.Burst(Seconds(3), 1, 5);
    lab.RunUntil(Seconds(30));
    ESX_SAME(lab.Moved(Move::SHED_NO_MEMORY).packets, 7U);
    ESX_SAME(lab.Moved(Move::METERED).packets, 10U);
    ESX_SAME(lab.Logged("Heap netflow: Maximum allowed growth (0) too small").size(), 1U);
}

ESX_CASE(Lab,
         HeapAndMemoryStates,
         "The heap grows in the soft memory state and not in the hard one")
{
    const Ptr<EsxHostMemory> memory = CreateObject<EsxHostMemory>();
    lab.host->GetVmkernelNode()->AggregateObject(memory);
    lab.Start();
    Lab::At(Seconds(1), [&] { memory->Hold(3); });
    lab.Burst(Seconds(2), 1, 5);
    Lab::At(Seconds(3), [&] { memory->Hold(1.5); });
    lab.Burst(Seconds(4), 101, 7);
    lab.RunUntil(Seconds(10));
    ESX_SAME(lab.Moved(Move::METERED).packets, 5U);
    ESX_SAME(lab.Moved(Move::SHED_NO_MEMORY).packets, 7U);
}

ESX_CASE(Lab,
         OwnExport,
         "Export datagrams cross the vSwitch and are metered, unless told otherwise")
{
    lab.SetModule("MeterOwnExport", BooleanValue(true));
    lab.Start();
    lab.Send(Seconds(1), 1);
    lab.RunUntil(Seconds(60));
    NS_TEST_ASSERT_MSG_GT(lab.read.size(), 1U, "the export's own record follows");
    const ReadDatagram::Record& own = lab.read[1].records.at(0);
    ESX_SAME(own.destinationPort, Lab::COLLECTOR_PORT);
    ESX_SAME(own.octets, 28U + 24U + 48U);
    ESX_SAME(lab.vSwitch->GetPortName(own.input), "vmk0");
}

ESX_CASE(Lab,
         DeletedSwitch,
         "Deleting a monitored vSwitch discards its records and warns in the log")
{
    lab.Start();
    lab.Send(Seconds(1), 1);
    Lab::At(Seconds(2), [&] { lab.host->RemoveVSwitch("vSwitch0"); });
    lab.RunUntil(Seconds(30));
    ESX_SAME(lab.Records(Move::DISCARDED_SWITCH_DELETED), 1U);
    ESX_SAME(lab.Logged("vSwitch0 deleted with NetFlow activated").size(), 1U);
}

ESX_CASE(Lab, FlowsBalance, "Each flow's truth is what was collected and what was lost, by cause")
{
    LeaveTenPlaces(lab);
    std::size_t lost = 0;
    for (const EsxFlow& flow : lab.books.GetLedger()->GetFlows())
    {
        ESX_SAME(flow.truth.octets, 100U);
        lost += flow.losses.count("purgatory_full");
        ESX_SAME(flow.collected.packets, flow.losses.empty() ? 1U : 0U);
    }
    ESX_SAME(lost, 15U);
    ESX_SAME(lab.books.GetLedger()->GetResidual().records, 0U);
}

ESX_CASE(Lab, ResidualSeesAWrongBooking, "A booking that nothing stands behind makes a residual")
{
    lab.Start();
    lab.Send(Seconds(1), 1);
    lab.RunUntil(Seconds(30));
    ESX_SAME(lab.books.GetLedger()->GetResidual().packets, 0U);
    lab.Module()
        ->GetLedgerToBook()
        .GetAccount(lab.vSwitch->GetId())
        .Book(Move::METERED, {1, 100, 0});
    NS_TEST_EXPECT_MSG_NE(lab.books.GetLedger()->GetResidual().packets, 0U, "a packet too much");
}

} // namespace

std::vector<TestCase*>
EsxMeteringCases()
{
    return {new FrameIsMetered,
            new OnlyIpv4IsMetered,
            new IdleTimeout,
            new OnlyRegisteredSwitchesAreMetered,
            new ActiveTimeout,
            new PurgatoryTailDrop,
            new PurgatoryHeadDrop,
            new FullCacheSheds,
            new FullCacheEvicts,
            new HeapIsALimit,
            new HeapAndMemoryStates,
            new OwnExport,
            new DeletedSwitch,
            new FlowsBalance,
            new ResidualSeesAWrongBooking};
}
