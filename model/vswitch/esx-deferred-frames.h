// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_DEFERRED_FRAMES_H
#define ESX_DEFERRED_FRAMES_H

#include "ns3/nstime.h"
#include "ns3/simulator.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ns3
{

class EsxPort;

/// A way through a vSwitch on which nothing is decided, seen or changed frame by frame.
struct EsxPassage
{
    EsxPort* from{nullptr}; //!< both live as long as the vSwitch
    EsxPort* to{nullptr};
    uint16_t tag{0}; //!< VLAN of the tag that frames leave with; 0: none
};

/// Frames that pass a place (a vSwitch, a switch, a link) at known instants. They are counted when
/// somebody wants to know, and go one by one as soon as something changes.
class EsxDeferredFrames
{
  public:
    virtual ~EsxDeferredFrames() = default;

    /// Counts those that were sent, and those that were delivered, before this instant.
    virtual void Settle() = 0;

    /// From this instant on each goes by itself. Takes itself from the place.
    virtual void GoSingly() = 0;

  private:
    friend class EsxDeferrals;
    std::size_t m_index{0}; //!< among those of its place
};

/// The deferred frames that pass a place. Before anything changes there that could matter to them
/// they are told to go singly.
class EsxDeferrals
{
  public:
    /// \param frames live until Remove()
    void Add(EsxDeferredFrames& frames)
    {
        frames.m_index = m_all.size();
        m_all.push_back(&frames);
    }

    void Remove(EsxDeferredFrames& frames)
    {
        m_all.back()->m_index = frames.m_index;
        m_all[frames.m_index] = m_all.back();
        m_all.pop_back();
    }

    bool IsEmpty() const
    {
        return m_all.empty();
    }

    /// Whether all before this instant are counted.
    bool IsSettled() const
    {
        return m_all.empty() || m_settledAt == Simulator::Now();
    }

    /// Counts them before this instant.
    void Settle() const
    {
        if (IsSettled())
        {
            return;
        }
        m_settledAt = Simulator::Now();
        for (EsxDeferredFrames* const frames : m_all)
        {
            frames->Settle();
        }
    }

    /// All go singly from now on.
    void GoSingly()
    {
        while (!m_all.empty())
        {
            m_all.back()->GoSingly();
        }
    }

  private:
    std::vector<EsxDeferredFrames*> m_all;
    mutable Time m_settledAt{-1};
};

} // namespace ns3

#endif // ESX_DEFERRED_FRAMES_H
