// SPDX-License-Identifier: GPL-2.0-only
#include "esx-mac-table.h"

#include "ns3/assert.h"

namespace ns3
{

namespace
{

/// Room for 7 devices before the first growth; a power of two.
constexpr std::size_t INITIAL_SLOTS = 16;

} // namespace

EsxMacTable::EsxMacTable()
    : m_slots(INITIAL_SLOTS)
{
}

uint64_t
EsxMacTable::ToKey(const Mac48Address& address)
{
    uint8_t octets[6];
    address.CopyTo(octets);
    const auto octet = [&octets](int i) { return static_cast<uint64_t>(octets[i]) << 8 * i; };
    return octet(0) | octet(1) | octet(2) | octet(3) | octet(4) |
           octet(5); // one load, unlike a loop
}

bool
EsxMacTable::Insert(uint64_t key, uint16_t port)
{
    NS_ASSERT(key != 0 && !IsGroup(key) && port != 0);
    if (2 * (m_used + 1) > m_slots.size())
    {
        Rebuild(2 * m_slots.size(), 0);
    }
    const std::size_t mask = m_slots.size() - 1;
    std::size_t i = SlotOf(key);
    while (m_slots[i].key != 0)
    {
        if (m_slots[i].key == key)
        {
            return false;
        }
        i = (i + 1) & mask;
    }
    m_slots[i] = Slot{key, port};
    ++m_used;
    return true;
}

void
EsxMacTable::Erase(uint64_t key)
{
    // Removal is rare: a rebuild needs no tombstones, which every look-up would pay for.
    if (Find(key) != 0)
    {
        Rebuild(m_slots.size(), key);
    }
}

void
EsxMacTable::Rebuild(std::size_t slots, uint64_t without)
{
    std::vector<Slot> old(slots);
    old.swap(m_slots);
    m_used = 0;
    for (const Slot& slot : old)
    {
        if (slot.key != 0 && slot.key != without)
        {
            Insert(slot.key, slot.port);
        }
    }
}

} // namespace ns3
