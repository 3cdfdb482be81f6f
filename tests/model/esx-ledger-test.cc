// SPDX-License-Identifier: GPL-2.0-only
// The books of a simulation: flows, residual, XML; and random runs whose truth the test counts by
// itself, from what the ports accepted and from the octets the collector read.
#include "model/ledger/esx-ledger-laws.h"
#include "netflow-fixture.h"
#include "netflow/exporter.h"
#include "netflow/journal.h"
#include "netflow/metering-process.h"

#include "ns3/boolean.h"
#include "ns3/enum.h"
#include "ns3/error-model.h"
#include "ns3/string.h"

#include <map>
#include <random>
#include <sstream>
#include <tuple>

using namespace ns3;
using netflow::Move;

namespace
{

class EsxLedgerTest : public NetflowTest
{
  protected:
    bool IsBalanced() const
    {
        const netflow::Counts residual = books.GetLedger()->GetResidual();
        return residual.packets + residual.octets + residual.records == 0;
    }

    netflow::Account& Account() const
    {
        return Module()->GetLedgerToBook().GetAccount(vSwitch->GetId());
    }

    /// One flow each that is live, queued, collected, lost, shed; and one that is all but shed.
    void MakeOneOfEach()
    {
        netflow.SetNetNetflowAttribute("PollPeriod", TimeValue(Seconds(10)));
        AddExport();
        collector->SetStopTime(Seconds(35));
        Start();
        Send(Seconds(1), 1, 101); // collected at 20 s
        Send(Seconds(1), 6, 106);
        Send(Seconds(20), 2, 102); // lost at 40 s: nobody listens
        Send(Seconds(20), 6, 106);
        Send(Seconds(45), 3, 103); // ends at 60 s, a little after the poll
        Send(Seconds(45), 6, 106);
        At(Seconds(46), [this] { Module()->SetHeapMax(0); });
        Send(Seconds(47), 4, 104); // shed
        At(Seconds(48), [this] { Module()->SetHeapMax(1 << 20); });
        Send(Seconds(59), 5, 105); // live
        Send(Seconds(61), 6, 106);
        RunUntil(Seconds(65));
    }

