// SPDX-License-Identifier: GPL-2.0-only
// Random traffic through a vSwitch compared with a small reference model that was written from the
// documented rules alone: lists and loops, no flags, no caches.
#include "esx-fixture.h"

#include "ns3/boolean.h"
#include "ns3/esx-vlan-header.h"
#include "ns3/ipv4-header.h"

#include <map>
#include <memory>
#include <random>
#include <set>

using namespace ns3;

namespace
{

using Address = uint8_t; // last octet of 02:00:00:00:00:xx; 0xff stands for broadcast

struct RefGroup
{
    std::string name;
    int vlan;
    bool promiscuous;
    bool macChanges;
    bool forged;
    std::string teaming;
    std::vector<int> active; // numbers of uplinks
    std::vector<int> standby;
};

struct RefVm
{
    int group;
    int port;
    Address configured;
    Address mac;
    bool listens;
};

struct RefUplink
{
    int port;
    bool up;
};

struct RefFrame
{
    bool fromUplink;
    int index; // of the VM or uplink
    Address source;
    Address destination;
    int tag; // -1: none
    uint32_t hash;
};

struct RefResult
{
    std::string before;             // cause of a drop before the tap, or empty
    int output{0};                  // what the tap is told
    std::multiset<std::string> out; // "vm3", "vm3/101", "wire0/101"
};

/// The documented rules, one after another.
struct RefSwitch
{
    std::vector<RefGroup> groups;
    std::vector<RefVm> vms;
    std::vector<RefUplink> uplinks;

    static std::string At(const std::string& place, int tag)
    {
        return tag < 0 ? place : place + "/" + std::to_string(tag);
    }

    int FirstUp(const std::vector<int>& order, std::size_t from) const
    {
        for (std::size_t i = 0; i < order.size(); ++i)
        {
            const int candidate = order[(from + i) % order.size()];
            if (uplinks[candidate].up)
            {
                return candidate;
            }
        }
        return -1;
    }

    /// -1: none. \param source, hash of the frame to be sent
    int UplinkFor(const RefVm& vm, Address source, uint32_t hash) const
    {
        const RefGroup& group = groups[vm.group];
        int chosen = -1;
        if (group.teaming == "IpHash")
        {
            std::vector<int> live;
            for (int uplink : group.active)
            {
                if (uplinks[uplink].up)
                {
                    live.push_back(uplink);
                }
            }
            chosen = live.empty() ? -1 : live[hash % live.size()];
        }
        else if (!group.active.empty())
        {
            const std::size_t from = group.teaming == "PortId"    ? vm.port
                                     : group.teaming == "MacHash" ? source
                                                                  : 0;
            chosen = FirstUp(group.active, from % group.active.size());
        }
        return chosen >= 0 ? chosen : FirstUp(group.standby, 0);
    }

    static bool Holds(const std::vector<int>& list, int item)
    {
        return std::find(list.begin(), list.end(), item) != list.end();
    }

    bool Sees(const RefVm& vm, int vlan) const
    {
        return groups[vm.group].vlan == 4095 || groups[vm.group].vlan == vlan;
    }

    bool IsBlocked(const RefVm& vm) const
    {
        return !groups[vm.group].macChanges && vm.mac != vm.configured;
    }

    bool TakesFloodFrom(const RefVm& vm, int uplink) const
    {
        return groups[vm.group].teaming == "IpHash" ? Holds(groups[vm.group].active, uplink)
                                                    : UplinkFor(vm, vm.mac, 0) == uplink;
    }

    bool TakesUnicastFrom(const RefVm& vm, int uplink) const
    {
        const RefGroup& group = groups[vm.group];
        return Holds(group.active, uplink) ||
               (group.teaming != "IpHash" && Holds(group.standby, uplink));
    }

