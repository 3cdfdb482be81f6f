// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_RANKED_EVENT_H
#define ESX_RANKED_EVENT_H

#include "ns3/event-impl.h"
#include "ns3/nstime.h"

#include <cstdint>

namespace ns3
{

/**
 * An event whose place among those of its instant does not depend on when it was scheduled. In an
 * EsxEventHeap it comes behind all events without a rank, in order of ranks; at equal ranks as
 * scheduled. Other lists of events know no ranks and take all as scheduled.
 */
class EsxRankedEvent : public EventImpl
{
  public:
    explicit EsxRankedEvent(uint64_t rank);
    ~EsxRankedEvent() override;

    uint64_t GetRank() const
    {
        return m_rank;
    }

    /// \param context id of the node that the event runs at. \param event owned by the simulator
    /// from now on
    static void Schedule(uint32_t context, Time delay, EsxRankedEvent* event);

    /// \return whether the event that happens now comes behind all of a rank in its instant
    static bool IsBehind(uint64_t rank);

  private:
    void Notify() final;
    /// Is called when its time has come.
    virtual void Happen() = 0;

    static uint64_t g_current; //!< rank of the event that happens now, plus 1; 0: it has none
    uint64_t m_rank;
};

} // namespace ns3

#endif // ESX_RANKED_EVENT_H
