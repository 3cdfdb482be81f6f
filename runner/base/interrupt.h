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

    /// Whether one was caught by the catcher that lives; false if none does.
    static bool WasInterrupted();

  private:
    struct sigaction m_oldInterrupt;
    struct sigaction m_oldTerminate;
};

/**
 * Ctrl-C as a key, for a prompt: every SIGINT is caught and means something there. SIGTERM and
 * SIGHUP are caught once, a wish to end. Both end a poll(). One at a time, and none
 * beside an InterruptCatcher.
 */
class KeyCatcher
{
  public:
    KeyCatcher();
    ~KeyCatcher();
    KeyCatcher(const KeyCatcher&) = delete;
    KeyCatcher& operator=(const KeyCatcher&) = delete;

    /// Whether Ctrl-C was pressed since the last TakeInterrupt(), or the end is wished.
    bool IsPending() const;
    /// Whether Ctrl-C was pressed since the last call.
    bool TakeInterrupt();
    bool WasTerminated() const;

  private:
    struct sigaction m_oldInterrupt;
    struct sigaction m_oldTerminate;
    struct sigaction m_oldHangup;
};

} // namespace esxnf

#endif // ESXNF_INTERRUPT_H