    RefResult Send(const RefFrame& frame) const
    {
        RefResult result;
        int vlan = 0;
        int keptTag = -1; // a tag that is payload
        if (frame.fromUplink)
        {
            vlan = std::max(frame.tag, 0);
            keptTag = frame.tag == 0 ? 0 : -1;
            bool known = false;
            for (const RefGroup& group : groups)
            {
                known |= group.vlan == vlan || group.vlan == 4095;
            }
            if (!known)
            {
                result.before = "vlan";
                return result;
            }
        }
        else
        {
            const RefGroup& group = groups[vms[frame.index].group];
            if (group.vlan == 4095)
            {
                vlan = std::max(frame.tag, 0);
                keptTag = frame.tag == 0 ? 0 : -1;
            }
            else if (group.vlan != 0 && frame.tag >= 0)
            {
                result.before = "vlan";
                return result;
            }
            else
            {
                vlan = group.vlan;
                keptTag = frame.tag;
            }
            if (!group.forged && frame.source != vms[frame.index].mac)
            {
                result.before = "forged_transmit";
                return result;
            }
        }
        const auto toVm = [&](int i) {
            const bool guestTags = groups[vms[i].group].vlan == 4095;
            const int tag = keptTag >= 0 ? keptTag : guestTags && vlan != 0 ? vlan : -1;
            result.out.insert(At("vm" + std::to_string(i), tag));
        };
        const auto toWire = [&](int uplink) {
            const int tag = keptTag >= 0 ? keptTag : vlan != 0 ? vlan : -1;
            result.out.insert(At("wire" + std::to_string(uplink), tag));
        };
        const auto wayOut = [&] {
            return frame.fromUplink ? -1 : UplinkFor(vms[frame.index], frame.source, frame.hash);
        };
        if (frame.fromUplink)
        {
            for (const RefVm& vm : vms)
            {
                if (vm.mac == frame.source && Sees(vm, vlan))
                {
                    return result; // it came back
                }
            }
        }
        if (frame.destination == 0xff)
        {
            for (std::size_t i = 0; i < vms.size(); ++i)
            {
                const bool self = !frame.fromUplink && static_cast<int>(i) == frame.index;
                if (!self && Sees(vms[i], vlan) && !IsBlocked(vms[i]) &&
                    (!frame.fromUplink || TakesFloodFrom(vms[i], frame.index)))
                {
                    toVm(i);
                }
            }
            if (wayOut() >= 0)
            {
                toWire(wayOut());
            }
            return result;
        }
        for (std::size_t i = 0; i < vms.size(); ++i)
        {
            if (vms[i].mac != frame.destination || !Sees(vms[i], vlan))
            {
                continue;
            }
            const bool self = !frame.fromUplink && static_cast<int>(i) == frame.index;
            const bool refused = self || IsBlocked(vms[i]) ||
                                 (frame.fromUplink && !TakesUnicastFrom(vms[i], frame.index));
            Listen(frame, refused ? -1 : i, vlan, toVm);
            if (!refused)
            {
                result.output = vms[i].port;
                toVm(i);
            }
            return result;
        }
        Listen(frame, -1, vlan, toVm);
        if (wayOut() >= 0)
        {
            result.output = uplinks[wayOut()].port;
            toWire(wayOut());
        }
        return result;
    }

    /// Copies for those in promiscuous mode, of a frame that is not flooded.
    template <typename F>
    void Listen(const RefFrame& frame, int receiver, int vlan, F toVm) const
    {
        for (int i = 0; i < static_cast<int>(vms.size()); ++i)
        {
            const bool self = !frame.fromUplink && i == frame.index;
            if (!self && i != receiver && vms[i].listens && !IsBlocked(vms[i]) &&
                groups[vms[i].group].promiscuous && Sees(vms[i], vlan) &&
                (!frame.fromUplink || TakesFloodFrom(vms[i], frame.index)))
            {
                toVm(i);
            }
        }
    }
};

Mac48Address
ToMac(Address address)
{
    if (address == 0xff)
    {
        return Mac48Address::GetBroadcast();
    }
    const uint8_t octets[6] = {2, 0, 0, 0, 0, address};
    Mac48Address mac;
    mac.CopyFrom(octets);
    return mac;
}

class EsxVSwitchModelTest : public EsxTest, public ::testing::WithParamInterface<unsigned>
{
  protected:
    int Draw(int n)
    {
        return static_cast<int>(rng() % n); // the same numbers with every standard library
    }

    std::vector<int> Numbers(const std::vector<int>& from, int begin, int end) const
    {
        return {from.begin() + begin, from.begin() + end};
    }

    static std::string Names(const std::vector<int>& uplinks)
    {
        std::string text;
        for (int uplink : uplinks)
        {
            text += (text.empty() ? "vmnic" : ",vmnic") + std::to_string(uplink);
        }
        return text;
    }

