// SPDX-License-Identifier: GPL-2.0-only
// Rules of the export: net-netflow's polls, datagrams, sequences and interface numbers, the
// collector, and where datagrams are lost.
#include "esx-export-lab.h"
#include "esx-test-case.h"
#include "netflow/v5-codec.h"

#include "ns3/boolean.h"
#include "ns3/enum.h"
#include "ns3/error-model.h"
#include "ns3/string.h"

using namespace ns3;
using netflow::Move;

namespace
{

/// An export lab whose vmknic and collector are there.
class Lab : public NetflowLab
{
  public:
    Lab()
    {
        AddExport();
    }

    /// Three datagrams: one that warms up ARP, one sent at 41 s, one sent at 71 s.
    void RunThree()
    {
        Start();
        Send(Seconds(1), 1);
        Send(Seconds(25), 2);
        Send(Seconds(55), 3);
        RunUntil(Seconds(90));
    }

    /// \return what became of each datagram, in order
    std::string Fates() const
    {
        std::string text;
        for (const EsxExportDatagram& datagram : Datagrams())
        {
            text += std::string(text.empty() ? "" : " ") + netflow::GetInfo(datagram.fate).name;
        }
        return text;
    }

    void SetAttached(bool attached) const
    {
        const auto cable = DynamicCast<CsmaChannel>(wire.Get(1)->GetChannel());
        const auto end = DynamicCast<CsmaNetDevice>(wire.Get(1));
        attached ? cable->Reattach(end) : cable->Detach(end);
    }
};

ESX_CASE(Lab,
         InterfaceNumbers,
         "Switch ID and port make an interface number of -p, and come out of it")
{
    ESX_SAME(netflow::EncodeIfIndex(3, 13), 1549U);
    ESX_SAME(netflow::IfIndexToSwitch(1549), 3U);
    ESX_SAME(netflow::IfIndexToPort(1549), 13U);
}

ESX_CASE(Lab, InterfacesAreLocalPorts, "Without -p the interfaces of a record are local port IDs")
{
    lab.Start();
    lab.Send(Seconds(1), 1);
    lab.RunUntil(Seconds(20));
    NS_TEST_ASSERT_MSG_EQ(lab.read.size(), 1U, "one datagram");
    ESX_SAME(lab.read[0].records[0].input, lab.a->GetPortId());
    ESX_SAME(lab.read[0].records[0].output, lab.b->GetPortId());
    ESX_SAME(lab.read[0].engine, lab.vSwitch->GetId());
}

ESX_CASE(Lab,
         InterfacesCarryTheSwitch,
         "With -p the interfaces of a record carry the switch ID, too")
{
    lab.netflow.SetNetNetflowAttribute("AlternatePortIds", BooleanValue(true));
    lab.Start();
    lab.Send(Seconds(1), 1);
    lab.RunUntil(Seconds(20));
    NS_TEST_ASSERT_MSG_EQ(lab.read.size(), 1U, "one datagram");
    ESX_SAME(lab.read[0].records[0].input, 512 * lab.vSwitch->GetId() + lab.a->GetPortId());
}

ESX_CASE(Lab,
         PollPeriod,
         "Polls come at the start of the process and multiples of the period after it")
{
    lab.netflow.SetNetNetflowAttribute("PollPeriod", TimeValue(MilliSeconds(700)));
    const Ptr<EsxNetNetflow> process = lab.Start();
    process->SetStartTime(MilliSeconds(1234));
    std::vector<Time> sent;
    process->TraceConnectWithoutContext("Tx",
                                        Callback<void, Ptr<const Packet>>([&](Ptr<const Packet>) {
                                            sent.push_back(Simulator::Now());
                                        }));
    lab.Send(Seconds(2), 1);
    lab.RunUntil(Seconds(20));
    NS_TEST_ASSERT_MSG_EQ(sent.size(), 1U, "one datagram");
    ESX_SAME(sent[0], MilliSeconds(1234 + 23 * 700)); // the first after 2 + 15 s
}

ESX_CASE(Lab, DatagramsAreFull, "A datagram holds 30 records at most; flow_sequence counts records")
{
    lab.Start();
    lab.Burst(Seconds(1), 1, 61);
    lab.RunUntil(Seconds(20));
    NS_TEST_ASSERT_MSG_EQ(lab.read.size(), 3U, "datagrams");
    ESX_SAME(lab.read[0].count, 30);
    ESX_SAME(lab.read[2].count, 1);
    ESX_SAME(lab.read[0].sequence, 0U);
    ESX_SAME(lab.read[2].sequence, 60U);
}

ESX_CASE(Lab, SmallMtu, "A small MTU of the vmknic makes smaller datagrams and no fragments")
{
    lab.host->GetVmknic("vmk0")->SetMtu(576); // (576 - 52) / 48 = 10 records
    lab.Start();
    lab.Burst(Seconds(1), 1, 25);
    lab.RunUntil(Seconds(20));
    NS_TEST_ASSERT_MSG_EQ(lab.read.size(), 3U, "datagrams");
    ESX_SAME(lab.read[0].count, 10);
}

ESX_CASE(Lab,
         TimesOfARecord,
         "First and Last are milliseconds of the host's uptime, which may wrap")
{
    lab.host->SetAttribute("UptimeAtStart", TimeValue(MilliSeconds((1LL << 32) - 10000)));
    lab.Start();
    lab.Send(Seconds(1), 1);
    lab.Send(Seconds(11), 1);
    lab.RunUntil(Seconds(30));
    NS_TEST_ASSERT_MSG_EQ(lab.read.size(), 1U, "one datagram");
    ESX_SAME(lab.read[0].records[0].first, 4294958296U); // 2^32 - 9000
    ESX_SAME(lab.read[0].records[0].last, 1000U);
    ESX_SAME(lab.collector->GetTotals().wrapped, 1U);
}

ESX_CASE(Lab, Restart, "A new net-netflow counts from 0: one sequence failure, nothing missing")
{
    const Ptr<EsxNetNetflow> first = lab.Start();
    first->SetStopTime(Seconds(40));
    lab.Burst(Seconds(1), 1, 4);
    Lab::At(Seconds(50), [&] { lab.Launch(); });
    lab.Burst(Seconds(51), 1, 4);
    lab.RunUntil(Seconds(80));
    NS_TEST_ASSERT_MSG_EQ(lab.read.size(), 2U, "datagrams");
    ESX_SAME(lab.read[1].sequence, 0U);
    ESX_SAME(lab.collector->GetTotals().sequenceFailures, 1U);
    ESX_SAME(lab.collector->GetTotals().missing, 0U);
}

ESX_CASE(Lab, SequenceAtExpiry, "With AT_EXPIRY the collector misses what purgatory lost")
{
    lab.Module()->SetAttribute("PurgatoryMax", UintegerValue(10));
    lab.netflow.SetNetNetflowAttribute("PollPeriod", TimeValue(Seconds(30)));
    lab.netflow.SetNetNetflowAttribute("SequenceMode", EnumValue(netflow::AT_EXPIRY));
    lab.Start();
    lab.Burst(Seconds(1), 1, 25);
    lab.Burst(Seconds(40), 101, 8);
    lab.RunUntil(Seconds(100));
    ESX_SAME(lab.Records(Move::DROPPED_PURGATORY_FULL), 15U);
    ESX_SAME(lab.collector->GetTotals().missing, 15U);
}

ESX_CASE(Lab, Kill, "A net-netflow that is killed discards what is live and what is queued")
{
    lab.netflow.SetNetNetflowAttribute("PollPeriod", TimeValue(Seconds(30)));
    const Ptr<EsxNetNetflow> process = lab.Start();
    lab.Burst(Seconds(1), 1, 3);    // queued from 16 s on
    lab.Burst(Seconds(15), 101, 2); // live
    process->SetStopTime(Seconds(20));
    lab.RunUntil(Seconds(50));
    ESX_SAME(lab.Records(Move::DISCARDED_QUEUED_KILLED), 3U);
    ESX_SAME(lab.Records(Move::DISCARDED_KILLED), 2U);
    ESX_SAME(lab.Records(Move::SEALED), 0U);
}

ESX_CASE(Lab,
         PacketReachesCollector,
         "What a guest sends is metered, exported, collected and balanced")
{
    lab.Start();
    for (int i = 0; i < 10; ++i)
    {
        lab.Send(Seconds(1) + MilliSeconds(100 * i), 1, 540);
    }
    lab.RunUntil(Seconds(30));
    for (const Move move : {Move::METERED, Move::RECEIVED})
    {
        ESX_SAME(lab.Moved(move).packets, 10U);
        ESX_SAME(lab.Moved(move).octets, 5400U);
        ESX_SAME(lab.Moved(move).records, 1U);
    }
    const netflow::Counts residual = lab.books.GetLedger()->GetResidual();
    ESX_SAME(residual.packets, 0U);
    ESX_SAME(residual.octets, 0U);
    ESX_SAME(residual.records, 0U);
}

ESX_CASE(Lab, NoRoute, "Without a route the socket refuses the datagram, and net-netflow says so")
{
    lab.Start("vSwitch0", "172.16.0.1");
    lab.Send(Seconds(1), 1);
    lab.RunUntil(Seconds(30));
    ESX_SAME(lab.Fates(), "send_failed");
    ESX_SAME(lab.output, "net-netflow: 1 UDP packets to the collector were lost: 1 no route\n");
}

ESX_CASE(Lab, NoArpAnswer, "A datagram to an address that nobody has is lost to ARP")
{
    lab.Start("vSwitch0", "10.0.0.77");
    lab.Send(Seconds(1), 1);
    lab.RunUntil(Seconds(60));
    ESX_SAME(lab.Fates(), "lost_arp");
}

ESX_CASE(Lab, LinkDown, "A datagram that meets a cut link is lost to it, and nothing else is")
{
    Lab::At(Seconds(40), [&] { lab.SetAttached(false); });
    Lab::At(Seconds(50), [&] { lab.SetAttached(true); });
    lab.RunThree();
    ESX_SAME(lab.Fates(), "received lost_link_down received");
    ESX_SAME(lab.collector->GetTotals().missing, 1U);
}

ESX_CASE(Lab, ChannelError, "A datagram that noise corrupts is lost to the channel")
{
    const Ptr<RateErrorModel> noise = CreateObject<RateErrorModel>();
    noise->SetUnit(RateErrorModel::ERROR_UNIT_PACKET);
    noise->SetRate(1);
    noise->Disable();
    DynamicCast<CsmaNetDevice>(lab.wire.Get(1))->SetReceiveErrorModel(noise);
    Lab::At(Seconds(40), [&] { noise->Enable(); });
    Lab::At(Seconds(50), [&] { noise->Disable(); });
    lab.RunThree();
    ESX_SAME(lab.Fates(), "received lost_channel_error received");
}

ESX_CASE(Lab,
         CollectorDown,
         "A collector that is down refuses datagrams, and ICMP tells net-netflow")
{
    Lab::At(Seconds(40), [&] { lab.collector->SetDown(true); });
    Lab::At(Seconds(50), [&] { lab.collector->SetDown(false); });
    lab.RunThree();
    ESX_SAME(netflow::GetInfo(lab.Datagrams().at(1).fate).name, std::string("lost_refused"));
    ESX_SAME(lab.output,
             "net-netflow: 1 UDP packets to the collector were lost: 1 port unreachable\n");
}

ESX_CASE(Lab,
         SocketBuffer,
         "A slow collector's socket buffer is bounded and loses the newest datagram")
{
    lab.collector->SetAttribute("SocketBuffer", UintegerValue(3000)); // two full datagrams
    lab.collector->SetAttribute("ServiceTime",
                                StringValue("ns3::ConstantRandomVariable[Constant=1]"));
    lab.Start();
    lab.Send(Seconds(1), 1); // warms up ARP
    lab.Burst(Seconds(20), 101, 150);
    lab.RunUntil(Seconds(60));
    ESX_SAME(lab.collector->GetBufferDrops(), 2U); // one is read, two wait, two are lost
    ESX_SAME(lab.Records(Move::LOST_SOCKET_BUFFER), 60U);
}

ESX_CASE(Lab,
         MalformedDatagram,
         "A collector refuses what is no NetFlow v5 and counts no record of it")
{
    Lab::At(Seconds(1), [&] {
        const auto socket =
            Socket::CreateSocket(lab.a->GetNode(), TypeId::LookupByName("ns3::UdpSocketFactory"));
        socket->Connect(InetSocketAddress("10.0.0.9", Lab::COLLECTOR_PORT));
        socket->Send(Create<Packet>(72)); // version 0
    });
    lab.RunUntil(Seconds(5));
    ESX_SAME(lab.collector->GetRefused(), 1U);
    ESX_SAME(lab.collector->GetTotals().records, 0U);
}

} // namespace

std::vector<TestCase*>
EsxExportCases()
{
    return {new InterfaceNumbers,
            new InterfacesAreLocalPorts,
            new InterfacesCarryTheSwitch,
            new PollPeriod,
            new DatagramsAreFull,
            new SmallMtu,
            new TimesOfARecord,
            new Restart,
            new SequenceAtExpiry,
            new Kill,
            new PacketReachesCollector,
            new NoRoute,
            new NoArpAnswer,
            new LinkDown,
            new ChannelError,
            new CollectorDown,
            new SocketBuffer,
            new MalformedDatagram};
}
