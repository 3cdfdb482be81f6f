// SPDX-License-Identifier: GPL-2.0-only
#include "runner/probe/huge-pages.h"

#include <sys/mman.h>

namespace esxnf
{

void
AdviseHugePages([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t octets)
{
#ifdef MADV_HUGEPAGE
    madvise(memory, octets, MADV_HUGEPAGE);
#endif
}

} // namespace esxnf