    void AddGroups()
    {
        const std::vector<int> vlans{0, 0, 101, 101, 102, Draw(3) == 0 ? 102 : 4095};
        for (std::size_t i = 0; i < vlans.size(); ++i)
        {
            RefGroup
                group{"group" + std::to_string(i), vlans[i], false, true, true, "PortId", {}, {}};
            group.promiscuous = Draw(2) != 0;
            group.macChanges = Draw(3) != 0;
            group.forged = Draw(3) != 0;
            group.teaming =
                std::vector<std::string>{"PortId", "MacHash", "IpHash", "Explicit"}[Draw(4)];
            std::vector<int> order(reference.uplinks.size());
            for (std::size_t k = 0; k < order.size(); ++k)
            {
                order[k] = static_cast<int>(k);
            }
            for (std::size_t k = order.size(); k > 1; --k)
            {
                std::swap(order[k - 1], order[Draw(static_cast<int>(k))]);
            }
            const int actives = 1 + Draw(static_cast<int>(order.size()));
            const int standbys = Draw(static_cast<int>(order.size()) - actives + 1);
            group.active = Numbers(order, 0, actives);
            group.standby = Numbers(order, actives, actives + standbys);
            if (i != 0 || Draw(2) != 0) // "VM Network" has no policy of its own in half of the runs
            {
                vSwitch->AddPortGroup(group.name, group.vlan);
                Ptr<EsxPortPolicy> policy = CreateObject<EsxPortPolicy>();
                policy->SetAttribute("Promiscuous", BooleanValue(group.promiscuous));
                policy->SetAttribute("MacChanges", BooleanValue(group.macChanges));
                policy->SetAttribute("ForgedTransmits", BooleanValue(group.forged));
                policy->SetAttribute("Teaming", StringValue(group.teaming));
                policy->SetAttribute("ActiveUplinks", StringValue(Names(group.active)));
                policy->SetAttribute("StandbyUplinks", StringValue(Names(group.standby)));
                policy->SetAttribute("NotifySwitches", BooleanValue(false));
                vSwitch->SetPortGroupPolicy(group.name, policy);
            }
            else
            {
                group = RefGroup{"VM Network", 0, false, true, true, "PortId", {}, {}};
                for (std::size_t k = 0; k < reference.uplinks.size(); ++k)
                {
                    group.active.push_back(static_cast<int>(k));
                }
            }
            reference.groups.push_back(group);
        }
    }

    void Build()
    {
        vSwitch->SetPolicy(
            CreateObjectWithAttributes<EsxPortPolicy>("NotifySwitches", BooleanValue(false)));
        const int uplinks = 1 + Draw(3);
        for (int i = 0; i < uplinks; ++i)
        {
            stations.push_back(AddUplink());
            reference.uplinks.push_back(
                {static_cast<int>(host->GetUplinks()[i]->GetPortId()), true});
        }
        AddGroups();
        for (int i = 0; i < 8; ++i)
        {
            const int group = Draw(static_cast<int>(reference.groups.size()));
            Ptr<Node> node = CreateObject<Node>();
            const std::string name = "vm" + std::to_string(i);
            host->AddGuest(name, node);
            Ptr<EsxVnic> vnic = host->AddVnic(name, reference.groups[group].name);
            const auto mac = static_cast<Address>(0x10 + i);
            vnic->SetConfiguredMac(ToMac(mac));
            vms.push_back(vnic);
            reference.vms.push_back({group, vnic->GetPortId(), mac, mac, Draw(3) == 0});
            vnic->SetPromiscuous(reference.vms.back().listens);
            Watch(vnic, name);
        }
        vSwitch->SetTap(&tap);
    }

    /// A port's Egress trace shows what is handed to the device, whatever that makes of it.
    void Watch(const Ptr<EsxVnic>& vnic, const std::string& name)
    {
        vSwitch->GetPort(vnic->GetPortId())
            ->TraceConnectWithoutContext(
                "Egress",
                Callback<void, Ptr<const Packet>>([this, name](Ptr<const Packet> frame) {
                    uint8_t octets[16];
                    frame->CopyData(octets, 16);
                    const bool tagged = octets[12] == 0x81;
                    const int tag = (octets[14] & 15) << 8 | octets[15];
                    seen.insert(RefSwitch::At(name, tagged ? tag : -1));
                }));
    }

