// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/shared-work.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <memory>
#include <sched.h>
#include <set>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace esxnf
{

namespace
{

/// Of each piece, whether somebody does it, in memory of both processes.
using Taken = std::array<std::atomic<bool>, 1 << 16>;

bool
HasAnotherCore()
{
    cpu_set_t cores;
    return sched_getaffinity(0, sizeof(cores), &cores) == 0 && CPU_COUNT(&cores) > 1;
}

/// A copy that is done for, whatever happens here.
class Copy
{
  public:
    explicit Copy(pid_t pid)
        : m_pid(pid)
    {
    }

    ~Copy()
    {
        m_pid > 0 ? static_cast<void>(kill(m_pid, SIGKILL)) : void();
        Succeeded();
    }

    /// When it has ended.
    bool Succeeded()
    {
        int status = -1;
        while (m_pid > 0 && waitpid(m_pid, &status, 0) < 0 && errno == EINTR)
        {
        }
        m_pid = 0;
        return status == 0;
    }

  private:
    pid_t m_pid;
};

} // namespace

void
ShareWork(const std::function<void(const std::function<bool()>& isMine)>& work)
{
    constexpr int flags = MAP_SHARED | MAP_ANONYMOUS; // zeros: nobody
    void* const shared = HasAnotherCore()
                             ? mmap(nullptr, sizeof(Taken), PROT_READ | PROT_WRITE, flags, -1, 0)
                             : MAP_FAILED;
    if (shared == MAP_FAILED)
    {
        work([] { return true; });
        return;
    }
    const std::unique_ptr<Taken, void (*)(Taken*)> taken(
        static_cast<Taken*>(shared),
        [](Taken* memory) { munmap(memory, sizeof(Taken)); });
    const pid_t parent = getpid();
    std::fflush(nullptr);
    const pid_t pid = fork();
    std::set<std::size_t> own;
    std::size_t at = 0;
    const auto isMine = [&] {
        const bool is = at < taken->size() ? !(*taken)[at].exchange(true) : pid != 0;
        is ? static_cast<void>(own.insert(at)) : void();
        ++at;
        return is;
    };
    if (pid == 0)
    {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        try
        {
            getppid() == parent ? work(isMine) : void();
        }
        catch (...)
        {
            _exit(1);
        }
        _exit(0);
    }
    Copy copy(pid);
    work(isMine);
    if (!copy.Succeeded())
    {
        at = 0;
        work([&] { return own.count(at++) == 0; });
    }
}

} // namespace esxnf
