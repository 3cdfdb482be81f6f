// SPDX-License-Identifier: GPL-2.0-only
#include "esx-export-tag.h"

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(EsxExportTag);

TypeId
EsxExportTag::GetTypeId()
{
    static TypeId tid = TypeId("ns3::EsxExportTag")
                            .SetParent<Tag>()
                            .SetGroupName("EsxNetflow")
                            .AddConstructor<EsxExportTag>();
    return tid;
}

EsxExportTag::EsxExportTag(uint32_t exporter, uint64_t number, uint32_t process)
    : m_exporter(exporter),
      m_number(number),
      m_process(process)
{
}

uint32_t
EsxExportTag::GetExporter() const
{
    return m_exporter;
}

uint64_t
EsxExportTag::GetNumber() const
{
    return m_number;
}

uint32_t
EsxExportTag::GetProcess() const
{
    return m_process;
}

TypeId
EsxExportTag::GetInstanceTypeId() const
{
    return GetTypeId();
}

uint32_t
EsxExportTag::GetSerializedSize() const
{
    return sizeof(m_exporter) + sizeof(m_number) + sizeof(m_process);
}

void
EsxExportTag::Serialize(TagBuffer buffer) const
{
    buffer.WriteU32(m_exporter);
    buffer.WriteU64(m_number);
    buffer.WriteU32(m_process);
}

void
EsxExportTag::Deserialize(TagBuffer buffer)
{
    m_exporter = buffer.ReadU32();
    m_number = buffer.ReadU64();
    m_process = buffer.ReadU32();
}

void
EsxExportTag::Print(std::ostream& os) const
{
    os << "exporter=" << m_exporter << " datagram=" << m_number << " process=" << m_process;
}

} // namespace ns3
