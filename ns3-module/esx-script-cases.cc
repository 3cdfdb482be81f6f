// SPDX-License-Identifier: GPL-2.0-only
// Cases of the other parts of a script: types of the flow meter, levels, the list of events, the
// wall clock, captures, containers.
#include "esx-export-lab.h"
#include "esx-test-case.h"

#include "ns3/esx-capture-frames.h"
#include "ns3/esx-event-heap.h"
#include "ns3/esx-link-impairment.h"
#include "ns3/esx-physical-switch-helper.h"
#include "ns3/esx-real-clock.h"
#include "ns3/esx-real-collector-helper.h"
#include "ns3/esx-results-helper.h"
#include "ns3/esx-steered-scheduler.h"
#include "ns3/esx-traffic-helper.h"
#include "ns3/pointer.h"

#include <algorithm>
#include <arpa/inet.h>
#include <fstream>
#include <iterator>
#include <sstream>
#include <sys/socket.h>
#include <unistd.h>

using namespace ns3;
using netflow::Move;

namespace
{

/// An export lab that exports three flows.
class Lab : public NetflowLab
{
  public:
    Lab()
    {
        AddExport();
    }

    void ExportThree()
    {
        Start();
        Burst(Seconds(1), 1, 3);
        RunUntil(Seconds(20));
    }

