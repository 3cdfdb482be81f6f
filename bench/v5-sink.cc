// SPDX-License-Identifier: GPL-2.0-only
// Receives NetFlow version 5 on a UDP port of the loopback until SIGTERM, then prints the totals.
// Never the bottleneck: it reads many datagrams a call, and its buffer holds a whole workload where
// the system allows that.
//   bench-v5-sink     prints the port first
#include "netflow/v5-codec.h"

#include <arpa/inet.h>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <map>
#include <sys/socket.h>
#include <sys/time.h>
#include <vector>

namespace
{

constexpr std::size_t BATCH = 64;
constexpr std::size_t LARGEST = 2048;
constexpr int BUFFER = 1 << 29;

volatile std::sig_atomic_t g_end = 0;

struct Totals
{
    unsigned long long datagrams{0};
    unsigned long long bad{0};
    unsigned long long records{0};
    unsigned long long packets{0};
    unsigned long long octets{0};
    unsigned long long gaps{0};
    unsigned long long negative{0};              // records that end before they begin
    std::map<uint16_t, uint32_t> nextSequence{}; // by engine
};

void
Count(Totals& totals,
      const uint8_t* data,
      std::size_t size,
      std::vector<netflow::V5Record>& records)
{
    netflow::V5Header header;
    ++totals.datagrams;
    if (netflow::DecodeV5(data, size, header, records) != netflow::V5Error::NONE)
    {
        ++totals.bad;
        return;
    }
    const auto engine = static_cast<uint16_t>(header.engineType << 8 | header.engineId);
    const auto next = totals.nextSequence.find(engine);
    totals.gaps += next != totals.nextSequence.end() && next->second != header.flowSequence;
    totals.nextSequence[engine] = header.flowSequence + header.count;
    for (const netflow::V5Record& record : records)
    {
        ++totals.records;
        totals.packets += record.dPkts;
        totals.octets += record.dOctets;
        totals.negative += static_cast<int32_t>(record.last - record.first) < 0;
    }
}

} // namespace

int
main()
{
    const int socket = ::socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    if (setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &BUFFER, sizeof(BUFFER)) != 0)
    {
        setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &BUFFER, sizeof(BUFFER));
    }
    const timeval wait = {0, 100'000}; // a signal may come between looking and waiting
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    if (bind(socket, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
        getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0)
    {
        std::perror("bench-v5-sink");
        return 1;
    }
    struct sigaction end = {};
    end.sa_handler = [](int) { g_end = 1; }; // no SA_RESTART: a waiting call ends
    sigaction(SIGTERM, &end, nullptr);
    std::printf("%d\n", ntohs(address.sin_port));
    std::fflush(stdout);

    static uint8_t buffers[BATCH][LARGEST];
    iovec pieces[BATCH];
    mmsghdr messages[BATCH] = {};
    for (std::size_t i = 0; i < BATCH; ++i)
    {
        pieces[i] = {buffers[i], LARGEST};
        messages[i].msg_hdr.msg_iov = &pieces[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    Totals totals;
    std::vector<netflow::V5Record> records;
    for (;;)
    {
        // After the signal: what is there already, but no waiting.
        const int flags = g_end ? MSG_DONTWAIT : MSG_WAITFORONE;
        const int count = recvmmsg(socket, messages, BATCH, flags, nullptr);
        if (count < 0 && g_end && errno != EINTR)
        {
            break; // nothing is left
        }
        for (int i = 0; i < count; ++i)
        {
            Count(totals, buffers[i], messages[i].msg_len, records);
        }
    }
    std::printf("datagrams=%llu bad=%llu records=%llu packets=%llu octets=%llu gaps=%llu "
                "negative=%llu\n",
                totals.datagrams,
                totals.bad,
                totals.records,
                totals.packets,
                totals.octets,
                totals.gaps,
                totals.negative);
    return 0;
}
