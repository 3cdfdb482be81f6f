// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_EXPORT_TAG_H
#define ESX_EXPORT_TAG_H

#include "ns3/tag.h"

#include <cstdint>
#include <ostream>

namespace ns3
{

/**
 * Packet tag of an export datagram: which host sent it and which of its datagrams it is, so that
 * its fate can be followed through any ns-3 network. Costs nothing on the wire.
 */
class EsxExportTag : public Tag
{
  public:
    static TypeId GetTypeId();
    EsxExportTag() = default;
    /**
     * \param exporter ns-3 node ID of the VMkernel node
     * \param number of the datagram at this host, from 0
     * \param process world ID of the net-netflow that sent it
     */
    EsxExportTag(uint32_t exporter, uint64_t number, uint32_t process = 0);

    uint32_t GetExporter() const;
    uint64_t GetNumber() const;
    uint32_t GetProcess() const;

    TypeId GetInstanceTypeId() const override;
    uint32_t GetSerializedSize() const override;
    void Serialize(TagBuffer buffer) const override;
    void Deserialize(TagBuffer buffer) override;
    void Print(std::ostream& os) const override;

  private:
    uint32_t m_exporter{0};
    uint64_t m_number{0};
    uint32_t m_process{0};
};

} // namespace ns3

#endif // ESX_EXPORT_TAG_H
