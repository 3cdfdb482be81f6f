// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/v5-codec.h"
#include "tests/netflow/testing.h"

#include <set>

namespace netflow
{
namespace
{

using test::Bytes;

V5Error
Decode(const Bytes& bytes, V5Header& header, std::vector<V5Record>& records)
{
    const std::unique_ptr<uint8_t[]> buffer(new uint8_t[bytes.size()]); // exactly sized
    std::copy(bytes.begin(), bytes.end(), buffer.get());
    return DecodeV5(buffer.get(), bytes.size(), header, records);
}

V5Error
Decode(const Bytes& bytes)
{
    V5Header header;
    std::vector<V5Record> records(3);
    const V5Error error = Decode(bytes, header, records);
    if (error != V5Error::NONE)
    {
        EXPECT_TRUE(records.empty()) << "a refused datagram has no records";
        EXPECT_EQ(header.count, 0);
    }
    return error;
}

Bytes
Encode(const V5Header& header, const std::vector<V5Record>& records)
{
    Bytes bytes(V5_HEADER_OCTETS + records.size() * V5_RECORD_OCTETS);
    EncodeV5Header(header, bytes.data());
    for (std::size_t i = 0; i < records.size(); ++i)
    {
        EncodeV5Record(records[i], bytes.data() + V5_HEADER_OCTETS + i * V5_RECORD_OCTETS);
    }
    return bytes;
}

/// One record, every octet of the datagram another one, written down from the format's table.
Bytes
HandWritten()
{
    return {
        0x00, 0x05,             // version
        0x00, 0x01,             // count
        0x01, 0x02, 0x03, 0x04, // SysUptime
        0x05, 0x06, 0x07, 0x08, // unix_secs
        0x09, 0x0a, 0x0b, 0x0c, // unix_nsecs
        0x0d, 0x0e, 0x0f, 0x10, // flow_sequence
        0x11,                   // engine_type
        0x12,                   // engine_id
        0x13, 0x14,             // sampling
        0x20, 0x21, 0x22, 0x23, // srcaddr
        0x24, 0x25, 0x26, 0x27, // dstaddr
        0x28, 0x29, 0x2a, 0x2b, // nexthop
        0x2c, 0x2d,             // input
        0x2e, 0x2f,             // output
        0x30, 0x31, 0x32, 0x33, // dPkts
        0x34, 0x35, 0x36, 0x37, // dOctets
        0x38, 0x39, 0x3a, 0x3b, // First
        0x3c, 0x3d, 0x3e, 0x3f, // Last
        0x40, 0x41,             // srcport
        0x42, 0x43,             // dstport
        0x44,                   // pad1
        0x45,                   // tcp_flags
        0x46,                   // prot
        0x47,                   // tos
        0x48, 0x49,             // src_as
        0x4a, 0x4b,             // dst_as
        0x4c,                   // src_mask
        0x4d,                   // dst_mask
        0x4e, 0x4f,             // pad2
    };
}

TEST(V5Codec, SizesAreThoseOfTheFormat)
{
    EXPECT_EQ(HandWritten().size(), 24U + 48U);
    EXPECT_EQ(V5_MAX_OCTETS, 1464U);
}

TEST(V5Codec, EveryFieldIsDecodedFromItsOffset)
{
    V5Header header;
    std::vector<V5Record> records;
    ASSERT_EQ(Decode(HandWritten(), header, records), V5Error::NONE);
    EXPECT_EQ(header.count, 1);
    EXPECT_EQ(header.sysUptime, 0x01020304U);
    EXPECT_EQ(header.unixSecs, 0x05060708U);
    EXPECT_EQ(header.unixNsecs, 0x090a0b0cU);
    EXPECT_EQ(header.flowSequence, 0x0d0e0f10U);
    EXPECT_EQ(header.engineType, 0x11);
    EXPECT_EQ(header.engineId, 0x12);
    EXPECT_EQ(header.samplingMode, 0);
    EXPECT_EQ(header.samplingInterval, 0x1314);
    ASSERT_EQ(records.size(), 1U);
    const V5Record& record = records[0];
    EXPECT_EQ(record.srcAddr, 0x20212223U);
    EXPECT_EQ(record.dstAddr, 0x24252627U);
    EXPECT_EQ(record.nextHop, 0x28292a2bU);
    EXPECT_EQ(record.input, 0x2c2d);
    EXPECT_EQ(record.output, 0x2e2f);
    EXPECT_EQ(record.dPkts, 0x30313233U);
    EXPECT_EQ(record.dOctets, 0x34353637U);
    EXPECT_EQ(record.first, 0x38393a3bU);
    EXPECT_EQ(record.last, 0x3c3d3e3fU);
    EXPECT_EQ(record.srcPort, 0x4041);
    EXPECT_EQ(record.dstPort, 0x4243);
    EXPECT_EQ(record.pad1, 0x44);
    EXPECT_EQ(record.tcpFlags, 0x45);
    EXPECT_EQ(record.prot, 0x46);
    EXPECT_EQ(record.tos, 0x47);
    EXPECT_EQ(record.srcAs, 0x4849);
    EXPECT_EQ(record.dstAs, 0x4a4b);
    EXPECT_EQ(record.srcMask, 0x4c);
    EXPECT_EQ(record.dstMask, 0x4d);
    EXPECT_EQ(record.pad2, 0x4e4f);
}

TEST(V5Codec, EncodeOfDecodeGivesTheSameOctets)
{
    for (const Bytes& bytes : {HandWritten(), test::ReadData("telegraf_v5.bin")})
    {
        V5Header header;
        std::vector<V5Record> records;
        ASSERT_EQ(Decode(bytes, header, records), V5Error::NONE);
        EXPECT_EQ(Encode(header, records), bytes);
    }
}

TEST(V5Codec, SamplingModeAndIntervalAreApart)
{
    Bytes bytes = HandWritten();
    for (const auto& [word, mode, interval] : {std::tuple<unsigned, unsigned, unsigned>{0, 0, 0},
                                               {0x4064, 1, 100},
                                               {0xc000, 3, 0},
                                               {0x3fff, 0, 16383},
                                               {0xffff, 3, 16383}})
    {
        bytes[22] = static_cast<uint8_t>(word >> 8);
        bytes[23] = static_cast<uint8_t>(word);
        V5Header header;
        std::vector<V5Record> records;
        ASSERT_EQ(Decode(bytes, header, records), V5Error::NONE);
        EXPECT_EQ(header.samplingMode, mode);
        EXPECT_EQ(header.samplingInterval, interval);
        EXPECT_EQ(Encode(header, records), bytes);
    }
}

TEST(V5Codec, TimesBeforeAndAfterTheHeaderAreTheNearestOnes)
{
    V5Header header;
    header.sysUptime = 10'000;
    header.unixSecs = 1'700'000'000;
    header.unixNsecs = 999'999'999;
    const int64_t now = 1'700'000'000'999'999'999;
    EXPECT_EQ(UnixNs(header), now);
    EXPECT_EQ(UnixNs(header, 9'500), now - 500'000'000);
    EXPECT_EQ(UnixNs(header, 10'160), now + 160'000'000);
    EXPECT_EQ(UnixNs(header, UINT32_MAX), now - 10'001'000'000) << "before the wrap";
    header.sysUptime = UINT32_MAX;
    EXPECT_EQ(UnixNs(header, 4), now + 5'000'000) << "after the wrap";
    header.unixSecs = 0;
    EXPECT_EQ(UnixNs(header, UINT32_MAX - 2'000), -1'000'000'001) << "before 1970";
}

TEST(V5Codec, NanosecondsThatAreNotValidCountAsNone)
{
    V5Header header;
    header.unixSecs = UINT32_MAX;
    for (const uint32_t nsecs : {V5_NSECS_BOUND, UINT32_MAX})
    {
        header.unixNsecs = nsecs;
        EXPECT_EQ(UnixNs(header), 4'294'967'295'000'000'000);
    }
}

TEST(V5Codec, RecordedDatagramOfAnotherExporterDecodes)
{
    V5Header header;
    std::vector<V5Record> records;
    ASSERT_EQ(Decode(test::ReadData("telegraf_v5.bin"), header, records), V5Error::NONE);
    EXPECT_EQ(header.count, 8);
    ASSERT_EQ(records.size(), 8U);
    EXPECT_EQ(records[0].srcAddr, 0x8c527903U);
    EXPECT_EQ(records[0].dPkts, 78U);
    EXPECT_EQ(records[0].dOctets, 0x155b5U);
    EXPECT_EQ(records[0].srcPort, 443);
    EXPECT_EQ(records[7].prot, 6);
}

TEST(V5Codec, RecordedDatagramsThatAreNoneAreRefusedWithTheReason)
{
    EXPECT_EQ(Decode(test::ReadData("logstash_netflow5_test_invalid01.dat")), V5Error::BAD_COUNT);
    EXPECT_EQ(Decode(test::ReadData("logstash_netflow5_test_microtik.dat")),
              V5Error::WRONG_VERSION);
}

TEST(V5Codec, HeaderShorterThan24OctetsIsRefused)
{
    const Bytes whole = HandWritten();
    for (std::ptrdiff_t size = 0; size < 24; ++size)
    {
        EXPECT_EQ(Decode({whole.begin(), whole.begin() + size}), V5Error::TRUNCATED_HEADER);
    }
}

TEST(V5Codec, OtherVersionsAreRefused)
{
    for (uint16_t version : {0, 1, 4, 6, 7, 9, 10, 0x0500, 0x0105, 0xffff})
    {
        Bytes bytes = HandWritten();
        bytes[0] = static_cast<uint8_t>(version >> 8);
        bytes[1] = static_cast<uint8_t>(version);
        EXPECT_EQ(Decode(bytes), V5Error::WRONG_VERSION);
    }
}

TEST(V5Codec, CountIsOneTo30)
{
    for (uint32_t count : {0, 1, 2, 29, 30, 31, 256, 65535})
    {
        V5Header header;
        header.count = static_cast<uint16_t>(count);
        const Bytes bytes = Encode(header, std::vector<V5Record>(count));
        EXPECT_EQ(Decode(bytes), count >= 1 && count <= 30 ? V5Error::NONE : V5Error::BAD_COUNT);
    }
}

TEST(V5Codec, TruncatedTrailingRecordIsRefused)
{
    V5Header header;
    header.count = 3;
    const Bytes whole = Encode(header, std::vector<V5Record>(3));
    for (std::size_t size = 24; size < whole.size(); ++size)
    {
        EXPECT_EQ(Decode({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}),
                  V5Error::LENGTH_MISMATCH);
    }
}

TEST(V5Codec, OctetsBehindTheLastRecordAreRefused)
{
    for (std::size_t surplus : {1, 24, 48, 1000})
    {
        Bytes bytes = HandWritten();
        bytes.resize(bytes.size() + surplus);
        EXPECT_EQ(Decode(bytes), V5Error::LENGTH_MISMATCH);
    }
}

TEST(V5Codec, EveryErrorHasItsOwnText)
{
    std::set<std::string> texts;
    for (V5Error error : {V5Error::NONE,
                          V5Error::TRUNCATED_HEADER,
                          V5Error::WRONG_VERSION,
                          V5Error::BAD_COUNT,
                          V5Error::LENGTH_MISMATCH})
    {
        texts.insert(ToString(error));
    }
    EXPECT_EQ(texts.size(), 5U);
}

TEST(V5Codec, InterfaceNumberOfTheTechnote)
{
    EXPECT_EQ(EncodeIfIndex(3, 13), 1549);
    EXPECT_EQ(IfIndexToSwitch(1549), 3);
    EXPECT_EQ(IfIndexToPort(1549), 13);
}

TEST(V5Codec, All127VSwitchesTimes512PortsRoundTrip)
{
    std::set<uint16_t> seen;
    for (uint16_t vSwitch = 1; vSwitch <= 127; ++vSwitch)
    {
        for (uint16_t port = 0; port < 512; ++port)
        {
            const uint16_t ifIndex = EncodeIfIndex(vSwitch, port);
            ASSERT_EQ(ifIndex, vSwitch * 512 + port);
            ASSERT_EQ(IfIndexToSwitch(ifIndex), vSwitch);
            ASSERT_EQ(IfIndexToPort(ifIndex), port);
            ASSERT_TRUE(IfIndexIsUnique(vSwitch, port));
            seen.insert(ifIndex);
        }
    }
    EXPECT_EQ(seen.size(), 127U * 512U);
}

TEST(V5Codec, PortsFrom512AndVSwitchesFrom128Alias)
{
    EXPECT_EQ(EncodeIfIndex(3, 512 + 13), EncodeIfIndex(3, 13));
    EXPECT_FALSE(IfIndexIsUnique(3, 512));
    EXPECT_FALSE(IfIndexIsUnique(3, 1024 + 1));
    EXPECT_FALSE(IfIndexIsUnique(128, 1));
    EXPECT_TRUE(IfIndexIsUnique(127, 511));
}

} // namespace
} // namespace netflow
