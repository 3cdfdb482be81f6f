// SPDX-License-Identifier: GPL-2.0-only
#include "runner/base/huge-pages.h"

#include <cstdint>
#include <sys/mman.h>
#include <unistd.h>

namespace esxnf
{

namespace
{

const auto g_heap = reinterpret_cast<std::uintptr_t>(sbrk(0)); // where it began

} // namespace

void
UseHugePages()
{
    constexpr int collapse = 25; // MADV_COLLAPSE of Linux 6.1, which glibc 2.36 does not know
    constexpr std::uintptr_t page = 2 << 20;
    constexpr std::uintptr_t large = 16 << 20;
    const std::uintptr_t begin = (g_heap + page - 1) / page * page;
    char* const top = static_cast<char*>(sbrk(0));
    const auto above = reinterpret_cast<std::uintptr_t>(top);
    const std::uintptr_t end = above / page * page;
    if (end >= begin + large)
    {
        char* const heap = top - (above - begin);
        madvise(heap, end - begin, MADV_HUGEPAGE); // for what comes into it
        madvise(heap, end - begin, collapse);      // for what is there
    }
}

} // namespace esxnf
