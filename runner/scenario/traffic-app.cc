// SPDX-License-Identifier: GPL-2.0-only
#include "runner/scenario/traffic-app.h"

#include <algorithm>
#include <stdexcept>

namespace esxnf
{

namespace
{

constexpr uint8_t ICMP = 1;
constexpr uint8_t TCP = 6;
constexpr uint8_t UDP = 17;

constexpr const char* UDP_SINK = "ns3::UdpSocketFactory";
constexpr const char* TCP_SINK = "ns3::TcpSocketFactory";
constexpr const char* STACK = "";

constexpr auto EACH = TrafficKind::EachReceiver;

} // namespace

const std::vector<TrafficApp>&
GetTrafficApps()
{
    using App = TrafficApp;
    static const std::vector<TrafficApp> apps{
        {"udp-cbr",
         EACH,
         "ns3::EsxUdpCbr",
         UDP_SINK,
         UDP,
         App::PORTS | App::ONE_WAY | App::CONSTANT},
        {"udp-on-off", EACH, "ns3::OnOffApplication", UDP_SINK, UDP, App::PORTS | App::ONE_WAY},
        {"tcp-bulk", EACH, "ns3::BulkSendApplication", TCP_SINK, TCP, App::PORTS},
        {"tcp-request",
         EACH,
         "ns3::EsxTcpRequestClient",
         "ns3::EsxTcpRequestServer",
         TCP,
         App::PORTS},
        {"tcp-syn-scan", TrafficKind::AllReceivers, "ns3::EsxTcpSynScan", STACK, TCP, App::PORTS},
        {"flows", TrafficKind::Flows, "ns3::EsxSyntheticFlows", STACK, 0, App::ONE_WAY},
        {"pcap", TrafficKind::Capture, "ns3::EsxCaptureFrames", STACK, 0, 0},
        {"icmp-echo", EACH, "ns3::EsxIcmpEcho", STACK, ICMP, 0}};
    return apps;
}

const TrafficApp&
FindTrafficApp(const std::string& word)
{
    const auto& apps = GetTrafficApps();
    const auto isIt = [&word](const TrafficApp& app) { return app.word == word; };
    const auto found = std::find_if(apps.begin(), apps.end(), isIt);
    if (found == apps.end())
    {
        throw std::logic_error("traffic-app.cc has no row for " + word);
    }
    return *found;
}

} // namespace esxnf
