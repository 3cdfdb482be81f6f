// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESXNF_HUGE_PAGES_H
#define ESXNF_HUGE_PAGES_H

namespace esxnf
{

/// Asks the kernel to keep a large heap in pages of 2 MiB: a large lab is all over its memory with
/// each packet. Nothing if the heap is small, or the kernel will not.
void UseHugePages();

} // namespace esxnf

#endif // ESXNF_HUGE_PAGES_H
