// SPDX-License-Identifier: GPL-2.0-only
// Writes a capture of made traffic whose flow records are known, and prints what they must be.
//   bench-workload w1|w2|w3|w4 FILE [PACKETS [SEED]]
//     w1  few flows: 500 conversations, both directions, over 120 s          (10 M packets)
//     w2  many: 1 M flows, each with a packet at least, the rest Zipf 1.05, 12 s  (5 M packets)
//     w3  scan: flows of one to three packets within a second, over 120 s     (5 M packets)
//     w4  long: 2000 flows over 900 s, so that the active timeout matters     (2 M packets)
// Snap length 64. The same arguments give the same octets on every machine of the same byte order.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace
{

constexpr int64_t START_US = 1'200'000'000'000'000; // January 2008
constexpr int64_t SECOND_US = 1'000'000;
constexpr int64_t IDLE_US = 15 * SECOND_US;
constexpr int64_t ACTIVE_US = 300 * SECOND_US;
constexpr std::size_t SNAP_LENGTH = 64;
constexpr std::size_t IP_AT = 14;
constexpr std::size_t TRANSPORT_AT = 34;
constexpr uint8_t TCP = 6;
constexpr uint8_t UDP = 17;

/// splitmix64: the same numbers everywhere.
class Random
{
  public:
    explicit Random(uint64_t seed)
        : m_state(seed)
    {
    }

    uint64_t Next()
    {
        m_state += 0x9e3779b97f4a7c15;
        uint64_t z = m_state;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    uint32_t Below(uint64_t bound)
    {
        return static_cast<uint32_t>((Next() >> 32) * bound >> 32);
    }

    double Fraction()
    {
        return static_cast<double>(Next() >> 11) * 0x1.0p-53;
    }

  private:
    uint64_t m_state;
};

struct Flow
{
    uint32_t source;
    uint32_t destination;
    uint16_t sourcePort;
    uint16_t destinationPort;
    uint8_t protocol;
    // truth
    int64_t first{-1}; // of the present record
    int64_t last{0};
};

/// The capture and the truth about it.
class Workload
{
  public:
    Workload(const char* path, uint64_t seed)
        : m_random(seed),
          m_file(std::fopen(path, "wb"))
    {
        if (!m_file)
        {
            std::perror(path);
            std::exit(1);
        }
        std::setvbuf(m_file, nullptr, _IOFBF, 1 << 20);
        const uint32_t header[6] = {0xa1b2c3d4, 0x00040002, 0, 0, SNAP_LENGTH, 1};
        std::fwrite(header, sizeof(header), 1, m_file);
    }

    ~Workload()
    {
        if (std::fclose(m_file) != 0)
        {
            std::perror("writing");
            std::exit(1);
        }
    }

    Random& GetRandom()
    {
        return m_random;
    }

    /// A flow unlike all others of this workload.
    Flow MakeFlow()
    {
        // An odd factor permutes the numbers of 38 bits: 18 of the source, 20 of the destination.
        const uint64_t number = m_flows++ * 0x2545f4914f6cdd1d & ((uint64_t{1} << 38) - 1);
        Flow flow = {};
        flow.source = 0x0a000000U | static_cast<uint32_t>(number & 0x3ffff);
        flow.destination = 0xac100000U | static_cast<uint32_t>(number >> 18);
        flow.sourcePort = static_cast<uint16_t>(1024 + m_random.Below(64000));
        flow.destinationPort = static_cast<uint16_t>(1 + m_random.Below(10000));
        flow.protocol = m_random.Below(5) ? TCP : UDP;
        flow.first = -1;
        return flow;
    }

    /// One of the usual lengths of an IP packet.
    uint16_t MakeLength()
    {
        static constexpr uint16_t LENGTHS[] = {40, 52, 64, 256, 576, 1420, 1500, 1500};
        return LENGTHS[m_random.Below(8)];
    }

    void Write(Flow& flow, int64_t us, uint16_t length, uint8_t tcpFlags)
    {
        uint8_t frame[SNAP_LENGTH] =
            {0x00, 0x50, 0x56, 0, 0, 2, 0x00, 0x50, 0x56, 0, 0, 1, 0x08, 0};
        uint8_t* ip = frame + IP_AT;
        ip[0] = 0x45;
        Put16(ip + 2, length);
        Put16(ip + 4, static_cast<uint16_t>(m_packets));
        ip[8] = 64;
        ip[9] = flow.protocol;
        Put32(ip + 12, flow.source);
        Put32(ip + 16, flow.destination);
        Put16(ip + 10, Checksum(ip));
        uint8_t* transport = frame + TRANSPORT_AT;
        Put16(transport, flow.sourcePort);
        Put16(transport + 2, flow.destinationPort);
        if (flow.protocol == TCP)
        {
            transport[12] = 0x50;
            transport[13] = tcpFlags;
        }
        else
        {
            Put16(transport + 4, static_cast<uint16_t>(length - 20));
        }
        const uint32_t wire = std::max<uint32_t>(60, length + IP_AT); // Ethernet pads to 60
        const uint32_t captured = std::min<uint32_t>(SNAP_LENGTH, wire);
        const int64_t time = START_US + us;
        const uint32_t header[4] = {static_cast<uint32_t>(time / SECOND_US),
                                    static_cast<uint32_t>(time % SECOND_US),
                                    captured,
                                    wire};
        std::fwrite(header, sizeof(header), 1, m_file);
        std::fwrite(frame, captured, 1, m_file);
        Track(flow, us, length);
    }

    void PrintTruth() const
    {
        std::printf("packets=%llu\noctets=%llu\nflows=%llu\nrecords=%llu\n",
                    static_cast<unsigned long long>(m_packets),
                    static_cast<unsigned long long>(m_octets),
                    static_cast<unsigned long long>(m_seen),
                    static_cast<unsigned long long>(m_records));
    }

  private:
    static void Put16(uint8_t* at, uint16_t value)
    {
        at[0] = static_cast<uint8_t>(value >> 8);
        at[1] = static_cast<uint8_t>(value);
    }

    static void Put32(uint8_t* at, uint32_t value)
    {
        Put16(at, static_cast<uint16_t>(value >> 16));
        Put16(at + 2, static_cast<uint16_t>(value));
    }

    static uint16_t Checksum(const uint8_t* ip)
    {
        uint32_t sum = 0;
        for (int i = 0; i < 20; i += 2)
        {
            sum += static_cast<uint32_t>(ip[i] << 8 | ip[i + 1]);
        }
        sum = (sum & 0xffff) + (sum >> 16);
        return static_cast<uint16_t>(~(sum + (sum >> 16)));
    }

    /// Timeouts of 15 s and 5 min, as the exporter applies them.
    void Track(Flow& flow, int64_t us, uint16_t length)
    {
        ++m_packets;
        m_octets += length;
        m_seen += flow.first < 0;
        if (flow.first < 0 || us - flow.last > IDLE_US || us - flow.first > ACTIVE_US)
        {
            ++m_records;
            flow.first = us;
        }
        flow.last = us;
    }

    Random m_random;
    std::FILE* m_file;
    uint64_t m_flows{0}; // made
    uint64_t m_packets{0};
    uint64_t m_octets{0};
    uint64_t m_seen{0}; // flows with a packet
    uint64_t m_records{0};
};

/// Conversations whose packets come at random: every second flow answers the one before it.
void
WriteConversations(Workload& workload, uint32_t conversations, int64_t us, uint64_t packets)
{
    std::vector<Flow> flows;
    for (uint32_t i = 0; i < conversations; ++i)
    {
        flows.push_back(workload.MakeFlow());
        Flow answer = flows.back();
        std::swap(answer.source, answer.destination);
        std::swap(answer.sourcePort, answer.destinationPort);
        flows.push_back(answer);
    }
    for (uint64_t i = 0; i < packets; ++i)
    {
        Flow& flow = flows[workload.GetRandom().Below(flows.size())];
        const auto time = static_cast<int64_t>(static_cast<double>(us) * static_cast<double>(i) /
                                               static_cast<double>(packets));
        workload.Write(flow, time, workload.MakeLength(), 0x10);
    }
}

void
WriteManyFlows(Workload& workload, uint64_t packets)
{
    constexpr double EXPONENT = 1.05;
    const auto count = static_cast<std::size_t>(std::min<uint64_t>(1'000'000, packets));
    std::vector<Flow> flows;
    std::vector<double> weights; // summed up
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i)
    {
        flows.push_back(workload.MakeFlow());
        sum += std::pow(static_cast<double>(i + 1), -EXPONENT);
        weights.push_back(sum);
    }
    Random& random = workload.GetRandom();
    std::vector<uint32_t> order;
    for (uint64_t i = 0; i < packets; ++i)
    {
        const auto chosen =
            std::lower_bound(weights.begin(), weights.end(), random.Fraction() * sum);
        order.push_back(i < count ? static_cast<uint32_t>(i)
                                  : static_cast<uint32_t>(chosen - weights.begin()));
    }
    for (std::size_t i = order.size() - 1; i > 0; --i)
    {
        std::swap(order[i], order[random.Below(i + 1)]);
    }
    for (uint64_t i = 0; i < packets; ++i)
    {
        workload.Write(
            flows[order[i]],
            static_cast<int64_t>(12e6 * static_cast<double>(i) / static_cast<double>(packets)),
            workload.MakeLength(),
            0x10);
    }
}

void
WriteScan(Workload& workload, uint64_t packets)
{
    struct Event
    {
        int64_t us;
        uint32_t flow;
    };

    static constexpr int64_t DELAYS_US[] = {0, 200'000, 1'000'000};
    Random& random = workload.GetRandom();
    std::vector<Flow> flows;
    std::vector<Event> events;
    const double expected = static_cast<double>(packets) / 2; // two packets a flow on average
    while (events.size() < packets)
    {
        const auto start = static_cast<int64_t>(
            119e6 * std::min(1.0, static_cast<double>(flows.size()) / expected));
        const uint32_t count = 1 + random.Below(3);
        for (uint32_t i = 0; i < count && events.size() < packets; ++i)
        {
            events.push_back({start + DELAYS_US[i], static_cast<uint32_t>(flows.size())});
        }
        flows.push_back(workload.MakeFlow());
    }
    std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
        return a.us < b.us;
    });
    for (const Event& event : events)
    {
        workload.Write(flows[event.flow],
                       event.us,
                       flows[event.flow].protocol == TCP ? 40 : 48,
                       0x02);
    }
}

} // namespace

