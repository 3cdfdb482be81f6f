// SPDX-License-Identifier: GPL-2.0-only
#include "esx-host-container.h"

namespace ns3
{

EsxHostContainer::EsxHostContainer(Ptr<EsxHost> host)
{
    Add(host);
}

void
EsxHostContainer::Add(Ptr<EsxHost> host)
{
    m_hosts.push_back(host);
}

void
EsxHostContainer::Add(const EsxHostContainer& other)
{
    const std::vector<Ptr<EsxHost>> hosts = other.m_hosts; // it may be this one
    m_hosts.insert(m_hosts.end(), hosts.begin(), hosts.end());
}

EsxHostContainer::Iterator
EsxHostContainer::Begin() const
{
    return m_hosts.begin();
}

EsxHostContainer::Iterator
EsxHostContainer::End() const
{
    return m_hosts.end();
}

uint32_t
EsxHostContainer::GetN() const
{
    return m_hosts.size();
}

Ptr<EsxHost>
EsxHostContainer::Get(uint32_t i) const
{
    return m_hosts.at(i);
}

NodeContainer
EsxHostContainer::GetVmkernelNodes() const
{
    NodeContainer nodes;
    for (const Ptr<EsxHost>& host : m_hosts)
    {
        nodes.Add(host->GetVmkernelNode());
    }
    return nodes;
}

NodeContainer
EsxHostContainer::GetGuests() const
{
    NodeContainer nodes;
    for (const Ptr<EsxHost>& host : m_hosts)
    {
        for (const EsxHost::Guest& guest : host->GetGuests())
        {
            if (guest.isHere)
            {
                nodes.Add(guest.node);
            }
        }
    }
    return nodes;
}

} // namespace ns3
