// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Prepares a process before it opens a file: descriptors and signals. Outputs are output-file's.
 */
#ifndef ESXNF_PROCESS_H
#define ESXNF_PROCESS_H

#include <cstddef>

namespace esxnf
{

/**
 * Opens descriptors 0 to 2 where they are closed (>&-), so that no output gets the number of a
 * standard stream; makes what SIGPIPE and SIGXFSZ tell an error of the write, which is told and
 * cleaned up behind as any other.
 */
void PrepareProcess();

/**
 * Lets so many more files be open at once: raises the soft limit as far as that takes. Throws
 * UserError that says how many are needed if the hard limit is below.
 */
void ReserveDescriptors(std::size_t more);

} // namespace esxnf

#endif // ESXNF_PROCESS_H