    void Change()
    {
        switch (Draw(4))
        {
        case 0: {
            const int i = Draw(static_cast<int>(stations.size()));
            reference.uplinks[i].up = !reference.uplinks[i].up;
            host->GetUplinks()[i]->SetDown(!reference.uplinks[i].up);
            break;
        }
        case 1: {
            RefVm& vm = reference.vms[Draw(8)];
            const auto index = &vm - reference.vms.data();
            vm.mac = vm.mac == vm.configured ? static_cast<Address>(vm.configured + 0x40)
                                             : vm.configured;
            vms[index]->SetAddress(ToMac(vm.mac));
            break;
        }
        case 2: {
            const int i = Draw(8);
            reference.vms[i].listens = !reference.vms[i].listens;
            vms[i]->SetPromiscuous(reference.vms[i].listens);
            break;
        }
        default:
            break;
        }
    }

    RefFrame DrawFrame()
    {
        RefFrame frame{};
        frame.fromUplink = Draw(3) == 0;
        frame.index = Draw(frame.fromUplink ? static_cast<int>(stations.size()) : 8);
        if (frame.fromUplink && !reference.uplinks[frame.index].up)
        {
            return DrawFrame();
        }
        const auto anyone = [&] { return static_cast<Address>(0x10 + Draw(9)); }; // 0x18: nobody
        const bool honest = Draw(4) != 0;
        frame.source = frame.fromUplink ? (honest ? 0x99 : anyone())
                       : honest         ? reference.vms[frame.index].mac
                                        : static_cast<Address>(0x70 + Draw(4));
        frame.destination = Draw(4) == 0   ? 0xff
                            : Draw(2) == 0 ? reference.vms[Draw(8)].mac
                                           : anyone();
        const int tags[] = {-1, -1, 0, 101, 102, 103};
        frame.tag = tags[Draw(6)];
        return frame;
    }

    void SendAndCompare(RefFrame frame)
    {
        Ipv4Header header;
        header.SetSource(Ipv4Address(Draw(1000)));
        header.SetDestination(Ipv4Address(Draw(1000)));
        frame.hash = header.GetSource().Get() ^ header.GetDestination().Get();
        Ptr<Packet> packet = Create<Packet>(20);
        packet->AddHeader(header);
        if (frame.tag >= 0)
        {
            packet->AddHeader(EsxVlanHeader(frame.tag, IPV4));
        }
        const Ptr<NetDevice> from = frame.fromUplink ? Ptr<NetDevice>(stations[frame.index])
                                                     : Ptr<NetDevice>(vms[frame.index]);
        from->SendFrom(packet,
                       ToMac(frame.source),
                       ToMac(frame.destination),
                       frame.tag >= 0 ? ESX_TPID : IPV4);
        Simulator::Run();
        for (const Arrival& arrival : arrivals)
        {
            const bool tagged = arrival.protocol == ESX_TPID;
            seen.insert(RefSwitch::At(arrival.where, tagged ? EsxReadVlan(arrival.packet) : -1));
        }
        const RefResult expected = reference.Send(frame);
        EXPECT_EQ(seen, expected.out);
        EXPECT_EQ(tap.notes.size(), expected.before.empty() ? 1u : 0u);
        if (!tap.notes.empty())
        {
            EXPECT_EQ(tap.notes[0].output, expected.output);
        }
        if (!expected.before.empty() && !drops.empty())
        {
            EXPECT_EQ(EsxDropCauseName(drops[0].cause), expected.before);
        }
    }

    std::mt19937 rng{GetParam()};
    RefSwitch reference;
    std::vector<Ptr<SimpleNetDevice>> stations;
    std::vector<Ptr<EsxVnic>> vms;
    std::multiset<std::string> seen;
};

} // namespace

TEST_P(EsxVSwitchModelTest, ForwardsAsTheReferenceModelDoes)
{
    Build();
    for (int i = 0; i < 400 && !HasFailure(); ++i)
    {
        seen.clear();
        arrivals.clear();
        drops.clear();
        tap.notes.clear();
        Change();
        const RefFrame frame = DrawFrame();
        SCOPED_TRACE(
            "frame " + std::to_string(i) + (frame.fromUplink ? " from uplink " : " from vm ") +
            std::to_string(frame.index) + " src " + std::to_string(frame.source) + " dst " +
            std::to_string(frame.destination) + " tag " + std::to_string(frame.tag));
        SendAndCompare(frame);
    }
    const EsxPortCounters totals = vSwitch->GetTotals();
    EXPECT_EQ(totals.framesIn, totals.framesAccepted + totals.DropsBeforeTap()) << "law L0";
}

INSTANTIATE_TEST_SUITE_P(Seeds, EsxVSwitchModelTest, ::testing::Range(1u, 31u));
