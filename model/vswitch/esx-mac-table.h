// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_MAC_TABLE_H
#define ESX_MAC_TABLE_H

#include "ns3/mac48-address.h"

#include <cstdint>
#include <vector>

namespace ns3
{

/**
 * Registered MAC address -> local port ID, for the hot path of a vSwitch: open addressing with
 * linear probing, at most half full, so a look-up costs the same with 8 VMs and with 64. Nothing
 * is learned and nothing ages: an entry lives from registration to removal (documented).
 */
class EsxMacTable
{
  public:
    EsxMacTable();

    /// \return the address as a number; its octets in the order of the wire, first one lowest
    static uint64_t ToKey(const Mac48Address& address);
    /// \return true for broadcast and multicast: the group bit is the lowest of the first octet
    static bool IsGroup(uint64_t key);

    /**
     * \param key unicast address, not zero
     * \param port local port ID, not zero
     * \return false, and nothing is changed, if the address is registered already
     */
    bool Insert(uint64_t key, uint16_t port);
    /// Removes an address; does nothing if it is not registered.
    void Erase(uint64_t key);
    /// \return local port ID, 0 if the address is not registered
    uint16_t Find(uint64_t key) const;

  private:
    struct Slot
    {
        uint64_t key{0};  //!< 0: empty. Not a registrable address, see Insert.
        uint16_t port{0}; //!< local port ID
    };

    std::size_t SlotOf(uint64_t key) const;
    void Rebuild(std::size_t slots, uint64_t without);

    std::vector<Slot> m_slots; //!< size is a power of two
    std::size_t m_used{0};     //!< occupied slots
};

inline bool
EsxMacTable::IsGroup(uint64_t key)
{
    return key & 1;
}

inline std::size_t
EsxMacTable::SlotOf(uint64_t key) const
{
    // Fibonacci hashing: 2^64 / golden ratio. Only the uppermost bits of the product depend on the
    // last octet, in which the addresses of a host differ; 16 of them do for 1024 ports.
    return (key * 0x9e3779b97f4a7c15ULL >> 48) & (m_slots.size() - 1);
}

inline uint16_t
EsxMacTable::Find(uint64_t key) const
{
    std::size_t i = SlotOf(key);
    while (m_slots[i].key != key && m_slots[i].key != 0)
    {
        i = (i + 1) & (m_slots.size() - 1);
    }
    return m_slots[i].port;
}

} // namespace ns3

#endif /* ESX_MAC_TABLE_H */
