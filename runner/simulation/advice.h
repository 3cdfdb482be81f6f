// SPDX-License-Identifier: GPL-2.0-only
// How long a poll period may be, and how small a purgatory, so that nothing is lost: computed from
// the instants at which records of one host ended. 'esx-netflow advise' takes them from a run and
// tries the answers in others.
#ifndef ESXNF_ADVICE_H
#define ESXNF_ADVICE_H

#include <cstdint>
#include <optional>
#include <vector>

namespace esxnf
{

/// A record ended and wanted into purgatory. Times in nanoseconds of simulated time.
struct Expiry
{
    int64_t at;
    uint16_t vSwitch;
};

/// A net-netflow process: it polls at start + k * period, k >= 1, until its end.
struct Poller
{
    int64_t start;
    int64_t end; //!< polls at this instant no more
    int64_t period;
    std::vector<uint16_t> vSwitches;
};

/// One host's purgatory over a run.
class Advice
{
  public:
    /// \param expiries in order of time; one at the instant of a poll comes before it
    Advice(std::vector<Expiry> expiries, std::vector<Poller> pollers);

    /// The smallest purgatory that loses nothing: the most that ever wait at once.
    uint64_t GetSmallestPurgatory() const;

    /**
     * The longest poll period of whole milliseconds, for all pollers, with which a purgatory of
     * \p bound loses nothing, if they start when they did.
     * \param most no longer ones are looked at
     * \return none: not even 1 ms
     */
    std::optional<int64_t> GetLongestPeriodMs(uint64_t bound, int64_t most) const;

    /// The longest one that loses nothing whenever the pollers start: no stretch of that length has
    /// more expiries. Not above GetLongestPeriodMs().
    std::optional<int64_t> GetSafePeriodMs(uint64_t bound, int64_t most) const;

  private:
    bool Fits(std::vector<Poller>& pollers, uint64_t bound, uint64_t& peak) const;

    std::vector<Expiry> m_expiries;
    std::vector<Poller> m_pollers;
};

} // namespace esxnf

#endif // ESXNF_ADVICE_H