int
main(int argc, char** argv)
{
    const std::string name = argc > 1 ? argv[1] : "";
    if (argc < 3 || argc > 5 || name.size() != 2 || name[0] != 'w' || name[1] < '1' ||
        name[1] > '4')
    {
        std::fprintf(stderr, "usage: bench-workload w1|w2|w3|w4 FILE [PACKETS [SEED]]\n");
        return 2;
    }
    static constexpr uint64_t PACKETS[] = {10'000'000, 5'000'000, 5'000'000, 2'000'000};
    const unsigned number = static_cast<unsigned>(name[1] - '1');
    const uint64_t packets = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : PACKETS[number];
    const uint64_t seed = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 1;
    if (packets == 0)
    {
        std::fprintf(stderr, "bench-workload: PACKETS is a number of at least 1\n");
        return 2;
    }
    Workload workload(argv[2], seed * 4 + number);
    switch (number)
    {
    case 0:
        WriteConversations(workload, 500, 120 * SECOND_US, packets);
        break;
    case 1:
        WriteManyFlows(workload, packets);
        break;
    case 2:
        WriteScan(workload, packets);
        break;
    default:
        WriteConversations(workload, 1000, 900 * SECOND_US, packets);
        break;
    }
    workload.PrintTruth();
    return 0;
}
