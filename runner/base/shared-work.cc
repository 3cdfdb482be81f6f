// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/shared-work.h"

#include "runner/base/process-copy.h"

#include <array>
#include <atomic>
#include <memory>
#include <sched.h>
#include <set>
#include <sys/mman.h>

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
    bool isCopy = false;
    std::set<std::size_t> own;
    std::size_t at = 0;
    const auto isMine = [&] {
        const bool is = at < taken->size() ? !(*taken)[at].exchange(true) : !isCopy;
        is ? static_cast<void>(own.insert(at)) : void();
        ++at;
        return is;
    };
    ProcessCopy copy([&] {
        isCopy = true;
        work(isMine);
    });
    work(isMine);
    if (!copy.Succeeded())
    {
        at = 0;
        work([&] { return own.count(at++) == 0; });
    }
}

} // namespace esxnf
