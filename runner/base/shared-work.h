// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Work in pieces that change nothing of this process, done by it and a copy of it (fork) on two
 * cores. The tables of a result folder are written with it.
 */
#ifndef ESXNF_SHARED_WORK_H
#define ESXNF_SHARED_WORK_H

#include <functional>

namespace esxnf
{

/**
 * Runs \p work here and, where another core is, in a copy of this process at the same time. Each
 * piece is done by the one that asks for it first. If the copy fails in whatever way, its pieces
 * are done here, where the failure is seen; the copy does not outlive the call.
 * \param work goes over its pieces in one order, in both, and does those for which \p isMine is
 * true, asked once for each
 */
void ShareWork(const std::function<void(const std::function<bool()>& isMine)>& work);

} // namespace esxnf

#endif // ESXNF_SHARED_WORK_H
