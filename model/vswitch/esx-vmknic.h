// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_VMKNIC_H
#define ESX_VMKNIC_H

#include "esx-virtual-net-device.h"

namespace ns3
{

/// A VMkernel interface ("vmk0"). Lives on the host's VMkernel node, whose IP stack sends NetFlow
/// datagrams through it; MAC address 00:50:56:… (VMware's OUI; the other octets are our choice).
class EsxVmknic : public EsxVirtualNetDevice
{
  public:
    static TypeId GetTypeId();
    EsxVmknic();
    EsxPortKind GetPortKind() const override;
};

} // namespace ns3

#endif /* ESX_VMKNIC_H */
