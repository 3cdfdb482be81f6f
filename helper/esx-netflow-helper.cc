// SPDX-License-Identifier: GPL-2.0-only
#include "esx-netflow-helper.h"

#include "model/host/esx-icmp.h"

#include "ns3/abort.h"
#include "ns3/boolean.h"
#include "ns3/esx-export-tracker.h"
#include "ns3/esx-host.h"
#include "ns3/ipv4.h"
#include "ns3/string.h"
#include "ns3/uinteger.h"

namespace ns3
{

EsxNetflowHelper::EsxNetflowHelper()
{
    m_module.SetTypeId("ns3::EsxNetflow");
    m_netNetflow.SetTypeId("ns3::EsxNetNetflow");
    m_collector.SetTypeId("ns3::EsxNetflowCollector");
}

void
EsxNetflowHelper::SetModuleAttribute(const std::string& name, const AttributeValue& value)
{
    m_module.Set(name, value);
}

void
EsxNetflowHelper::SetNetNetflowAttribute(const std::string& name, const AttributeValue& value)
{
    m_netNetflow.Set(name, value);
}

void
EsxNetflowHelper::SetCollectorAttribute(const std::string& name, const AttributeValue& value)
{
    m_collector.Set(name, value);
}

Ptr<EsxNetflow>
EsxNetflowHelper::Install(Ptr<EsxHost> host) const
{
    NS_ABORT_MSG_UNLESS(host, "the NetFlow module needs a host");
    NS_ABORT_MSG_IF(host->GetObject<EsxNetflow>(),
                    "host " << host->GetName() << " has the NetFlow module already");
    Ptr<EsxNetflow> module = m_module.Create<EsxNetflow>();
    module->SetHost(host);
    host->AggregateObject(module);
    return module;
}

void
EsxNetflowHelper::Install(const EsxHostContainer& hosts) const
{
    for (auto host = hosts.Begin(); host != hosts.End(); ++host)
    {
        Install(*host);
    }
}

ApplicationContainer
EsxNetflowHelper::InstallNetNetflow(const EsxHostContainer& hosts,
                                    const std::string& vSwitches,
                                    Ipv4Address collector,
                                    uint16_t port) const
{
    ObjectFactory factory = m_netNetflow;
    factory.Set("LoadModule", BooleanValue(true));
    factory.Set("VSwitches", StringValue(vSwitches));
    factory.Set("Collector", Ipv4AddressValue(collector));
    factory.Set("Port", UintegerValue(port));
    ApplicationContainer processes;
    for (auto host = hosts.Begin(); host != hosts.End(); ++host)
    {
        NS_ABORT_MSG_UNLESS(*host, "net-netflow needs a host");
        if (!(*host)->GetObject<EsxNetflow>())
        {
            Install(*host);
        }
        processes.Add(factory.Create<Application>());
        (*host)->GetVmkernelNode()->AddApplication(processes.Get(processes.GetN() - 1));
    }
    return processes;
}

ApplicationContainer
EsxNetflowHelper::InstallCollector(const NodeContainer& nodes, uint16_t port) const
{
    ObjectFactory factory = m_collector;
    factory.Set("Port", UintegerValue(port));
    ApplicationContainer collectors;
    for (auto it = nodes.Begin(); it != nodes.End(); ++it)
    {
        const Ptr<Node>& node = *it;
        NS_ABORT_MSG_UNLESS(node && node->GetObject<Ipv4>(),
                            "a collector needs a node with an IPv4 stack: "
                                << (node ? EsxNodeName(node) + " has none" : "there is no node"));
        EsxIcmp::Install(node);
        collectors.Add(factory.Create<Application>());
        node->AddApplication(collectors.Get(collectors.GetN() - 1));
    }
    return collectors;
}

} // namespace ns3
