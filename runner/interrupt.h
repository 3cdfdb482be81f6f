// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Ctrl-C as a wish, not as an end: a command looks now and then and finishes what it has.
 */
#ifndef ESXNF_INTERRUPT_H
#define ESXNF_INTERRUPT_H

#include <csignal>

namespace esxnf
{

/**
 * Catches SIGINT and SIGTERM while it lives. The first of each kind is remembered; a second one of
 * the same kind ends the process as usual. One at a time.
 */
class InterruptCatcher
{
  public:
    InterruptCatcher();
    ~InterruptCatcher();
    InterruptCatcher(const InterruptCatcher&) = delete;
    InterruptCatcher& operator=(const InterruptCatcher&) = delete;

    /// Whether one was caught.
    bool WasInterrupted() const;

  private:
    struct sigaction m_oldInterrupt;
    struct sigaction m_oldTerminate;
};

} // namespace esxnf

#endif // ESXNF_INTERRUPT_H
