// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_PHYSICAL_SWITCH_HELPER_H
#define ESX_PHYSICAL_SWITCH_HELPER_H

#include "ns3/esx-physical-switch.h"
#include "ns3/node-container.h"
#include "ns3/object-factory.h"

namespace ns3
{

/// Makes nodes physical switches, as BridgeHelper makes them bridges.
class EsxPhysicalSwitchHelper
{
  public:
    EsxPhysicalSwitchHelper();

    /// Sets an attribute of the switches made from now on, e.g. "AgeingTime".
    void SetAttribute(const std::string& name, const AttributeValue& value);

    /// Makes a node a switch whose ports are the devices that the node has: 1, 2 … in their order.
    Ptr<EsxPhysicalSwitch> Install(Ptr<Node> node) const;
    void Install(const NodeContainer& nodes) const;

  private:
    ObjectFactory m_factory;
};

} // namespace ns3

#endif // ESX_PHYSICAL_SWITCH_HELPER_H
