// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_ADDRESS_POOLS_H
#define ESX_ADDRESS_POOLS_H

#include "ns3/ipv4-address.h"
#include "ns3/object.h"

#include <cstdint>
#include <vector>

namespace ns3
{

/**
 * The addresses that one node answers for: an Internet. Each pool is a network with a weight, in
 * which some addresses are in use, some more often than others: by Zipf's law the address of rank r
 * has a share in proportion to r^-s of its pool's weight. Ranks are spread over the network.
 *
 * Aggregated to a node, it makes EsxTrafficHelper::SyntheticFlows() draw the address of each flow
 * at this node.
 */
class EsxAddressPools : public Object
{
  public:
    static TypeId GetTypeId();
    EsxAddressPools();
    ~EsxAddressPools() override;

    /**
     * \param weight > 0
     * \param addresses in use; at most those that the network has between its first and last one
     * \param zipf exponent s, 0: all are used alike
     */
    void Add(Ipv4Address network,
             Ipv4Mask mask,
             double weight = 1,
             uint32_t addresses = 1000,
             double zipf = 1);

    /// \param uniform in [0, 1). \return the address at this share of all
    Ipv4Address Draw(double uniform) const;

    /// \return how many addresses a network has between its first and its last one
    static uint32_t GetSize(Ipv4Mask mask);

  private:
    struct Share
    {
        double end; //!< of this address and those before it
        uint32_t address;
    };

    std::vector<Share> m_shares;
};

} // namespace ns3

#endif // ESX_ADDRESS_POOLS_H
