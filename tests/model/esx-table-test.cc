// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/flow-key.h"
#include "netflow/ledger.h"

#include "ns3/esx-flow-columns.h"
#include "ns3/esx-run-tables.h"

#include <gtest/gtest.h>
#include <set>

namespace ns3
{
namespace
{

using Row = EsxFlowRow<netflow::FlowKey>;

Row
MakeRow()
{
    Row row;
    row.exporter = "esx1";
    row.vSwitch = "vSwitch0";
    row.key.vSwitch = 1;
    row.key.source = 0x0a067d33;
    row.key.destination = 0xffffffff;
    row.key.protocol = 17;
    row.key.sourcePort = 65535;
    row.key.destinationPort = 53;
    row.key.tos = 184;
    row.key.input = 4;
    row.output = 0;
    row.packets = 5'000'000'000;
    row.octets = UINT64_MAX;
    row.first = 4'294'967'296'999'999;
    row.last = 4'294'967'300'000'000;
    row.uptimeAtStart = 4'294'967'296'000'000;
    row.tcpFlags = 0x1b;
    row.reason = "idle";
    row.inputPort = "web1.eth0";
    row.received = 1'002'134'567;
    return row;
}

std::string
Print(const std::string& columns, EsxRowPrinter::Format format, const Row& row)
{
    EsxRowReader<Row> reader(EsxPickFlowColumns<Row>(columns));
    const EsxRowPrinter printer(format, reader.GetColumns());
    std::string text;
    printer.AppendHeader(text);
    printer.AppendRow(text, reader.Read(row));
    return text;
}

TEST(EsxTable, ARowIsAsItsHeader)
{
    EXPECT_EQ(Print("exporter vswitch engine src dst proto sport dport tos input output packets "
                    "octets first_ms last_ms first_ns last_ns tcp_flags reason input_port",
                    EsxRowPrinter::CSV,
                    MakeRow()),
              "exporter,vswitch,engine,src,dst,proto,sport,dport,tos,input,output,packets,octets,"
              "first_ms,last_ms,first_ns,last_ns,tcp_flags,reason,input_port\n"
              "esx1,vSwitch0,1,10.6.125.51,255.255.255.255,17,65535,53,184,4,0,5000000000,"
              "18446744073709551615,4294967296,4294967300,999999,4000000,27,idle,web1.eth0\n");
}

TEST(EsxTable, WhatIsAbsentIsAnEmptyCell)
{
    Row row = MakeRow();
    const std::string columns = "datagram output ended_ns output_port";
    EXPECT_EQ(Print(columns, EsxRowPrinter::CSV, row),
              "datagram,output,ended_ns,output_port\n,0,,\n");
    row.output = std::nullopt;
    row.datagram = 0;
    row.ended = -1;
    EXPECT_EQ(Print(columns, EsxRowPrinter::CSV, row),
              "datagram,output,ended_ns,output_port\n0,,-1,\n");
}

TEST(EsxTable, JsonLinesQuoteTextsAndLeaveOutWhatIsAbsent)
{
    EXPECT_EQ(Print("exporter src sport reason datagram", EsxRowPrinter::JSON_LINES, MakeRow()),
              "{\"exporter\":\"esx1\",\"src\":\"10.6.125.51\",\"sport\":65535,\"reason\":\"idle\"}"
              "\n");
    EXPECT_EQ(Print("datagram collector packets", EsxRowPrinter::JSON_LINES, MakeRow()),
              "{\"packets\":5000000000}\n");
    EXPECT_EQ(Print("datagram", EsxRowPrinter::JSON_LINES, MakeRow()), "{}\n");
}

TEST(EsxTable, ARowHasRoomForTextsOfAnyLengthAndForTheLongestNumbers)
{
    const std::string name(5000, 'n');
    Row row = MakeRow();
    row.exporter = name;
    row.key.destination = row.key.source = 0xffffffff;
    row.octets = row.packets = UINT64_MAX;
    row.ended = INT64_MIN;
    const std::string columns = "exporter src dst packets octets ended_ns";
    EXPECT_EQ(Print(columns, EsxRowPrinter::CSV, row),
              "exporter,src,dst,packets,octets,ended_ns\n" + name +
                  ",255.255.255.255,255.255.255.255,18446744073709551615,18446744073709551615,"
                  "-9223372036854775808\n");
    EXPECT_EQ(Print(columns, EsxRowPrinter::JSON_LINES, row),
              "{\"exporter\":\"" + name +
                  "\",\"src\":\"255.255.255.255\",\"dst\":\"255.255.255.255\","
                  "\"packets\":18446744073709551615,\"octets\":18446744073709551615,"
                  "\"ended_ns\":-9223372036854775808}\n");
}

TEST(EsxTable, MillisecondsKeepNanoseconds)
{
    EXPECT_EQ(Print("received_ms", EsxRowPrinter::CSV, MakeRow()), "received_ms\n1002.134567\n");
    Row row;
    EXPECT_EQ(Print("received_ms", EsxRowPrinter::CSV, row), "received_ms\n0.000000\n");
    row.received = 42;
    EXPECT_EQ(Print("received_ms", EsxRowPrinter::CSV, row), "received_ms\n0.000042\n");
}

TEST(EsxTable, AddressesAreDotted)
{
    EXPECT_EQ(EsxDotted(0), "0.0.0.0");
    EXPECT_EQ(EsxDotted(Ipv4Address("192.0.2.199")), "192.0.2.199");
}

TEST(EsxTable, AnAddressAsAKeyIsWhatSocketsRead)
{
    EXPECT_EQ(EsxAddressKey(Ipv4Address(0x0a067d33)), "10.6.125.51");
    EXPECT_EQ(Ipv4Address(EsxAddressKey(Ipv4Address("192.0.2.199")).c_str()),
              Ipv4Address("192.0.2.199"));
}

TEST(EsxTable, InstantsHaveTheirUnit)
{
    using Type = EsxColumnType;
    std::set<Type> seen;
    for (const EsxTable& table : EsxMakeTables(nullptr, EsxObservations()))
    {
        for (const EsxColumn& column : table.GetColumns())
        {
            const bool isMs = column.type == Type::INSTANT_MS || column.type == Type::UPTIME_MS;
            if (isMs || column.type == Type::INSTANT_NS)
            {
                EXPECT_EQ(column.unit, isMs ? "ms" : "ns") << column.name;
                seen.insert(column.type);
            }
        }
    }
    EXPECT_EQ(seen.size(), 3U);
}

TEST(EsxTable, EveryColumnIsDescribedOnce)
{
    const EsxObservations nothing;
    std::set<std::string> files;
    for (const EsxTable& table : EsxMakeTables(nullptr, nothing))
    {
        EXPECT_TRUE(files.insert(table.GetFile()).second) << table.GetFile();
        std::set<std::string> names;
        for (const EsxColumn& column : table.GetColumns())
        {
            EXPECT_TRUE(names.insert(column.name).second) << table.GetFile() << column.name;
            EXPECT_FALSE(column.meaning.empty()) << table.GetFile() << column.name;
        }
    }
    EXPECT_EQ(files.size(), 9U);
}

TEST(EsxTable, TheSeriesHasAColumnForEachPlaceAndCauseOfLoss)
{
    std::set<std::string> names;
    for (const auto& [column, get] : EsxSeriesColumns())
    {
        names.insert(column.name);
    }
    for (unsigned i = 0; i < netflow::MOVES; ++i)
    {
        const netflow::MoveInfo& info = netflow::GetInfo(static_cast<netflow::Move>(i));
        const std::string name = std::string(netflow::ToString(info.to)) + "_" + info.cause;
        EXPECT_EQ(names.count(name), netflow::IsLoss(info.to) ? 1U : 0U) << name;
    }
}

TEST(EsxTable, EachValueOfASampleIsInItsColumn)
{
    EsxSeriesSample sample;
    sample.at = MilliSeconds(1500);
    sample.host = "esx1";
    uint64_t next = 0;
    for (uint64_t EsxSeriesSample::*member : {&EsxSeriesSample::cacheRecords,
                                              &EsxSeriesSample::purgatoryRecords,
                                              &EsxSeriesSample::heapUsed,
                                              &EsxSeriesSample::packetsMetered,
                                              &EsxSeriesSample::packetsShed,
                                              &EsxSeriesSample::recordsExpired,
                                              &EsxSeriesSample::recordsDropped,
                                              &EsxSeriesSample::recordsSent,
                                              &EsxSeriesSample::recordsLost,
                                              &EsxSeriesSample::recordsReceived,
                                              &EsxSeriesSample::purgatoryHighWater,
                                              &EsxSeriesSample::heapHighWater,
                                              &EsxSeriesSample::cachePeak,
                                              &EsxSeriesSample::purgatoryPeak,
                                              &EsxSeriesSample::heapPeak})
    {
        sample.*member = ++next;
    }
    sample.memoryState = "hard";
    sample.memoryFree = 15;
    sample.ballooned = 16;
    sample.swapped = 17;
    std::string losses;
    for (std::size_t i = 0; i + 21 < EsxSeriesColumns().size();
         ++i) // beside time, host, members, memory
    {
        sample.losses.push_back(100 + i);
        losses += "," + std::to_string(100 + i);
    }
    EsxRowReader<EsxSeriesSample> reader(EsxSeriesColumns());
    std::string text;
    EsxRowPrinter(EsxRowPrinter::CSV, reader.GetColumns()).AppendRow(text, reader.Read(sample));
    EXPECT_EQ(text,
              "1500.000000,esx1,1,2,3,4,5,6,7,8,9,10,11" + losses + ",12,13,14,15,hard,15,16,17\n");
}

} // namespace
} // namespace ns3