    /// \return the books of a run with a list of events
    static std::string BooksWith(const std::string& scheduler)
    {
        std::ostringstream xml;
        {
            Simulator::SetScheduler(ObjectFactory(scheduler));
            Lab lab;
            lab.ExportThree();
            lab.books.GetLedger()->SerializeToXmlStream(xml);
            Simulator::Destroy();
        }
        Names::Clear();
        return xml.str();
    }
};

/// Nothing but an empty simulator.
class EmptyLab
{
};

ESX_CASE(Lab, RecordsAreTold, "A script reads each record that ends, and where it went")
{
    uint32_t packets = 0;
    std::set<Move> stations;
    lab.Module()->TraceConnectWithoutContext(
        "RecordEnded",
        Callback<void, const netflow::FlowRecord&, Move>(
            [&](const netflow::FlowRecord& record, Move station) {
                packets += record.packets;
                stations.insert(station);
            }));
    lab.ExportThree();
    ESX_SAME(packets, 3U);
    ESX_SAME(stations.size(), 1U);
    ESX_SAME(stations.count(Move::QUEUED), 1U);
}

ESX_CASE(Lab, DatagramsAreTold, "A script reads the fate of each datagram and its place")
{
    lab.books.InstallAll();
    std::string told;
    lab.books.GetLedger()->GetTracker()->TraceConnectWithoutContext(
        "Concluded",
        Callback<void, const EsxExportDatagram&>([&](const EsxExportDatagram& datagram) {
            told += std::string(netflow::GetInfo(datagram.fate).name) + " at " + datagram.place;
        }));
    lab.ExportThree();
    ESX_SAME(told, "received at " + EsxNodeName(lab.collectorNode));
}

ESX_CASE(Lab, LevelsAreTraced, "Levels of cache, purgatory and heap are traced values")
{
    std::vector<uint64_t> cache;
    std::vector<uint64_t> purgatory;
    uint64_t heap = 0;
    const auto noteIn = [](std::vector<uint64_t>& values) {
        return Callback<void, uint64_t, uint64_t>(
            [&values](uint64_t, uint64_t now) { values.push_back(now); });
    };
    Config::ConnectWithoutContext("/NodeList/*/$ns3::EsxNetflow/CacheRecords", noteIn(cache));
    Config::ConnectWithoutContext("/NodeList/*/$ns3::EsxNetflow/PurgatoryRecords",
                                  noteIn(purgatory));
    Config::ConnectWithoutContext(
        "/NodeList/*/$ns3::EsxNetflow/HeapOctets",
        Callback<void, uint64_t, uint64_t>([&heap](uint64_t, uint64_t now) { heap = now; }));
    lab.ExportThree();
    NS_TEST_ASSERT_MSG_EQ(cache.size(), 4U, "three records, and none after the scan");
    ESX_SAME(cache[2], 3U);
    ESX_SAME(cache[3], 0U);
    NS_TEST_ASSERT_MSG_EQ(purgatory.size(), 2U, "a scan and a poll");
    ESX_SAME(purgatory[0], 3U);
    ESX_SAME(purgatory[1], 0U);
    ESX_SAME(heap, lab.Module()->GetHeapUsed());
}

ESX_CASE(EmptyLab, EventHeap, "The list of events is a matter of speed only")
{
    const std::string books = Lab::BooksWith("ns3::MapScheduler");
    ESX_SAME(Lab::BooksWith("ns3::EsxEventHeap"), books);
    ESX_SAME(Lab::BooksWith("ns3::EsxSteeredScheduler"), books);
    NS_TEST_EXPECT_MSG_NE(books.find("<Flow "), std::string::npos, "flows are in the books");
    Simulator::SetScheduler(ObjectFactory("ns3::MapScheduler"));
}

ESX_CASE(EmptyLab, RealTime, "A run in real time takes as long as it lasts, and its end no longer")
{
    Config::SetDefault("ns3::EsxSteeredScheduler::RealTime", BooleanValue(true));
    Simulator::SetScheduler(ObjectFactory("ns3::EsxSteeredScheduler"));
    EsxRealClock clock;
    clock.Start(Seconds(0));
    Simulator::Schedule(MilliSeconds(30), [] {});
    Simulator::Schedule(Hours(1), [] {});
    Simulator::Stop(MilliSeconds(40));
    Simulator::Run();
    ESX_SAME(clock.Read() >= MilliSeconds(40), true);
    Simulator::Destroy(); // what is planned in an hour is not waited for
    Config::SetDefault("ns3::EsxSteeredScheduler::RealTime", BooleanValue(false));
    Simulator::SetScheduler(ObjectFactory("ns3::MapScheduler"));
}

ESX_CASE(EmptyLab, CaptureReplay, "A capture of a port gives the same records when it is injected")
{
    const std::string path = CreateTempDirFilename("port.pcap");
    {
        Lab captured;
        const auto capture = captured.esx.EnablePcap(path,
                                                     captured.vSwitch,
                                                     captured.a->GetPortId(),
                                                     EsxPcapDirection::INGRESS,
                                                     true);
        captured.ExportThree();
        ESX_SAME(captured.Records(Move::RECEIVED), 3U);
        capture->Close(); // no frame comes any more
        Simulator::Destroy();
    }
    Names::Clear();
    Lab replayed;
    replayed.Start();
    const auto frames = CreateObject<EsxCaptureFrames>();
    NS_TEST_ASSERT_MSG_EQ(frames->Open(path), "", "a readable capture");
    EsxTrafficOptions options;
    options.start = Seconds(1);
    EsxTrafficHelper().Inject(replayed.a->GetNode(), {replayed.b->GetNode()}, frames, options);
    replayed.RunUntil(Seconds(50));
    ESX_SAME(replayed.Records(Move::RECEIVED), 3U);
    ESX_SAME(replayed.books.GetLedger()->GetFlows().size(), 3U);
}

ESX_CASE(EmptyLab, Containers, "Helpers take containers, and set attributes of what they make")
{
    EsxHostHelper esx;
    EsxHostContainer hosts = esx.Install(NodeContainer(2));
    NodeContainer others(2); // a switch, a collector
    EsxEthernetHelper ethernet;
    NetDeviceContainer nics;
    for (uint32_t i = 0; i < hosts.GetN(); ++i)
    {
        nics.Add(ethernet.Install(hosts.Get(i)->GetVmkernelNode(), others.Get(0)).Get(0));
    }
    NetDeviceContainer collectorNic = ethernet.Install(others.Get(1), others.Get(0)).Get(0);
    const auto sw = EsxPhysicalSwitchHelper().Install(others.Get(0));
    ESX_SAME(sw->GetPorts().size(), 3U);

    esx.InstallVSwitch(hosts, "vSwitch0", "VM Network");
    esx.SetUplinkAttribute("Down", BooleanValue(true));
    esx.InstallUplinks(nics, "vSwitch0");
    ESX_SAME(hosts.Get(1)->GetUplinks().at(0)->IsLinkUp(), false);
    Config::Set("/NodeList/*/$ns3::EsxHost/UplinkList/*/Down", BooleanValue(false));
    ESX_SAME(hosts.Get(1)->GetUplinks().at(0)->IsLinkUp(), true);

    esx.SetVmknicAttribute("Mtu", UintegerValue(1400));
    NetDeviceContainer vmknics = esx.InstallVmknics(hosts, "vmk0", "VM Network");
    ESX_SAME(vmknics.Get(1)->GetMtu(), 1400);
    NodeContainer guests(1);
    esx.SetVnicAttribute("Address", Mac48AddressValue("00:50:56:12:34:56"));
    NetDeviceContainer vnics = esx.Install(guests, hosts.Get(0), "VM Network");
    ESX_SAME(Mac48Address::ConvertFrom(vnics.Get(0)->GetAddress()),
             Mac48Address("00:50:56:12:34:56"));

    InternetStackHelper().Install(NodeContainer(guests, others.Get(1)));
    Ipv4AddressHelper addresses("10.0.0.0", "255.255.255.0");
    addresses.Assign(NetDeviceContainer(vmknics, vnics));
    Ipv4InterfaceContainer collector = addresses.Assign(collectorNic);
    EsxNetflowHelper netflow;
    netflow.InstallCollector(NodeContainer(others.Get(1)));
    ESX_SAME(netflow.InstallNetNetflow(hosts, "vSwitch0", collector.GetAddress(0)).GetN(), 2U);
    EsxUdpCbrOptions cbr;
    cbr.start = Seconds(1);
    cbr.stop = Seconds(2);
    EsxTrafficHelper().UdpCbr(guests, others.Get(1), cbr);
    EsxLedgerHelper books;
    books.InstallAll();
    Simulator::Stop(Seconds(60));
    Simulator::Run();
    ESX_SAME(books.GetExpectations()->AllPass(), true);
    NS_TEST_EXPECT_MSG_GT(books.GetLedger()->GetMoved(Move::RECEIVED).records, 2U, "all export");
}

ESX_CASE(Lab, Streams, "One call fixes the random numbers of nodes, links and their traffic")
{
    const NodeContainer nodes(lab.a->GetNode(), lab.collectorNode);
    const int64_t before = EsxHostHelper::AssignStreams(nodes, 1);
    EsxTcpRequestOptions requests;
    requests.every = "ns3::ExponentialRandomVariable[Mean=1]";
    EsxTrafficHelper().TcpRequest(lab.a->GetNode(), lab.b->GetNode(), requests);
    ESX_SAME(EsxHostHelper::AssignStreams(nodes, 1), before + 1);
    const auto impairment = CreateObject<EsxLinkImpairment>();
    impairment->Install(DynamicCast<CsmaNetDevice>(lab.wire.Get(1)),
                        DynamicCast<CsmaNetDevice>(lab.wire.Get(0)));
    ESX_SAME(EsxHostHelper::AssignStreams(nodes, 1), before + 5); // it draws from four
}

ESX_CASE(Lab, RealCollector, "A real collector gets what the simulated one gets")
{
    const int socket = ::socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(at);
    auto* const address = reinterpret_cast<sockaddr*>(&at);
    NS_TEST_ASSERT_MSG_EQ(bind(socket, address, size), 0, "a port of the loopback");
    getsockname(socket, address, &size);
    EsxRealCollectorHelper real(Ipv4Address::GetLoopback(), ntohs(at.sin_port));
    real.Install(lab.host, lab.books.InstallAll());
    lab.ExportThree();
    std::vector<uint8_t> octets(2000);
    const ssize_t got =
        recvfrom(socket, octets.data(), octets.size(), MSG_DONTWAIT, address, &size);
    close(socket);
    ESX_SAME(got, 24 + 3 * 48);
    octets.resize(std::max<ssize_t>(got, 24));
    const ReadDatagram read =
        ReadDatagram::Read(Create<Packet>(octets.data(), static_cast<uint32_t>(octets.size())));
    ESX_SAME(read.count, 3);
    ESX_SAME(read.records.at(2).source, Ipv4Address("10.0.0.11").Get());
    ESX_SAME(ntohl(at.sin_addr.s_addr), Ipv4Address("127.0.0.2").Get());
    ESX_SAME(real.GetCounts().sent, 1U);
    ESX_SAME(real.GetCounts().refused + real.GetCounts().failed, 0U);
}

ESX_CASE(Lab, ResultFolder, "A script writes the tables of its run, with the books' numbers")
{
    lab.books.InstallAll();
    EsxResultsHelper results;
    results.Install(lab.books.GetLedger());
    lab.ExportThree();
    const std::string folder = CreateTempDirFilename("run");
    results.Write(folder, lab.books.GetExpectations());
    const auto lines = [&folder](const std::string& name) {
        std::ifstream file(folder + "/" + name);
        return std::count(std::istreambuf_iterator<char>(file), {}, '\n');
    };
    ESX_SAME(lines("records.csv"), 1 + 3);
    ESX_SAME(lines("flows-truth.csv"), 1 + 3);
    ESX_SAME(lines("flows-collected.csv"), 1 + 3);
    ESX_SAME(lines("datagrams.csv"), 1 + 1);
    ESX_SAME(lines("series.csv"), 1 + 21); // from 0 s to 20 s
    std::ifstream summary(folder + "/summary.json");
    const std::string text(std::istreambuf_iterator<char>(summary), {});
    NS_TEST_EXPECT_MSG_NE(text.find("\"name\": \"run\""), std::string::npos, text);
    ESX_SAME(lines("lab.json") > 10, true);
}

} // namespace

std::vector<TestCase*>
EsxScriptCases()
{
    return {new RecordsAreTold,
            new DatagramsAreTold,
            new LevelsAreTraced,
            new EventHeap,
            new RealTime,
            new CaptureReplay,
            new Containers,
            new Streams,
            new RealCollector,
            new ResultFolder};
}
