// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Whether the files of a command line are in each other's way. Opens nothing.
 */
#ifndef ESXNF_SHARED_FILES_H
#define ESXNF_SHARED_FILES_H

#include <string>
#include <vector>

namespace esxnf
{

/// A file of the command line.
struct NamedFile
{
    std::string option; //!< as the user calls it, such as "--csv"
    std::string path;   //!< empty: not asked for; "-": standard input or output
};

/**
 * Throws UserError if an output is an input, or if two outputs are one file, by whatever
 * names and links. Standard output and standard error count as outputs. Devices can be shared.
 * \param folders that are replaced as a whole: no input and no other output may lie in them
 */
void RefuseSharedFiles(const std::vector<NamedFile>& inputs,
                       const std::vector<NamedFile>& outputs,
                       const std::vector<NamedFile>& folders = {});

} // namespace esxnf

#endif // ESXNF_SHARED_FILES_H
