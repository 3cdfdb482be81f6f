// SPDX-License-Identifier: GPL-2.0-only
#include "runner/probe/peer.h"

#include "netflow/sequence-tracker.h"
#include "runner/base/child-process.h"
#include "runner/base/interrupt.h"
#include "runner/base/user-error.h"
#include "runner/probe/udp-listener.h"

#include <algorithm>
#include <arpa/inet.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace esxnf
{

namespace
{

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::chrono::milliseconds POLL_INTERVAL{20};
constexpr unsigned MAX_FLOWS = 4'000'000; // softflowd's default of 8192 would lose flows

/// A folder that ends with this object.
class TemporaryFolder
{
  public:
    TemporaryFolder()
    {
        std::string name = (fs::temp_directory_path() / "esx-netflow-XXXXXX").string();
        if (!mkdtemp(name.data()))
        {
            throw UserError(name + ": the folder cannot be made");
        }
        m_path = name;
    }

    ~TemporaryFolder()
    {
        std::error_code ignored;
        fs::remove_all(m_path, ignored);
    }

    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    std::string operator/(const std::string& name) const
    {
        return (m_path / name).string();
    }

  private:
    fs::path m_path;
};

/// The program's path. \param package that has it
std::string
Need(const std::string& program, const std::string& package)
{
    std::string path = ChildProcess::Find(program);
    if (path.empty())
    {
        throw UserError(fmt::format("{} is not installed: apt-get install {}", program, package));
    }
    return path;
}

void
RequireSuccess(const std::string& program, int exitStatus, const std::string& errorFile)
{
    if (exitStatus != 0)
    {
        std::ostringstream errors;
        errors << std::ifstream(errorFile).rdbuf();
        std::string text = errors.str();
        text.erase(text.find_last_not_of('\n') + 1);
        throw UserError(fmt::format("{} ended with {}{}{}",
                                    program,
                                    exitStatus,
                                    text.empty() ? "" : ": ",
                                    text.substr(text.rfind('\n') + 1)));
    }
}

void
ThrowIfInterrupted(const InterruptCatcher& interrupt)
{
    if (interrupt.WasInterrupted())
    {
        throw InterruptedError();
    }
}

/// Sums the records of one exporter's datagrams.
class DatagramSums
{
  public:
    void Take(const netflow::UdpDatagram& datagram)
    {
        netflow::V5Header header;
        const netflow::V5Error error =
            netflow::DecodeV5(datagram.data, datagram.size, header, m_records);
        if (error != netflow::V5Error::NONE)
        {
            throw UserError(fmt::format("a datagram is refused: {}", netflow::ToString(error)));
        }
        m_sequence.Take(header);
        if (m_sequence.GetCounts().missing > 0)
        {
            throw UserError(fmt::format("{} records were lost on their way here",
                                        m_sequence.GetCounts().missing));
        }
        for (const netflow::V5Record& record : m_records)
        {
            ComparedFlow& flow = flows
                [{record.srcAddr, record.dstAddr, record.prot, record.srcPort, record.dstPort}];
            flow.packets += record.dPkts;
            flow.octets += record.dOctets;
            ++flow.records;
            flow.tcpFlags |= record.tcpFlags;
            flow.tos.insert(record.tos);
        }
    }

    ComparedFlows flows;

  private:
    std::vector<netflow::V5Record> m_records;
    netflow::SequenceTracker m_sequence;
};

ComparedFlows
RunSoftflowd(const PeerRun& run, const InterruptCatcher& interrupt)
{
    const std::string program = Need("softflowd", "softflowd");
    const TemporaryFolder folder;
    UdpListener listener({"127.0.0.1", 0});
    std::vector<std::string> command = {program,
                                        "-d",
                                        "-r",
                                        run.capture,
                                        "-v",
                                        "5",
                                        "-n",
                                        listener.GetLocal().ToString(),
                                        "-m",
                                        std::to_string(MAX_FLOWS),
                                        "-p",
                                        folder / "pid",
                                        "-c",
                                        "none"};
    for (const char* timeout : {"udp", "tcp", "tcp.rst", "tcp.fin", "icmp", "general"})
    {
        command.insert(command.end(), {"-t", fmt::format("{}={}", timeout, run.idleSeconds)});
    }
    command.insert(command.end(), {"-t", fmt::format("maxlife={}", run.activeSeconds)});
    const std::string errorFile = folder / "errors";
    ChildProcess process(command, "/dev/null", errorFile);
    DatagramSums sums;
    netflow::UdpDatagram datagram;
    for (bool running = true; running;)
    {
        running = !process.Poll(); // before looking: what it sent before its end is there then
        while (listener.Receive(running ? POLL_INTERVAL : std::chrono::milliseconds(0), datagram))
        {
            sums.Take(datagram);
        }
        ThrowIfInterrupted(interrupt);
    }
    RequireSuccess("softflowd", process.Wait(), errorFile);
    return sums.flows;
}

uint32_t
ToAddress(const std::string& text)
{
    in_addr address = {};
    inet_pton(AF_INET, text.c_str(), &address);
    return ntohl(address.s_addr);
}

uint8_t
ToFlags(const std::string& text)
{
    uint8_t flags = 0;
    for (char letter : text) // "...AP.SF"
    {
        flags = static_cast<uint8_t>(flags << 1 | (letter != '.'));
    }
    return flags;
}

/// The IPv4 flows of nfdump's JSON.
ComparedFlows
ReadNfdumpJson(const std::string& path)
{
    ComparedFlows flows;
    std::ifstream file(path);
    const Json document = Json::parse(file, nullptr, false);
    if (!document.is_array()) // nfdump writes a line of text if there is no flow
    {
        return flows;
    }
    for (const Json& row : document)
    {
        const auto outer = // nfdump 1.7.1 writes a blank, 1.7.5 does not
            row.value("tun_proto", row.value("tun proto", uint8_t{0}));
        if (outer != 0 && row.contains("src4_tun_ip"))
        {
            const ComparedKey tunnel{ToAddress(row.at("src4_tun_ip")),
                                     ToAddress(row.at("dst4_tun_ip")),
                                     outer,
                                     0,
                                     0};
            flows[tunnel].decapsulated = true;
        }
        if (!row.contains("src4_addr"))
        {
            continue;
        }
        const unsigned icmp = row.value("icmp_type", 0U) << 8 | row.value("icmp_code", 0U);
        ComparedFlow& flow = flows[{ToAddress(row.at("src4_addr")),
                                    ToAddress(row.at("dst4_addr")),
                                    row.at("proto").get<uint8_t>(),
                                    row.value("src_port", uint16_t{0}),
                                    row.value("dst_port", static_cast<uint16_t>(icmp))}];
        flow.packets += row.at("in_packets").get<uint64_t>();
        flow.octets += row.at("in_bytes").get<uint64_t>();
        ++flow.records;
        flow.tcpFlags |= ToFlags(row.value("tcp_flags", ""));
        flow.tos.insert(row.value("src_tos", uint8_t{0}));
        flow.decapsulated |= outer != 0;
    }
    return flows;
}

ComparedFlows
RunNfpcapd(const PeerRun& run, const InterruptCatcher& interrupt)
{
    const std::string meter = Need("nfpcapd", "nfdump");
    const std::string reader = Need("nfdump", "nfdump");
    const TemporaryFolder folder;
    const std::string flowFolder = folder / "flows";
    fs::create_directory(flowFolder);
    const std::string errorFile = folder / "errors";
    const std::string timeouts = fmt::format("{},{}", run.activeSeconds, run.idleSeconds);
    ChildProcess metering({meter,
                           "-r",
                           run.capture,
                           "-w",
                           flowFolder,
                           "-e",
                           timeouts,
                           "-B",
                           std::to_string(MAX_FLOWS)},
                          "/dev/null",
                          errorFile);
    RequireSuccess("nfpcapd", metering.Wait(), errorFile);
    ThrowIfInterrupted(interrupt);
    const std::string table = folder / "flows.json";
    ChildProcess reading({reader, "-R", flowFolder, "-o", "json"}, table, errorFile);
    RequireSuccess("nfdump", reading.Wait(), errorFile);
    ThrowIfInterrupted(interrupt);
    return ReadNfdumpJson(table);
}

} // namespace

const std::vector<std::string>&
PeerNames()
{
    static const std::vector<std::string> NAMES = {"softflowd", "nfpcapd"};
    return NAMES;
}

ComparedFlows
RunPeer(const std::string& name, const PeerRun& run, const InterruptCatcher& interrupt)
{
    return name == "softflowd" ? RunSoftflowd(run, interrupt) : RunNfpcapd(run, interrupt);
}

} // namespace esxnf
