// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_DEFERRED_FRAMES_H
#define ESX_DEFERRED_FRAMES_H

#include <cstddef>

namespace ns3
{

class EsxPort;

/// A way through a vSwitch on which nothing is decided, seen or changed frame by frame.
struct EsxPassage
{
    EsxPort* from{nullptr}; //!< both live as long as the vSwitch
    EsxPort* to{nullptr};
};

/// Frames that pass a vSwitch at known instants. They are counted when somebody wants to know, and
/// go one by one as soon as something changes.
class EsxDeferredFrames
{
  public:
    virtual ~EsxDeferredFrames() = default;

    /// Counts those that were sent, and those that were delivered, before this instant.
    virtual void Settle() = 0;

    /// From this instant on each goes by itself. Takes itself from the vSwitch.
    virtual void GoSingly() = 0;

  private:
    friend class EsxVSwitch;
    std::size_t m_place{0}; //!< among those of its vSwitch
};

} // namespace ns3

#endif // ESX_DEFERRED_FRAMES_H
