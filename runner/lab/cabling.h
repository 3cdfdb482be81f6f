// SPDX-License-Identifier: GPL-2.0-only
// Finds both ends of each link of a scenario: a switch port and the VLANs that it
// lets in and out, an uplink of a vSwitch, or an interface of another node. Built from any
// scenario, also a wrong one. Where frames get over all links is the FrameGraph's, which calls
// this.
#ifndef ESXNF_CABLING_H
#define ESXNF_CABLING_H

#include "runner/scenario/scenario.h"

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace esxnf
{

constexpr uint16_t LAST_VLAN = 4094;

/// One end of a link: the port, uplink or interface that it is plugged into.
struct CableEnd
{
    enum class Kind
    {
        Nothing,
        Switch,
        Uplink,
        Interface //!< of a collector, server or router
    };

    Kind kind = Kind::Nothing;
    int node = -1;         //!< index in Scenario::nodes
    std::string interface; //!< of a node: 1, eth0
    bool trunk = false;
    uint16_t untagged = 1;         //!< VLAN of frames without a tag
    std::vector<uint16_t> allowed; //!< of a trunk, sorted; empty: all
    std::string path;              //!< of the switch port, or of the link's end
    const Host* host = nullptr;
    const VSwitch* vSwitch = nullptr;

    /// \return true if a switch port has a VLAN
    bool Has(uint16_t vlan) const;
    /// \return the VLAN of a frame that comes in with this tag, 0: without; none: it is dropped
    std::optional<uint16_t> Ingress(uint16_t tag) const;
    /// \return the tag of a frame of this VLAN that goes out; none: it does not
    std::optional<uint16_t> Egress(uint16_t vlan) const;
};

/// One end of a link.
struct Plug
{
    int link; //!< index in Scenario::links
    int end;  //!< 0 or 1

    Plug GetOther() const
    {
        return {link, 1 - end};
    }
};

class Cabling
{
  public:
    /// \param scenario outlives this object
    explicit Cabling(const Scenario& scenario);

    const CableEnd& At(const Plug& plug) const;
    /// \return both ends of each link, in order of the scenario
    const std::vector<std::array<CableEnd, 2>>& GetEnds() const;
    /// \return the links' ends at a node, by its index in the scenario
    const std::vector<Plug>& GetPlugs(std::size_t node) const;
    /// \return the link's end at an uplink; none: there is no link
    std::optional<Plug> FindUplink(const Host& host, const std::string& uplink) const;
    /// \return true if the timeline takes the link down from the first moment to the last
    bool IsCut(int link) const;

  private:
    void FindCuts();
    void ResolveEnds();
    CableEnd Resolve(const LinkEnd& end,
                     const std::string& path,
                     const std::unordered_map<std::string, int>& nodes,
                     const std::unordered_map<std::string, const Host*>& hosts) const;

    const Scenario& m_scenario;
    std::set<int> m_cut;
    std::vector<std::array<CableEnd, 2>> m_ends;     //!< by link
    std::vector<std::vector<Plug>> m_ports;          //!< by node
    std::unordered_map<std::string, Plug> m_uplinks; //!< by host:vmnic0
};

} // namespace esxnf

#endif // ESXNF_CABLING_H
