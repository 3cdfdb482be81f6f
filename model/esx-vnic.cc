// SPDX-License-Identifier: GPL-2.0-only
#include "esx-vnic.h"

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(EsxVnic);

TypeId
EsxVnic::GetTypeId()
{
    static TypeId tid = TypeId("ns3::EsxVnic")
                            .SetParent<EsxVirtualNetDevice>()
                            .SetGroupName("EsxNetflow")
                            .AddConstructor<EsxVnic>();
    return tid;
}

EsxVnic::EsxVnic()
    : EsxVirtualNetDevice(0x000c29)
{
}

EsxPortKind
EsxVnic::GetPortKind() const
{
    return EsxPortKind::VNIC;
}

} // namespace ns3
