// SPDX-License-Identifier: GPL-2.0-only
// A value as YAML text, for scenarios that are saved, imported or recorded.
#ifndef ESXNF_YAML_EMITTER_H
#define ESXNF_YAML_EMITTER_H

#include "runner/scenario/yaml-document.h"

#include <string>

namespace esxnf
{

/// \return the YAML text of a value: block style, deterministic, and YamlDocument::Parse() gives
/// the same value back.
std::string EmitYaml(const Json& value);

} // namespace esxnf

#endif // ESXNF_YAML_EMITTER_H
