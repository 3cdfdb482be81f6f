// SPDX-License-Identifier: GPL-2.0-only
#include "esx-ethernet-helper.h"

#include "ns3/channel.h"
#include "ns3/drop-tail-queue.h"
#include "ns3/esx-host-helper.h"
#include "ns3/net-device-queue-interface.h"

namespace ns3
{

EsxEthernetHelper::EsxEthernetHelper()
    : m_device("ns3::EsxEthernetNetDevice")
{
}

void
EsxEthernetHelper::SetDeviceAttribute(const std::string& name, const AttributeValue& value)
{
    m_device.Set(name, value);
}

void
EsxEthernetHelper::SetQueueSize(QueueSize size)
{
    m_device.Set("QueueSize", QueueSizeValue(size));
}

void
EsxEthernetHelper::DisableFlowControl()
{
    m_flowControl = false;
}

NetDeviceContainer
EsxEthernetHelper::Install(const Ptr<Node>& a, const Ptr<Node>& b) const
{
    const auto first = MakeDevice(a);
    const auto second = MakeDevice(b);
    CreateObject<EsxEthernetChannel>()->Connect(first, second);
    NetDeviceContainer devices(first);
    devices.Add(second);
    return devices;
}

NetDeviceContainer
EsxEthernetHelper::Install(const NodeContainer& nodes) const
{
    NS_ABORT_MSG_IF(nodes.GetN() != 2,
                    "EsxEthernetHelper: a link is between 2 nodes, not " << nodes.GetN());
    return Install(nodes.Get(0), nodes.Get(1));
}

Ptr<EsxEthernetChannel>
EsxEthernetHelper::GetLink(const Ptr<NetDevice>& device)
{
    const auto link = device ? DynamicCast<EsxEthernetChannel>(device->GetChannel()) : nullptr;
    NS_ABORT_MSG_IF(!link, "EsxEthernetHelper: the device is not of a full-duplex Ethernet link");
    return link;
}

Ptr<EsxEthernetNetDevice>
EsxEthernetHelper::MakeDevice(const Ptr<Node>& node) const
{
    NS_ABORT_MSG_IF(!node, "EsxEthernetHelper: a link is between two nodes");
    const auto device = m_device.Create<EsxEthernetNetDevice>();
    device->SetAddress(Mac48Address::Allocate());
    const Ptr<Queue<Packet>> queue = CreateObject<DropTailQueue<Packet>>();
    queue->SetMaxSize(device->GetQueueSize());
    device->SetQueue(queue);
    node->AddDevice(device);
    if (m_flowControl)
    {
        const auto flowControl = CreateObject<NetDeviceQueueInterface>();
        device->AggregateObject(flowControl);
        flowControl->GetTxQueue(0)->ConnectQueueTraces(queue);
    }
    return device;
}

void
EsxEthernetHelper::EnablePcapInternal(std::string prefix,
                                      Ptr<NetDevice> device,
                                      bool promiscuous,
                                      bool explicitFilename)
{
    if (!DynamicCast<EsxEthernetNetDevice>(device))
    {
        return; // EnablePcapAll() offers every device
    }
    PcapHelper pcap;
    const std::string name = explicitFilename ? prefix : pcap.GetFilenameFromDevice(prefix, device);
    EsxHostHelper::Capture(device,
                           promiscuous ? "PromiscSniffer" : "Sniffer",
                           pcap.CreateFile(name, std::ios::out, PcapHelper::DLT_EN10MB));
}

} // namespace ns3
