// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_SWITCH_LAB_H
#define ESX_SWITCH_LAB_H

// An ESX host with guests that have no IP stack: tests send frames through their vNICs and see what
// arrives where.

#include "ns3/esx-host.h"
#include "ns3/simple-channel.h"
#include "ns3/simple-net-device.h"
#include "ns3/simulator.h"
#include "ns3/string.h"

#include <algorithm>
#include <string>
#include <vector>

/// A tap that notes what it is told.
class NotingTap : public ns3::EsxSwitchTap
{
  public:
    struct Note
    {
        uint64_t uid;
        uint16_t protocol;
        uint16_t input;
        uint16_t output;
    };

    int64_t Ingress(const ns3::EsxVSwitch&,
                    const ns3::Ptr<const ns3::Packet>& packet,
                    uint16_t protocol,
                    uint16_t input,
                    uint16_t output) override
    {
        notes.push_back({packet->GetUid(), protocol, input, output});
        return 0;
    }

    void SwitchDeleted(const ns3::EsxVSwitch& vSwitch) override
    {
        ++deleted;
        connectedWhenDeleted = vSwitch.GetNConnected();
    }

    std::vector<Note> notes;
    int deleted{0};
    uint32_t connectedWhenDeleted{0};
};

class EsxSwitchLab
{
  public:
    static constexpr uint16_t IPV4 = 0x0800;

    struct Arrival
    {
        std::string where; //!< name of the guest, or "wire0" …
        ns3::Ptr<const ns3::Packet> packet;
        ns3::Time at;
        uint16_t protocol;
    };

    struct Drop
    {
        uint16_t port;
        ns3::EsxDropCause cause;
    };

    EsxSwitchLab()
    {
        ns3::Ptr<ns3::Node> node = ns3::CreateObject<ns3::Node>();
        host = ns3::CreateObject<ns3::EsxHost>();
        node->AggregateObject(host);
        vSwitch = host->AddVSwitch("vSwitch0");
        vSwitch->AddPortGroup("VM Network");
        vSwitch->TraceConnectWithoutContext(
            "Drop",
            ns3::Callback<void, ns3::Ptr<const ns3::Packet>, uint16_t, ns3::EsxDropCause>(
                [this](ns3::Ptr<const ns3::Packet>, uint16_t port, ns3::EsxDropCause cause) {
                    drops.push_back({port, cause});
                }));
    }

    void Note(ns3::Ptr<ns3::Node> node, const std::string& where, bool promiscuous)
    {
        node->RegisterProtocolHandler(
            ns3::Node::ProtocolHandler([this, where](ns3::Ptr<ns3::NetDevice>,
                                                     ns3::Ptr<const ns3::Packet> packet,
                                                     uint16_t protocol,
                                                     const ns3::Address&,
                                                     const ns3::Address&,
                                                     ns3::NetDevice::PacketType) {
                arrivals.push_back({where, packet, ns3::Simulator::Now(), protocol});
            }),
            0,
            nullptr,
            promiscuous);
    }

    /// \return the vNIC of a new guest whose arrivals are noted
    ns3::Ptr<ns3::EsxVnic> AddVm(const std::string& name,
                                 const std::string& portGroup = "VM Network")
    {
        ns3::Ptr<ns3::Node> node = ns3::CreateObject<ns3::Node>();
        host->AddGuest(name, node);
        Note(node, name, false);
        return host->AddVnic(name, portGroup);
    }

    /// Adds an uplink to vSwitch0 and, at the other end of its wire, a station that notes
    /// everything as "wireN". \return that station
    ns3::Ptr<ns3::SimpleNetDevice> AddUplink()
    {
        const auto make = [](ns3::Ptr<ns3::Node> node, ns3::Ptr<ns3::SimpleChannel> channel) {
            ns3::Ptr<ns3::SimpleNetDevice> device = ns3::CreateObject<ns3::SimpleNetDevice>();
            device->SetAddress(ns3::Mac48Address::Allocate());
            device->SetChannel(channel);
            node->AddDevice(device);
            return device;
        };
        ns3::Ptr<ns3::SimpleChannel> channel = ns3::CreateObject<ns3::SimpleChannel>();
        host->AddUplink(vSwitch, make(host->GetVmkernelNode(), channel));
        ns3::Ptr<ns3::Node> node = ns3::CreateObject<ns3::Node>();
        ns3::Ptr<ns3::SimpleNetDevice> station = make(node, channel);
        Note(node, "wire" + std::to_string(host->GetUplinks().size() - 1), true);
        return station;
    }

    /// Sends a packet now (the first time: at time 0) and runs until nothing is left to happen.
    /// \return the packet
    ns3::Ptr<ns3::Packet> Send(ns3::Ptr<ns3::NetDevice> from,
                               const ns3::Address& to,
                               uint32_t octets = 100)
    {
        ns3::Ptr<ns3::Packet> packet = ns3::Create<ns3::Packet>(octets);
        from->Send(packet, to, IPV4);
        ns3::Simulator::Run();
        return packet;
    }

    /// \return names of the places frames arrived at, sorted, one space between them; forgets them
    std::string Where()
    {
        std::vector<std::string> names;
        for (const auto& arrival : arrivals)
        {
            names.push_back(arrival.where);
        }
        std::sort(names.begin(), names.end());
        std::string text;
        for (const auto& name : names)
        {
            text += (text.empty() ? "" : " ") + name;
        }
        arrivals.clear();
        return text;
    }

    ns3::EsxPortCounters Counters(uint16_t port) const
    {
        return vSwitch->GetPort(port)->GetCounters();
    }

    ns3::Ptr<ns3::EsxHost> host;
    ns3::Ptr<ns3::EsxVSwitch> vSwitch;
    std::vector<Arrival> arrivals;
    std::vector<Drop> drops;
    NotingTap tap;
};

#endif /* ESX_SWITCH_LAB_H */
