// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/process.h"

#include "runner/base/user-error.h"

#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

namespace esxnf
{

namespace
{

/// Descriptors of a moment: for a file that is read, a folder that is listed, a socket.
constexpr std::size_t SPARE_DESCRIPTORS = 16;

} // namespace

void
PrepareProcess()
{
    for (int standard = open("/dev/null", O_RDWR); standard >= 0;
         standard = open("/dev/null", O_RDWR))
    {
        if (standard > STDERR_FILENO)
        {
            close(standard);
            break;
        }
    }
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
}

void
ReserveDescriptors(std::size_t more)
{
    const int lowestFree = dup(STDIN_FILENO); // so many are open, or a few more behind gaps
    close(lowestFree);
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    const rlim_t open = lowestFree < 0 ? limit.rlim_cur : static_cast<rlim_t>(lowestFree);
    const rlim_t needed = open + more + SPARE_DESCRIPTORS;
    if (needed <= limit.rlim_cur)
    {
        return;
    }
    if (needed > limit.rlim_max)
    {
        throw UserError(fmt::format("{} files must be open at once, and {} may be: raise the "
                                    "limit (ulimit -n)",
                                    needed,
                                    limit.rlim_max));
    }
    limit.rlim_cur = needed;
    setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace esxnf
