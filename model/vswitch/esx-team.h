// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_TEAM_H
#define ESX_TEAM_H

#include "ns3/esx-port-policy.h"
#include "ns3/esx-port.h"

#include <vector>

namespace ns3
{

struct EsxFrame;

/// The uplinks of a port group, in their order of use by its teaming policy. EsxVSwitch owns a team
/// for each port group and renews it when a policy, an uplink or a link changes.
class EsxTeam
{
  public:
    /// Takes in the policy and those uplinks of the vSwitch that belong to the team.
    void Renew(const EsxPortPolicy& policy, const std::vector<EsxPort*>& uplinks);

    /// \return true if an uplink is chosen for each frame
    bool IsHashed() const;
    /// \return the uplink that all frames of a port leave by unless the team is hashed, or by which
    /// it is announced; nullptr: none is up
    EsxPort* ChooseFor(const EsxPort& port) const;
    /// \return the uplink of a frame where the team is hashed; nullptr: none is up
    EsxPort* ChooseFor(const EsxFrame& frame) const;

    /// \return bits of the uplinks from which a port takes unicast frames
    uint64_t GetUnicastFrom() const;
    /// \return bits of those from which a port takes frames to groups. \param chosen its uplink
    uint64_t GetGroupFrom(const EsxPort* chosen) const;

    /// \return false if the link is down, or without failback if it was down and was not needed
    /// since
    static bool IsUsable(const EsxPort& uplink, bool failback);

  private:
    EsxPort* Pick(std::size_t preferred) const;

    EsxPortPolicy::Teaming m_teaming{EsxPortPolicy::PORT_ID};
    bool m_failback{true};
    std::vector<EsxPort*> m_active;  //!< in order; those that are connected
    std::vector<EsxPort*> m_standby; //!< in order of preference
    std::vector<EsxPort*> m_live;    //!< active ones, or else standby ones, that are in use now
};

} // namespace ns3

#endif // ESX_TEAM_H
