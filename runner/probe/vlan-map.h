// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * By which vSwitch and port the frames of a VLAN enter: a capture of a trunk shows what several
 * vSwitches would meter. The command probe fills it from --map.
 */
#ifndef ESXNF_VLAN_MAP_H
#define ESXNF_VLAN_MAP_H

#include <cstdint>
#include <string>
#include <vector>

namespace esxnf
{

/// Where a frame enters.
struct Ingress
{
    uint16_t vSwitch{1}; //!< switch ID, >= 1
    uint16_t port{1};    //!< local port ID
};

/// VLAN ID to ingress.
class VlanMap
{
  public:
    /// Adds "VLAN=SWITCH:PORT", e.g. "101=2:5"; throws UserError if it is no such text,
    /// a number is out of range or the VLAN is mapped already.
    void Add(const std::string& text);

    bool IsEmpty() const
    {
        return m_byVlan.empty();
    }

    /// \param vlan 0 to 4095; 0: untagged. \return nullptr if it is not mapped
    const Ingress* Find(uint16_t vlan) const
    {
        return m_byVlan.empty() || m_byVlan[vlan].vSwitch == 0 ? nullptr : &m_byVlan[vlan];
    }

    /// The vSwitches that are named, each once, in order of their IDs.
    std::vector<uint16_t> GetSwitches() const;

  private:
    std::vector<Ingress> m_byVlan; // all 4096, or none; vSwitch 0: not mapped
};

} // namespace esxnf

#endif // ESXNF_VLAN_MAP_H
