// SPDX-License-Identifier: GPL-2.0-only
// Hosts of the VMs when the run begins, and whether frames between two of them stay on a vSwitch.
#ifndef ESXNF_VM_HOMES_H
#define ESXNF_VM_HOMES_H

#include "runner/scenario/scenario.h"

#include <map>
#include <string>

namespace esxnf
{

struct VmHome
{
    const Host* host{nullptr}; //!< null: not a VM
    const Vm* vm{nullptr};
};

class VmHomes
{
  public:
    /// \param scenario lives as long as this
    explicit VmHomes(const Scenario& scenario);

    VmHome Of(const std::string& name) const;

    /// Adapters by which two VMs meet: on one vSwitch, or else on one IP network.
    struct Meeting
    {
        const Nic* a{nullptr}; //!< null: they do not meet
        const Nic* b{nullptr};
        bool isWithinVSwitch{false};
    };

    static Meeting Meet(const VmHome& a, const VmHome& b);
    /// Whether frames between two VMs stay on one vSwitch.
    static bool AreNeighbours(const VmHome& a, const VmHome& b);

  private:
    std::map<std::string, VmHome> m_homes; //!< by VM
};

} // namespace esxnf

#endif // ESXNF_VM_HOMES_H
