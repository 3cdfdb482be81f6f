// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * summary.json, read back. All that reads result folders begins with it, so that a broken or a
 * foreign folder is told in one way.
 */
#ifndef ESXNF_SUMMARY_FILE_H
#define ESXNF_SUMMARY_FILE_H

#include "runner/scenario/yaml-document.h"

namespace esxnf
{

/// \return what ToJson(Summary) gave; throws UserError that names the file and the place
/// in it where that cannot be
Json ReadSummary(const std::string& folder);

/// A file's text as JSON; throws UserError that names the line where it is none.
Json ParseJson(const std::string& text, const std::string& path);

} // namespace esxnf

#endif // ESXNF_SUMMARY_FILE_H
