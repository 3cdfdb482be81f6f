// SPDX-License-Identifier: GPL-2.0-only
#include "esx-physical-switch-helper.h"

namespace ns3
{

EsxPhysicalSwitchHelper::EsxPhysicalSwitchHelper()
    : m_factory("ns3::EsxPhysicalSwitch")
{
}

void
EsxPhysicalSwitchHelper::SetAttribute(const std::string& name, const AttributeValue& value)
{
    m_factory.Set(name, value);
}

Ptr<EsxPhysicalSwitch>
EsxPhysicalSwitchHelper::Install(Ptr<Node> node) const
{
    const auto made = m_factory.Create<EsxPhysicalSwitch>();
    node->AggregateObject(made);
    uint16_t number = 0;
    for (uint32_t i = 0; i < node->GetNDevices(); ++i)
    {
        if (node->GetDevice(i)->SupportsSendFrom()) // a loopback does not
        {
            made->AddPort(++number, node->GetDevice(i));
        }
    }
    return made;
}

void
EsxPhysicalSwitchHelper::Install(const NodeContainer& nodes) const
{
    for (auto node = nodes.Begin(); node != nodes.End(); ++node)
    {
        Install(*node);
    }
}

} // namespace ns3
