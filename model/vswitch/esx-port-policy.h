// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_PORT_POLICY_H
#define ESX_PORT_POLICY_H

#include "ns3/data-rate.h"
#include "ns3/object.h"

#include <cstdint>
#include <string>
#include <vector>

namespace ns3
{

/**
 * Security, teaming and shaping of the ports of a vSwitch or of one port group: values only, read
 * by EsxVSwitch when the policy is given to it (SetPolicy(), SetPortGroupPolicy()) and not looked
 * at again until it is given once more. Defaults of security, teaming and shaping are documented
 * ones.
 *
 * Not modelled: beacon probing, priorities of tags, shaping of what a port receives.
 */
class EsxPortPolicy : public Object
{
  public:
    /// How the uplink of a frame is chosen.
    enum Teaming
    {
        PORT_ID,       //!< by originating port ID (documented default)
        MAC_HASH,      //!< by source MAC address
        IP_HASH,       //!< by source and destination IP address, for link aggregation
        EXPLICIT_ORDER //!< the first uplink of the active list that is up
    };

    static TypeId GetTypeId();
    EsxPortPolicy();
    ~EsxPortPolicy() override;

    /// \return a new policy with the same values
    Ptr<EsxPortPolicy> Copy() const;
    /// \return empty, or what is wrong: peak below average, no average, no burst, an uplink twice
    std::string Check() const;

    bool AllowsPromiscuous() const;
    bool AllowsMacChanges() const;
    bool AllowsForgedTransmits() const;
    Teaming GetTeaming() const;
    bool HasFailback() const;
    bool NotifiesSwitches() const;
    /// \return names in order; empty: every uplink that is not a standby one, in order of
    /// connection
    std::vector<std::string> GetActiveUplinks() const;
    /// \return names in order of preference
    std::vector<std::string> GetStandbyUplinks() const;
    bool IsShaping() const;
    DataRate GetAverageRate() const;
    DataRate GetPeakRate() const;
    /// \return octets
    uint64_t GetBurstSize() const;
    /// \return frames that can wait in a port's shaper
    uint32_t GetShaperQueue() const;

  private:
    bool m_promiscuous{false};
    bool m_macChanges{true};
    bool m_forgedTransmits{true};
    Teaming m_teaming{PORT_ID};
    bool m_failback{true};
    bool m_notify{true};
    std::string m_active;
    std::string m_standby;
    bool m_shaping{false};
    DataRate m_average;
    DataRate m_peak;
    uint64_t m_burst{0};
    uint32_t m_queue{0};
};

} // namespace ns3

#endif /* ESX_PORT_POLICY_H */
