// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_VNIC_H
#define ESX_VNIC_H

#include "esx-virtual-net-device.h"

namespace ns3
{

/// A guest's network card. Lives on the guest's node; MAC address 00:0c:29:…, VMware's OUI for
/// generated addresses (documented; the other octets are our choice).
class EsxVnic : public EsxVirtualNetDevice
{
  public:
    static TypeId GetTypeId();
    EsxVnic();
    EsxPortKind GetPortKind() const override;
};

} // namespace ns3

#endif /* ESX_VNIC_H */