    std::map<uint16_t, EsxFlow> Flows() const
    {
        std::map<uint16_t, EsxFlow> flows;
        for (const EsxFlow& flow : books.GetLedger()->GetFlows())
        {
            flows[flow.key.sourcePort] = flow;
        }
        return flows;
    }
};

TEST_F(EsxLedgerTest, EveryFlowTellsWhereItsPacketsAre)
{
    MakeOneOfEach();
    std::map<uint16_t, EsxFlow> flows = Flows();
    ASSERT_EQ(flows.size(), 7u); // one more is the ICMP error of the collector's host
    EXPECT_EQ(flows[1].collected.octets, 101u);
    EXPECT_TRUE(flows[1].losses.empty() && flows[1].left.empty());
    EXPECT_EQ(flows[2].losses.at("refused").octets, 102u);
    EXPECT_EQ(flows[3].left.at("queued").octets, 103u);
    EXPECT_EQ(flows[4].losses.at("no_memory").octets, 104u);
    EXPECT_EQ(flows[4].losses.at("no_memory").records, 0u);
    EXPECT_EQ(flows[4].truth.packets, 1u);
    EXPECT_EQ(flows[5].left.at("live").octets, 105u);
    EXPECT_EQ(flows[6].truth.packets, 4u);
    EXPECT_EQ(flows[6].truth.records, 4u);
    EXPECT_EQ(flows[6].collected.records, 1u);
    EXPECT_EQ(flows[6].losses.size(), 1u);
    EXPECT_EQ(flows[6].left.size(), 2u);
    EXPECT_EQ(flows[6].firstNs, Seconds(1).GetNanoSeconds());
    EXPECT_EQ(flows[6].lastNs, Seconds(61).GetNanoSeconds());
    EXPECT_EQ(flows[6].exporter, "esx1");
    EXPECT_EQ(flows[6].vSwitch, "vSwitch0");
    EXPECT_EQ(flows[6].key.input, a->GetPortId());
    EXPECT_EQ(flows[6].output, b->GetPortId());
}

TEST_F(EsxLedgerTest, ResidualSeesEveryWrongBooking)
{
    MakeOneOfEach();
    ASSERT_TRUE(IsBalanced());
    for (unsigned move = 0; move < netflow::MOVES; ++move)
    {
        const netflow::Place to = netflow::GetInfo(static_cast<Move>(move)).to;
        if (to == netflow::Place::IGNORED)
        {
            continue; // seen too: METER runs dry, as below
        }
        netflow::Counts one{1, 0, 0};
        Account().Book(static_cast<Move>(move), one);
        EXPECT_FALSE(IsBalanced()) << netflow::GetInfo(static_cast<Move>(move)).name;
        netflow::Counts back;
        back -= one;
        Account().Book(static_cast<Move>(move), back);
    }
    ASSERT_TRUE(IsBalanced());
    // A loss booked under another cause: places agree, stories do not.
    netflow::Counts one{1, 102, 1};
    netflow::Counts back;
    back -= one;
    Account().Book(Move::LOST_REFUSED, back);
    Account().Book(Move::LOST_ARP, one);
    EXPECT_FALSE(IsBalanced());
    Account().Book(Move::LOST_REFUSED, one);
    Account().Book(Move::LOST_ARP, back);
}

TEST_F(EsxLedgerTest, ResidualSeesAFrameThatTheMeterWasNotTold)
{
    AddExport();
    Start();
    Send(Seconds(1), 1);
    RunUntil(Seconds(2));
    ASSERT_TRUE(IsBalanced());
    Account().Book(Move::OFFERED, {1, 100, 0});
    Account().Book(Move::IGNORED_MALFORMED, {1, 100, 0}); // laws L1 to L6 hold
    EXPECT_EQ(books.GetLedger()->GetResidual().packets, 1u);
    netflow::Counts back;
    back -= {1, 100, 0};
    Account().Book(Move::OFFERED, back);
    Account().Book(Move::IGNORED_MALFORMED, back);
}

TEST_F(EsxLedgerTest, HostsAreSummedOrTakenOneByOne)
{
    const Ptr<EsxHost> second = esx.CreateHost("esx2");
    esx.AddVSwitch(second, "vSwitch0")->AddPortGroup("VM Network");
    second->AddUplink(
        second->GetVSwitch("vSwitch0"),
        csma.Install(second->GetVmkernelNode(), DynamicCast<CsmaChannel>(wire.Get(0)->GetChannel()))
            .Get(0));
    esx.AddVmknic(second, "vmk0", "VM Network", Address("10.0.0.6"));
    esx.AddVm(second, "c");
    const Ptr<EsxVnic> c = esx.AddVnic(second, "c", "VM Network", Address("10.0.0.13"));
    AddExport();
    Start();
    netflow.InstallNetNetflow(second, "vSwitch0", "10.0.0.9");
    Burst(Seconds(1), 1, 3);
    At(Seconds(1),
       [&] { c->Send(MakePacket(77, 100), second->GetVmknic("vmk0")->GetAddress(), IPV4); });
    RunUntil(Seconds(30));
    const Ptr<EsxLedger> ledger = books.GetLedger();
    EXPECT_EQ(ledger->GetMoved(Move::RECEIVED).records, 4u);
    EXPECT_EQ(ledger->GetMoved(Move::RECEIVED, "esx1").records, 3u);
    EXPECT_EQ(ledger->GetMoved(Move::RECEIVED, "esx2", "vSwitch0").records, 1u);
    EXPECT_EQ(ledger->GetHosts().size(), 2u);
    EXPECT_EQ(collector->GetEngines().size(), 2u); // the same engine of two exporters
    EXPECT_EQ(collector->GetTotals().sequenceFailures, 0u);
}

TEST_F(EsxLedgerTest, XmlListsAllMovesAndFlows)
{
    MakeOneOfEach();
    std::ostringstream xml;
    books.GetLedger()->SerializeToXmlStream(xml);
    const std::string text = xml.str();
    EXPECT_EQ(text.substr(0, 21), "<?xml version=\"1.0\" ?");
    EXPECT_NE(text.find("<VSwitch id=\"1\" name=\"vSwitch0\">"), std::string::npos);
    EXPECT_NE(
        text.find("<Move name=\"shed_no_memory\" packets=\"1\" octets=\"104\" records=\"0\"/>"),
        std::string::npos);
    EXPECT_NE(text.find("<Lost cause=\"refused\" packets=\"1\" octets=\"102\" records=\"1\"/>"),
              std::string::npos);
    const auto count = [&](const std::string& what) {
        size_t found = 0;
        for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
        {
            ++found;
        }
        return found;
    };
    EXPECT_EQ(count("<Move "), netflow::MOVES);
    EXPECT_EQ(count("<Flow "), 7u);
    for (const char* element : {"EsxLedger", "Host", "VSwitch", "Flows", "Flow"})
    {
        const std::string name = element;
        EXPECT_EQ(count("<" + name + ">") + count("<" + name + " "), count("</" + name + ">"));
    }
}

// ------------------------------------------------------------------------------ random runs

/// A flow as its packets show it: source, destination, protocol, ports, ToS, port of the vSwitch.
using Key = std::tuple<uint32_t, uint32_t, uint8_t, uint16_t, uint16_t, uint8_t, uint16_t>;

struct Sum
{
    uint64_t packets{0};
    uint64_t octets{0};

