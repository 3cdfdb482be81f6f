// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_RANKED_EVENT_H
#define ESX_RANKED_EVENT_H

#include "ns3/event-impl.h"
#include "ns3/nstime.h"

#include <cstdint>
#include <utility>
#include <vector>

namespace ns3
{

/**
 * An event whose place among those of its instant does not depend on when it was scheduled. In an
 * EsxEventHeap it comes behind all events without a rank, in order of ranks; at equal ranks in
 * order of origins; at equal ones as scheduled. Other lists of events know no ranks and take all as
 * scheduled.
 */
class EsxRankedEvent : public EventImpl
{
  public:
    /// Instants (ns) and ranks of the events that led to an event, the latest first, and the order
    /// of what the first one did: who schedules an event later than it could have gives it the
    /// place that it would have had. Ranks are plus 1; 0: that event had none. An event of which
    /// that is not known comes before all others of its rank.
    using Origin = std::vector<std::pair<int64_t, uint64_t>>;

    explicit EsxRankedEvent(uint64_t rank, Origin origin = {});
    ~EsxRankedEvent() override;

    uint64_t GetRank() const
    {
        return m_rank;
    }

    const Origin& GetOrigin() const
    {
        return m_origin;
    }

    /// \param context id of the node that the event runs at. \param event owned by the simulator
    /// from now on
    static void Schedule(uint32_t context, Time delay, EsxRankedEvent* event);

    /// \return the origin of an event that is scheduled now: what a ranked event schedules without
    /// a rank for its own instant is a part of it
    static Origin GetOriginFromNow();

    /// \return whether what happens now comes behind what an event of this instant does. \param
    /// order of that
    static bool IsBehind(uint64_t rank, uint64_t order)
    {
        return g_isNow && (g_rank != rank + 1 ? g_rank > rank + 1 : g_order > order);
    }

    /// \param originOf gives that of the event; it is called if that decides
    template <typename OriginOf>
    static bool IsBehindOrigin(uint64_t rank, const OriginOf& originOf)
    {
        return g_isNow && (g_rank != rank + 1 ? g_rank > rank + 1 : g_origin > originOf());
    }

  protected:
    /// \param order of what the event does next. Such an event has no origin
    static void SetOrder(uint64_t order)
    {
        g_order = order;
    }

  private:
    void Notify() final;
    /// Is called when its time has come.
    virtual void Happen() = 0;

    static constexpr uint64_t NO_ORDER = UINT64_MAX;

    static bool g_isNow;     //!< false: an event without a rank happens
    static uint64_t g_rank;  //!< of the event that happens, or was the latest one, plus 1
    static uint64_t g_order; //!< of what it does
    static Origin g_origin;
    uint64_t m_rank;
    Origin m_origin; //!< until it happens
};

} // namespace ns3

#endif // ESX_RANKED_EVENT_H
