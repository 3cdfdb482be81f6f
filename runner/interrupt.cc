// SPDX-License-Identifier: GPL-2.0-only
#include "runner/interrupt.h"

namespace esxnf
{

namespace
{

volatile std::sig_atomic_t g_interrupted = 0;

void
OnSignal(int)
{
    g_interrupted = 1;
}

} // namespace

InterruptCatcher::InterruptCatcher()
    : m_oldInterrupt(),
      m_oldTerminate()
{
    g_interrupted = 0;
    struct sigaction action = {};
    action.sa_handler = OnSignal;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(SIGINT, &action, &m_oldInterrupt);
    sigaction(SIGTERM, &action, &m_oldTerminate);
}

InterruptCatcher::~InterruptCatcher()
{
    sigaction(SIGINT, &m_oldInterrupt, nullptr);
    sigaction(SIGTERM, &m_oldTerminate, nullptr);
}

bool
InterruptCatcher::WasInterrupted() const
{
    return g_interrupted != 0;
}

} // namespace esxnf
