// SPDX-License-Identifier: GPL-2.0-only
#ifndef NETFLOW_FIXTURE_H
#define NETFLOW_FIXTURE_H

// The lab of esx-export-lab.h as a GoogleTest fixture whose books must balance at its end.

#include "ns3-module/esx-export-lab.h"

#include <algorithm>
#include <gtest/gtest.h>

/// Whether a place of the books is a collector, and no other application.
inline bool
IsCollector(const ns3::Ptr<ns3::EsxLedger>& ledger, const std::string& place)
{
    const auto& known = ledger->GetCollectors();
    return std::any_of(known.begin(), known.end(), [&](const auto& collecting) {
        return collecting->GetNodeName() == place;
    });
}

/// Checks that hold at the end of every run: no residual, truth = collected + losses for each
/// flow, and the collectors have read what the ledger says was received.
inline void
ExpectBalance(const ns3::Ptr<ns3::EsxLedger>& ledger)
{
    const netflow::Counts residual = ledger->GetResidual();
    EXPECT_EQ(residual.packets, 0u);
    EXPECT_EQ(residual.octets, 0u);
    EXPECT_EQ(residual.records, 0u);
    for (const ns3::EsxFlow& flow : ledger->GetFlows())
    {
        netflow::Counts sum = flow.collected;
        for (const auto* rest : {&flow.losses, &flow.left})
        {
            for (const auto& [fate, counts] : *rest)
            {
                sum += counts;
            }
        }
        EXPECT_EQ(flow.truth.packets, sum.packets) << flow.key.sourcePort;
        EXPECT_EQ(flow.truth.octets, sum.octets) << flow.key.sourcePort;
        EXPECT_EQ(flow.truth.records, sum.records) << flow.key.sourcePort;
    }
    uint64_t readRecords = 0; // of exporters that are hosts: tests make datagrams of their own
    for (const auto& known : ledger->GetCollectors())
    {
        for (const auto& [key, engine] : known->GetEngines())
        {
            for (const auto& exporter : ledger->GetHosts())
            {
                const auto ipv4 = exporter->GetVmkernelNode()->GetObject<ns3::Ipv4>();
                const bool own = ipv4->GetInterfaceForAddress(key.first) >= 0;
                readRecords += own ? engine.records : 0;
            }
        }
    }
    uint64_t arrivedRecords = 0;
    for (const auto& known : ledger->GetHosts())
    {
        for (const auto& datagram :
             ledger->GetTracker()->GetDatagrams(known->GetVmkernelNode()->GetId()))
        {
            const bool read = IsCollector(ledger, datagram.place); // not by another application
            arrivedRecords += read ? datagram.counts.records * datagram.copies : 0;
        }
    }
    EXPECT_EQ(readRecords, arrivedRecords);
}

/// A test in a lab whose books must balance at its end.
template <typename Lab>
class LabTest : public ::testing::Test, public Lab
{
  protected:
    LabTest() = default;

    LabTest(const std::string& hostAttribute, const ns3::AttributeValue& value)
        : Lab(hostAttribute, value)
    {
    }

    void TearDown() override
    {
        if (this->books.GetLedger())
        {
            ExpectBalance(this->books.GetLedger());
        }
        ns3::Simulator::Destroy();
        ns3::Names::Clear();
        ns3::Config::Reset();
    }
};

using NetflowTest = LabTest<NetflowLab>;

#endif // NETFLOW_FIXTURE_H
