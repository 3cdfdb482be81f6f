// SPDX-License-Identifier: GPL-2.0-only
#ifndef EXPORT_TRACKER_FIXTURE_H
#define EXPORT_TRACKER_FIXTURE_H

// netflow-fixture's lab for tests of where export datagrams die: the traffic that sends them, and
// ways to break the link to the collector.

#include "netflow-fixture.h"

#include "ns3/error-model.h"

class EsxExportTrackerTest : public NetflowTest
{
  protected:
    using Move = netflow::Move;

    static ns3::Ptr<ns3::CsmaNetDevice> Csma(const ns3::Ptr<ns3::NetDevice>& device)
    {
        return ns3::DynamicCast<ns3::CsmaNetDevice>(device);
    }

    /// Every packet is corrupt while enabled.
    static ns3::Ptr<ns3::ErrorModel> MakeNoise()
    {
        ns3::Ptr<ns3::RateErrorModel> noise = ns3::CreateObject<ns3::RateErrorModel>();
        noise->SetUnit(ns3::RateErrorModel::ERROR_UNIT_PACKET);
        noise->SetRate(1);
        noise->Disable();
        return noise;
    }

    ns3::Ptr<ns3::CsmaChannel> Cable() const
    {
        return ns3::DynamicCast<ns3::CsmaChannel>(wire.Get(0)->GetChannel());
    }

    /// \param end of the cable, 0: the host's, 1: the collector's
    void SetAttached(uint32_t end, bool attached) const
    {
        attached ? Cable()->Reattach(Csma(wire.Get(end))) : Cable()->Detach(Csma(wire.Get(end)));
    }

    /// Three datagrams: one that warms up ARP, one sent at 41 s, one sent at 71 s.
    void SendThree()
    {
        Send(ns3::Seconds(1), 1);
        Send(ns3::Seconds(25), 2);
        Send(ns3::Seconds(55), 3);
    }

    /// A datagram that warms up ARP, then ten at once, of 30 records each.
    void RunBurst()
    {
        Send(ns3::Seconds(1), 1);
        Burst(ns3::Seconds(20), 101, 300);
        RunUntil(ns3::Seconds(60));
    }

    /// Only the second of SendThree()'s datagrams died, of this cause and there.
    void ExpectSecondDied(Move cause, const std::string& place)
    {
        ASSERT_EQ(Datagrams().size(), 3u);
        EXPECT_EQ(Datagrams()[0].fate, Move::RECEIVED);
        EXPECT_EQ(Datagrams()[1].fate, cause);
        EXPECT_EQ(Datagrams()[1].place, place);
        EXPECT_EQ(Datagrams()[2].fate, Move::RECEIVED);
        EXPECT_EQ(Records(cause), 1u);
        EXPECT_EQ(Records(Move::RECEIVED), 2u);
    }
};

#endif // EXPORT_TRACKER_FIXTURE_H
