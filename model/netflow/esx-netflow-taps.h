// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_NETFLOW_TAPS_H
#define ESX_NETFLOW_TAPS_H

#include "ns3/esx-vswitch.h"

#include <cstdint>
#include <vector>

namespace ns3
{

/**
 * The vSwitches that a module listens at, and how many frames their ports accepted meanwhile: law
 * L0 holds that against what was offered to the meter. Owned by EsxNetflow, which decides when.
 */
class EsxNetflowTaps
{
  public:
    /// Sets a tap; the vSwitch has none.
    void Add(const Ptr<EsxVSwitch>& vSwitch, EsxSwitchTap* tap);
    /// Takes all taps off.
    void RemoveAll();
    /// Of a vSwitch that is being deleted, tap and all.
    void Forget(const EsxVSwitch& vSwitch);

    /// The vSwitches with a tap, in the order in which they got it.
    std::vector<Ptr<EsxVSwitch>> GetVSwitches() const;

    /// Frames accepted by ports of vSwitches while those had a tap.
    uint64_t GetAccepted() const;

  private:
    struct Tapped
    {
        Ptr<EsxVSwitch> vSwitch;
        uint64_t acceptedBefore;

        uint64_t GetAccepted() const;
    };

    std::vector<Tapped> m_tapped;
    uint64_t m_acceptedByFormer{0};
};

} // namespace ns3

#endif // ESX_NETFLOW_TAPS_H
