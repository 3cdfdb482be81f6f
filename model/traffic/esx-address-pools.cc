// SPDX-License-Identifier: GPL-2.0-only
#include "esx-address-pools.h"

#include "ns3/abort.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(EsxAddressPools);

TypeId
EsxAddressPools::GetTypeId()
{
    static TypeId tid = TypeId("ns3::EsxAddressPools")
                            .SetParent<Object>()
                            .SetGroupName("EsxNetflow")
                            .AddConstructor<EsxAddressPools>();
    return tid;
}

EsxAddressPools::EsxAddressPools() = default;
EsxAddressPools::~EsxAddressPools() = default;

uint32_t
EsxAddressPools::GetSize(Ipv4Mask mask)
{
    const uint32_t hosts = ~mask.Get();
    return hosts > 1 ? hosts - 1 : hosts + 1; // a /31 and a /32 have no addresses of their own ends
}

void
EsxAddressPools::Add(Ipv4Address network,
                     Ipv4Mask mask,
                     double weight,
                     uint32_t addresses,
                     double zipf)
{
    const uint32_t size = GetSize(mask);
    NS_ABORT_MSG_IF(!(weight > 0) || !(zipf >= 0) || addresses == 0 || addresses > size,
                    "EsxAddressPools: a pool has a weight > 0, an exponent >= 0 and 1 to "
                        << size << " addresses");
    // A step without a common divisor meets each address once.
    uint64_t step = size * 0.618;
    while (std::gcd<uint64_t, uint64_t>(step, size) != 1)
    {
        ++step;
    }
    double sum = 0;
    for (uint32_t rank = 1; rank <= addresses; ++rank)
    {
        sum += std::pow(rank, -zipf);
    }
    const uint32_t first = network.CombineMask(mask).Get() + (~mask.Get() > 1 ? 1 : 0);
    double end = m_shares.empty() ? 0 : m_shares.back().end;
    m_shares.reserve(m_shares.size() + addresses);
    for (uint32_t rank = 1; rank <= addresses; ++rank)
    {
        end += weight * std::pow(rank, -zipf) / sum;
        m_shares.push_back({end, static_cast<uint32_t>(first + (rank - 1) * step % size)});
    }
}

Ipv4Address
EsxAddressPools::Draw(double uniform) const
{
    NS_ABORT_MSG_IF(m_shares.empty(), "EsxAddressPools: no pool");
    const auto found = std::upper_bound(m_shares.begin(),
                                        m_shares.end() - 1,
                                        uniform * m_shares.back().end,
                                        [](double at, const Share& of) { return at < of.end; });
    return Ipv4Address(found->address);
}

} // namespace ns3
