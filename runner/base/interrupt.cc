// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/interrupt.h"

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

volatile std::sig_atomic_t g_pressed = 0;
volatile std::sig_atomic_t g_terminated = 0;

void
OnKey(int)
{
    g_pressed = 1;
}

void
OnTerminate(int)
{
    g_terminated = 1;
}

} // namespace

InterruptCatcher::InterruptCatcher()
    : m_oldInterrupt(),
      m_oldTerminate()
{
    g_interrupted = 0;
    struct sigaction action = {};
    action.sa_handler = OnSignal;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART); // a print goes on
    sigaction(SIGINT, &action, &m_oldInterrupt);
    sigaction(SIGTERM, &action, &m_oldTerminate);
}

InterruptCatcher::~InterruptCatcher()
{
    sigaction(SIGINT, &m_oldInterrupt, nullptr);
    sigaction(SIGTERM, &m_oldTerminate, nullptr);
    g_interrupted = 0;
}

bool
InterruptCatcher::WasInterrupted()
{
    return g_interrupted != 0;
}

KeyCatcher::KeyCatcher()
    : m_oldInterrupt(),
      m_oldTerminate(),
      m_oldHangup()
{
    g_pressed = 0;
    g_terminated = 0;
    struct sigaction key = {};
    key.sa_handler = OnKey;
    key.sa_flags = SA_RESTART;
    sigaction(SIGINT, &key, &m_oldInterrupt);
    struct sigaction end = {};
    end.sa_handler = OnTerminate;
    end.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
    sigaction(SIGTERM, &end, &m_oldTerminate);
    sigaction(SIGHUP, &end, &m_oldHangup);
}

KeyCatcher::~KeyCatcher()
{
    sigaction(SIGINT, &m_oldInterrupt, nullptr);
    sigaction(SIGTERM, &m_oldTerminate, nullptr);
    sigaction(SIGHUP, &m_oldHangup, nullptr);
}

bool
KeyCatcher::IsPending() const
{
    return g_pressed != 0 || g_terminated != 0;
}

bool
KeyCatcher::TakeInterrupt()
{
    const bool pressed = g_pressed != 0;
    g_pressed = 0;
    return pressed;
}

bool
KeyCatcher::WasTerminated() const
{
    return g_terminated != 0;
}

} // namespace esxnf
