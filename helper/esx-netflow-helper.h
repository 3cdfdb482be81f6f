// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_NETFLOW_HELPER_H
#define ESX_NETFLOW_HELPER_H

#include "ns3/application-container.h"
#include "ns3/esx-host-container.h"
#include "ns3/esx-netflow.h"
#include "ns3/ipv4-address.h"
#include "ns3/node-container.h"
#include "ns3/object-factory.h"

#include <string>

namespace ns3
{

/// Puts NetFlow on ESX hosts: the module, net-netflow processes, and collectors.
class EsxNetflowHelper
{
  public:
    EsxNetflowHelper();

    /// Sets an attribute of the modules installed from now on, e.g. "PurgatoryMax".
    void SetModuleAttribute(const std::string& name, const AttributeValue& value);
    /// Sets an attribute of the net-netflow processes made from now on, e.g. "PollPeriod".
    void SetNetNetflowAttribute(const std::string& name, const AttributeValue& value);
    /// Sets an attribute of the collectors made from now on, e.g. "SocketBuffer".
    void SetCollectorAttribute(const std::string& name, const AttributeValue& value);

    /// Puts the module's file on a host; nothing is loaded.
    Ptr<EsxNetflow> Install(Ptr<EsxHost> host) const;
    void Install(const EsxHostContainer& hosts) const;

    /**
     * Puts the module on hosts unless it is there, and installs a net-netflow process that starts
     * and stops as its container says. The module is loaded when the first process starts:
     * attributes set before then are in force. A process that cannot start (no such vSwitch, one
     * that is registered already, no vmknic) ends the script with the reason, unless its attribute
     * AbortOnError is false.
     * \param vSwitches names separated by commas
     */
    ApplicationContainer InstallNetNetflow(const EsxHostContainer& hosts,
                                           const std::string& vSwitches,
                                           Ipv4Address collector,
                                           uint16_t port = 2055) const;

    /// Installs a collector on each node; they have an IPv4 stack.
    ApplicationContainer InstallCollector(const NodeContainer& nodes, uint16_t port = 2055) const;

  private:
    ObjectFactory m_module;
    ObjectFactory m_netNetflow;
    ObjectFactory m_collector;
};

} // namespace ns3

#endif // ESX_NETFLOW_HELPER_H
