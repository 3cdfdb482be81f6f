// SPDX-License-Identifier: GPL-2.0-only
// Checks the text of a YAML file before the parser sees it: UTF-8 without control characters,
// and one document. Called by YamlDocument; what the document says is not judged here.
#ifndef ESXNF_YAML_TEXT_H
#define ESXNF_YAML_TEXT_H

#include <string>

namespace esxnf
{

/// Throws ScenarioError about a place in a file. \param line and column from 0; the parser has no
/// place (-1) for some errors: the beginning
[[noreturn]] void FailYaml(const std::string& file, int line, int column, const std::string& what);

/// Throws ScenarioError at the first byte that is not UTF-8 or a control character. The parser
/// takes 0x04 for the end of the file and guesses at other encodings.
void RefuseForeignBytes(const std::string& text, const std::string& file);

/** Throws ScenarioError at a second document, which YAML::Load() would pass over. (YAML::LoadAll()
 * makes empty documents without end of a text that begins with a comma.) A marker at the start of
 * a line is one even inside of a text. \return false if there is nothing but comments */
bool RefuseSecondDocument(const std::string& text, const std::string& file);

/// Whether a tab is among what a line begins with. \param line from 0
bool IsIndentedByTab(const std::string& text, int line);

} // namespace esxnf

#endif // ESXNF_YAML_TEXT_H
