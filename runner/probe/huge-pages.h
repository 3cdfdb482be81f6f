// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Asks the system for large pages, for tables that are accessed at random.
 */
#ifndef ESXNF_HUGE_PAGES_H
#define ESXNF_HUGE_PAGES_H

#include <cstddef>

namespace esxnf
{

/// A netflow::MemoryAdvice. It only asks: nothing depends on what the system does.
void AdviseHugePages(void* memory, std::size_t octets);

} // namespace esxnf

#endif // ESXNF_HUGE_PAGES_H
