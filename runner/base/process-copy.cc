// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/process-copy.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace esxnf
{

ProcessCopy::ProcessCopy(const std::function<void()>& work)
{
    const pid_t parent = getpid();
    std::fflush(nullptr);
    m_pid = fork();
    if (m_pid != 0)
    {
        return;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    try
    {
        getppid() == parent ? work() : void();
    }
    catch (...)
    {
        _exit(1);
    }
    _exit(0);
}

ProcessCopy::~ProcessCopy()
{
    m_pid > 0 ? static_cast<void>(kill(m_pid, SIGKILL)) : void();
    Succeeded();
}

bool
ProcessCopy::HasEnded()
{
    constexpr useconds_t step = 2000;
    for (int i = 0; i < 50 && !Wait(WNOHANG); ++i)
    {
        usleep(step);
    }
    return m_pid <= 0;
}

bool
ProcessCopy::Succeeded()
{
    while (!Wait(0))
    {
    }
    return m_status == 0;
}

/// \return whether nothing is left to wait for
bool
ProcessCopy::Wait(int flags)
{
    const pid_t ended = m_pid > 0 ? waitpid(m_pid, &m_status, flags) : m_pid;
    if (m_pid > 0 && (ended == m_pid || (ended < 0 && errno != EINTR)))
    {
        m_pid = 0;
    }
    return m_pid <= 0;
}

} // namespace esxnf