    bool operator==(const Sum& other) const
    {
        return packets == other.packets && octets == other.octets;
    }
};

TEST(EsxLedgerLawsTest, L4SequenceThatDoesNotFollowIsABreach)
{
    {
        NetflowLab lab;
        lab.AddExport();
        lab.Start();
        lab.Send(Seconds(1), 1);
        lab.RunUntil(Seconds(30));
        const Ptr<EsxLedger> ledger = lab.books.GetLedger();
        EXPECT_EQ(EsxCountBreaches(*ledger, lab.host), 0u);
        const std::vector<const netflow::QueuedRecord*> none;
        const uint8_t header[24] = {};
        const auto send = [&](uint32_t sequence) {
            const uint64_t number = lab.Datagrams().size();
            lab.Module()->NotifyDatagram(
                {header, 24, number, lab.vSwitch->GetId(), sequence, {1, 100, 1}, none},
                "10.0.0.9");
        };
        send(1); // follows: one record was sent before
        EXPECT_EQ(EsxCountBreaches(*ledger, lab.host), 0u);
        send(3);
        EXPECT_EQ(EsxCountBreaches(*ledger, lab.host), 1u);
        EXPECT_GE(ledger->GetResidual().records, 1u);
    }
    Simulator::Destroy();
    Config::Reset();
}

TEST(EsxLedgerLawsTest, L7RecordThatWaitsLongerThanAPollPeriodIsABreach)
{
    for (const int64_t waited : {1'000'000'000, 1'000'000'001})
    {
        {
            NetflowLab lab;
            lab.AddExport();
            lab.Start();
            lab.Send(Seconds(1), 1);
            lab.RunUntil(Seconds(30));
            ASSERT_EQ(lab.Datagrams().size(), 1u);
            netflow::FlowRecord record;
            record.id = 1;
            lab.Module()->GetJournal().Ended(record, Move::QUEUED, 0);
            lab.Module()->GetJournal().Moved(1, Move::SENT, waited, 0);
            EXPECT_EQ(EsxCountBreaches(*lab.books.GetLedger(), lab.host),
                      waited > 1'000'000'000 ? 1u : 0u);
        }
        Simulator::Destroy();
        Config::Reset();
    }
}

/// A random configuration of lab, traffic and trouble.
class RandomRun : public NetflowLab
{
  public:
    explicit RandomRun(uint32_t seed)
        : m_random(seed)
    {
        netflow.SetModuleAttribute("IdleTimeout", TimeValue(MilliSeconds(Draw(200, 3000))));
        netflow.SetModuleAttribute("ActiveTimeout", TimeValue(MilliSeconds(Draw(1000, 6000))));
        netflow.SetModuleAttribute("ScanInterval", TimeValue(MilliSeconds(Draw(1, 50))));
        netflow.SetModuleAttribute("MaxEntries", UintegerValue(Draw(0, 1) * Draw(20, 400)));
        netflow.SetModuleAttribute("CachePolicy", EnumValue(netflow::CachePolicy(Draw(0, 2))));
        netflow.SetModuleAttribute("PurgatoryMax", UintegerValue(Draw(20, 800)));
        netflow.SetModuleAttribute("PurgatoryPolicy",
                                   EnumValue(netflow::PurgatoryPolicy(Draw(0, 1))));
        netflow.SetModuleAttribute("MeterOwnExport", BooleanValue(Draw(0, 1)));
        netflow.SetNetNetflowAttribute("PollPeriod", TimeValue(MilliSeconds(Draw(100, 3000))));
        netflow.SetCollectorAttribute("SocketBuffer", UintegerValue(Draw(1500, 20000)));
        netflow.SetCollectorAttribute("ServiceTime",
                                      StringValue(Draw(0, 1)
                                                      ? "ns3::ConstantRandomVariable[Constant=0.02]"
                                                      : "ns3::ConstantRandomVariable[Constant=0]"));
        AddExport();
        DynamicCast<CsmaNetDevice>(wire.Get(0))
            ->GetQueue()
            ->SetMaxSize(QueueSize(QueueSizeUnit::PACKETS, Draw(1, 20)));
        Ptr<RateErrorModel> noise = CreateObject<RateErrorModel>();
        noise->SetUnit(RateErrorModel::ERROR_UNIT_PACKET);
        noise->SetRate(0.1 * Draw(0, 2));
        noise->AssignStreams(seed);
        DynamicCast<CsmaNetDevice>(wire.Get(1))->SetReceiveErrorModel(noise);
        TapPorts();
        MakeTrouble();
        MakeTraffic();
        m_process = Start();
    }

    std::map<Key, Sum> truth; //!< accepted while net-netflow ran

  private:
#if defined(__SANITIZE_ADDRESS__)
    static constexpr int PACKETS = 5'000; // as many as take a second
#else
    static constexpr int PACKETS = 100'000;
#endif
    static constexpr int MILLISECONDS = 20000;

    int Draw(int low, int high)
    {
        return low + static_cast<int>(m_random() % (high - low + 1)); // the same everywhere
    }

    void TapPorts()
    {
        for (const Ptr<EsxPort>& port : vSwitch->GetPorts())
        {
            port->TraceConnectWithoutContext(
                "Ingress",
                Callback<void, Ptr<const Packet>>(
                    [this, id = port->GetLocalId()](Ptr<const Packet> frame) {
                        Accepted(id, frame);
                    }));
        }
    }

    /// Reads a frame by hand: Ethernet, then IPv4 without options.
    void Accepted(uint16_t port, const Ptr<const Packet>& frame)
    {
        std::vector<uint8_t> octets(frame->GetSize());
        frame->CopyData(octets.data(), octets.size());
        const auto number = [&](size_t at, size_t size) {
            return ReadDatagram::Number(octets, 14 + at, size);
        };
        BooleanValue own;
        Module()->GetAttribute("MeterOwnExport", own);
        if (octets[12] != 0x08 || octets[13] != 0x00 || !m_process->IsRunning() ||
            (!own.Get() && number(12, 4) == Ipv4Address("10.0.0.5").Get()))
        {
            return;
        }
        const bool ports = octets[14 + 9] == 17;
        const bool icmp = octets[14 + 9] == 1;
        const Key key{number(12, 4),
                      number(16, 4),
                      number(9, 1),
                      ports ? number(20, 2) : 0,
                      ports  ? number(22, 2)
                      : icmp ? number(20, 2)
                             : 0,
                      number(1, 1),
                      port};
        ++truth[key].packets;
        truth[key].octets += number(2, 2);
    }

    void MakeTrouble()
    {
        const auto cable = DynamicCast<CsmaChannel>(wire.Get(0)->GetChannel());
        for (int i = 0; i < 4; ++i)
        {
            const int at = Draw(500, MILLISECONDS);
            const int end = at + Draw(1, 1500);
            const auto device = DynamicCast<CsmaNetDevice>(wire.Get(Draw(0, 1)));
            At(MilliSeconds(at), [cable, device] { cable->Detach(device); });
            At(MilliSeconds(end), [cable, device] { cable->Reattach(device); });
        }
        for (int i = 0; i < 2; ++i)
        {
            const int at = Draw(500, MILLISECONDS);
            At(MilliSeconds(at), [this] { Module()->SetHeapMax(0); });
            At(MilliSeconds(at + Draw(1, 1000)), [this] { Module()->SetHeapMax(1 << 20); });
            At(MilliSeconds(Draw(500, MILLISECONDS)), [this] { m_process->Terminate(); });
        }
        for (int at = 3000; at < MILLISECONDS; at += 3000)
        {
            At(MilliSeconds(at), [this] {
                if (!m_process->IsRunning())
                {
                    m_process = Start();
                    EXPECT_EQ(m_process->Launch(), "");
                }
            });
        }
    }

    void MakeTraffic()
    {
        const int flows = Draw(10, 3000);
        for (int i = 0; i < PACKETS; ++i)
        {
            Send(MicroSeconds(Draw(0, MILLISECONDS * 1000)), Draw(1, flows), Draw(28, 1500));
        }
    }

    std::mt19937 m_random;
    Ptr<EsxNetNetflow> m_process;
};

class RandomRunTest : public ::testing::TestWithParam<uint32_t>
{
};

TEST_P(RandomRunTest, TruthIsCollectedAndLost)
{
    std::map<Key, Sum> reported;
    {
        RandomRun run(GetParam());
        run.RunUntil(Seconds(25));
        ExpectBalance(run.books.GetLedger());
        for (const EsxFlow& flow : run.books.GetLedger()->GetFlows())
        {
            const Key key{flow.key.source,
                          flow.key.destination,
                          flow.key.protocol,
                          flow.key.sourcePort,
                          flow.key.destinationPort,
                          flow.key.tos,
                          flow.key.input};
            reported[key] = {flow.truth.packets, flow.truth.octets};
        }
        EXPECT_EQ(reported.size(), run.truth.size());
        EXPECT_TRUE(reported == run.truth);
        std::map<Key, Sum> collected;
        for (const ReadDatagram& datagram : run.read)
        {
            for (const ReadDatagram::Record& record : datagram.records)
            {
                Sum& sum = collected[{record.source,
                                      record.destination,
                                      record.protocol,
                                      record.sourcePort,
                                      record.destinationPort,
                                      record.tos,
                                      record.input}];
                sum.packets += record.packets;
                sum.octets += record.octets;
            }
        }
        for (const EsxFlow& flow : run.books.GetLedger()->GetFlows())
        {
            const Sum sum = collected[{flow.key.source,
                                       flow.key.destination,
                                       flow.key.protocol,
                                       flow.key.sourcePort,
                                       flow.key.destinationPort,
                                       flow.key.tos,
                                       flow.key.input}];
            EXPECT_EQ(flow.collected.packets, sum.packets);
            EXPECT_EQ(flow.collected.octets, sum.octets);
        }
        EXPECT_GT(run.truth.size(), 0u);
    }
    Simulator::Destroy();
    Config::Reset();
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomRunTest, ::testing::Range(1U, 21U));

TEST(EsxLedgerRepetitionTest, SameRunInTheSameProcessGivesTheSameXml)
{
    const auto run = [] {
        std::ostringstream xml;
        {
            RandomRun random(7);
            random.RunUntil(Seconds(25));
            random.books.GetLedger()->SerializeToXmlStream(xml);
        }
        Simulator::Destroy();
        return xml.str();
    };
    const std::string first = run();
    EXPECT_GT(first.size(), 10000u);
    EXPECT_TRUE(first == run());
    Config::Reset();
}

} // namespace
