// SPDX-License-Identifier: GPL-2.0-only
#include "esx-real-collector-helper.h"

#include "ns3/abort.h"
#include "ns3/esx-host.h"
#include "ns3/esx-table.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <map>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace ns3
{

namespace
{

sockaddr_in
MakeAddress(uint32_t address, uint16_t port)
{
    sockaddr_in made{};
    made.sin_family = AF_INET;
    made.sin_addr.s_addr = htonl(address);
    made.sin_port = htons(port);
    return made;
}

/// A UDP socket from one address to one collector.
class Sender
{
  public:
    Sender(const sockaddr_in& from, const sockaddr_in& to)
        : m_socket(socket(AF_INET, SOCK_DGRAM, 0))
    {
        const auto* source = reinterpret_cast<const sockaddr*>(&from);
        const auto* target = reinterpret_cast<const sockaddr*>(&to);
        NS_ABORT_MSG_IF(m_socket < 0 || bind(m_socket, source, sizeof(from)) != 0 ||
                            connect(m_socket, target, sizeof(to)) != 0,
                        "no socket from " << EsxDotted(ntohl(from.sin_addr.s_addr))
                                          << " to the real collector: " << std::strerror(errno));
    }

    ~Sender()
    {
        close(m_socket);
    }

    Sender(const Sender&) = delete;
    Sender& operator=(const Sender&) = delete;

    void Send(const std::vector<uint8_t>& octets, EsxRealCollectorHelper::Counts& counts) const
    {
        const auto send = [&] { return ::send(m_socket, octets.data(), octets.size(), 0) >= 0; };
        bool isSent = send();
        if (!isSent && errno == ECONNREFUSED) // told of an earlier one; this one was not tried
        {
            ++counts.refused;
            isSent = send();
        }
        ++(isSent ? counts.sent : counts.failed);
    }

  private:
    const int m_socket;
};

} // namespace

EsxRealCollectorHelper::EsxRealCollectorHelper(Ipv4Address collector, uint16_t port)
    : m_collector(collector),
      m_port(port),
      m_counts(std::make_shared<Counts>())
{
}

void
EsxRealCollectorHelper::Install(const EsxHostContainer& hosts, const Ptr<EsxLedger>& ledger) const
{
    NS_ABORT_MSG_UNLESS(ledger, "install a ledger before a real collector");
    const bool isLoopback = m_collector.CombineMask("255.0.0.0") == Ipv4Address("127.0.0.0");
    const auto senders = std::make_shared<std::map<uint32_t, Sender>>(); // by node ID
    for (uint32_t i = 0; i < hosts.GetN(); ++i)
    {
        senders->try_emplace(hosts.Get(i)->GetVmkernelNode()->GetId(),
                             MakeAddress(isLoopback ? 0x7f000002 + i : INADDR_ANY, 0),
                             MakeAddress(m_collector.Get(), m_port));
    }
    ledger->GetTracker()->TraceConnectWithoutContext(
        "Exported",
        Callback<void, const EsxExportDatagram&, Ptr<const Packet>>(
            [senders, counts = m_counts](const EsxExportDatagram& datagram,
                                         Ptr<const Packet> packet) {
                constexpr std::size_t HEADERS = 20 + 8; // IPv4 without options, UDP
                const auto sender = senders->find(datagram.exporter);
                if (sender != senders->end())
                {
                    std::vector<uint8_t> octets(packet->GetSize());
                    packet->CopyData(octets.data(), octets.size());
                    const std::size_t whole = 20 + (octets[24] << 8 | octets[25]);
                    if (whole != octets.size()) // the first of several fragments
                    {
                        ++counts->failed;
                        return;
                    }
                    octets.erase(octets.begin(), octets.begin() + HEADERS);
                    sender->second.Send(octets, *counts);
                }
            }));
}

EsxRealCollectorHelper::Counts
EsxRealCollectorHelper::GetCounts() const
{
    return *m_counts;
}

} // namespace ns3
