// SPDX-License-Identifier: GPL-2.0-only
#include "esx-vmknic.h"

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(EsxVmknic);

TypeId
EsxVmknic::GetTypeId()
{
    static TypeId tid = TypeId("ns3::EsxVmknic")
                            .SetParent<EsxVirtualNetDevice>()
                            .SetGroupName("EsxNetflow")
                            .AddConstructor<EsxVmknic>();
    return tid;
}

EsxVmknic::EsxVmknic()
    : EsxVirtualNetDevice(0x005056)
{
}

EsxPortKind
EsxVmknic::GetPortKind() const
{
    return EsxPortKind::VMKNIC;
}

} // namespace ns3
