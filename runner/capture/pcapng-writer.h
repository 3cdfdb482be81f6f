// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Writes pcapng with comments on packets, which libpcap cannot. The few blocks that this takes, by
 * draft-ietf-opsawg-pcapng; times are nanoseconds.
 */
#ifndef ESXNF_PCAPNG_WRITER_H
#define ESXNF_PCAPNG_WRITER_H

#include <cstdint>
#include <string>
#include <vector>

namespace esxnf
{

class PcapngWriter
{
  public:
    static constexpr uint16_t LINK_ETHERNET = 1;
    static constexpr uint16_t LINK_RAW_IP = 101;

    PcapngWriter();

    /// \param name as a reader shows it \return the number for AddPacket(); add all before packets
    uint32_t AddInterface(const std::string& name, uint16_t linkType);

    /// \param timeNs since 1970, or since whatever the file's times count from
    /// \param comment UTF-8; empty: none
    void AddPacket(uint32_t interface,
                   int64_t timeNs,
                   const std::vector<uint8_t>& octets,
                   const std::string& comment);

    /// The file so far, complete at any time.
    const std::string& GetFile() const;

  private:
    void AddBlock(uint32_t type, const std::string& body);

    std::string m_file;
    uint32_t m_interfaces{0};
};

} // namespace esxnf

#endif // ESXNF_PCAPNG_WRITER_H
