// SPDX-License-Identifier: GPL-2.0-only
// Meaning of plain scalars of YAML: YAML 1.2's core schema, in place of yaml-cpp's own idea of
// numbers. YamlDocument reads by it, EmitYaml() quotes by it.
#ifndef ESXNF_YAML_SCALAR_H
#define ESXNF_YAML_SCALAR_H

#include "runner/scenario/yaml-document.h"

#include <string>

namespace esxnf
{

/// YAML 1.2, 10.3.2. \return null, true or false, a number, or the text itself: numbers that do not
/// fit stay text, and fail the schema.
Json ResolvePlain(const std::string& text);

} // namespace esxnf

#endif // ESXNF_YAML_SCALAR_H
