// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_ETHERNET_HELPER_H
#define ESX_ETHERNET_HELPER_H

#include "ns3/esx-ethernet-channel.h"
#include "ns3/net-device-container.h"
#include "ns3/node-container.h"
#include "ns3/object-factory.h"
#include "ns3/queue-size.h"
#include "ns3/trace-helper.h"

namespace ns3
{

/// Plugs nodes together by full-duplex Ethernet links. Any ns-3 node will do.
class EsxEthernetHelper : public PcapHelperForDevice
{
  public:
    EsxEthernetHelper();

    /// Sets an attribute of both ends of the links made from now on, e.g. "DataRate".
    void SetDeviceAttribute(const std::string& name, const AttributeValue& value);
    /// Sets the size of both ends' queues from now on; the default is 100 frames.
    void SetQueueSize(QueueSize size);
    /// Devices made from now on take frames until their queue is full, and drop those that exceed
    /// it; else they stop their node's queue disc, and without one it drops them (TcDrop).
    void DisableFlowControl();

    /**
     * Makes a link. NetDevices of other links of the nodes stay as they are.
     * \return the device of \p a, then that of \p b
     */
    NetDeviceContainer Install(const Ptr<Node>& a, const Ptr<Node>& b) const;
    /// The same. \param nodes two
    NetDeviceContainer Install(const NodeContainer& nodes) const;

    /// \return the link of a device made by a helper of this class. Aborts for others.
    static Ptr<EsxEthernetChannel> GetLink(const Ptr<NetDevice>& device);

  private:
    void EnablePcapInternal(std::string prefix,
                            Ptr<NetDevice> device,
                            bool promiscuous,
                            bool explicitFilename) override;
    Ptr<EsxEthernetNetDevice> MakeDevice(const Ptr<Node>& node) const;

    ObjectFactory m_device;
    bool m_flowControl{true};
};

} // namespace ns3

#endif // ESX_ETHERNET_HELPER_H
