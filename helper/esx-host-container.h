// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_HOST_CONTAINER_H
#define ESX_HOST_CONTAINER_H

#include "ns3/esx-host.h"
#include "ns3/node-container.h"

#include <vector>

namespace ns3
{

/// Holds ESX hosts in order, as NodeContainer holds nodes. EsxHostHelper::Install() gives one.
class EsxHostContainer
{
  public:
    using Iterator = std::vector<Ptr<EsxHost>>::const_iterator;

    EsxHostContainer() = default;
    EsxHostContainer(Ptr<EsxHost> host); // implicit, as NodeContainer is

    void Add(Ptr<EsxHost> host);
    void Add(const EsxHostContainer& other);

    Iterator Begin() const;
    Iterator End() const;
    uint32_t GetN() const;
    /// \param i below GetN()
    Ptr<EsxHost> Get(uint32_t i) const;

    /// \return the nodes of the hosts' VMkernels: cables to the outside begin there
    NodeContainer GetVmkernelNodes() const;
    /// \return the nodes of all guests, host by host
    NodeContainer GetGuests() const;

  private:
    std::vector<Ptr<EsxHost>> m_hosts;
};

} // namespace ns3

#endif // ESX_HOST_CONTAINER_H
