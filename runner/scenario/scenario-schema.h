// SPDX-License-Identifier: GPL-2.0-only
// The scenario schema as a tree: which part of it judges a place of a document. The messages, the
// defaults and the attributes of ns-3 that keys stand for are found by walking document and schema
// together.
#ifndef ESXNF_SCENARIO_SCHEMA_H
#define ESXNF_SCENARIO_SCHEMA_H

#include "runner/scenario/distribution.h"
#include "runner/scenario/yaml-document.h"

#include <optional>
#include <string_view>

namespace esxnf
{

/// \return the whole schema
const Json& Schema();

/// A keyword of a schema: beside its "$ref" (where it describes this use), else behind it.
const Json* Keyword(const Json& schema, std::string_view keyword);

/// The schema of a member of a map, or null if the key is not allowed.
const Json* MemberSchema(const Json& schema, const std::string& key);

/// The schema of a list's items; a choice (anyOf) has at most one branch that is a list.
const Json* ItemSchema(const Json& schema);

/// The words of an enum without those that come later.
Json Supported(const Json& schema);

/// The value of the key that decides which of its siblings apply (a traffic's app, a node's kind);
/// empty if it is wrong.
std::string Selected(const Json& object, const Json& schema);

/// \return true if a key is for what is selected
bool AppliesTo(const Json& schema, const std::string& selected);

/// The quantity whose random values a schema describes (x-random); none: it describes another one.
std::optional<Quantity> QuantityOf(const Json& schema);

} // namespace esxnf

#endif // ESXNF_SCENARIO_SCHEMA_H
