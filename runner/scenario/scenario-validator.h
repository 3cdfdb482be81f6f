// SPDX-License-Identifier: GPL-2.0-only
// The scenario's form, as runner/scenario/scenario.schema.json says it: valijson judges, this
// explains. Each error names the place, what stands there and what is allowed. Leaves to
// SemanticCheck() what a schema cannot say.
#ifndef ESXNF_SCENARIO_VALIDATOR_H
#define ESXNF_SCENARIO_VALIDATOR_H

#include "runner/scenario/yaml-document.h"

namespace esxnf
{

/// The schema embedded in the program, as text (draft-07).
extern const char* const g_scenarioSchema;

/// Throws ScenarioError with every place at which the document differs from the schema, in the
/// order of the file.
void ValidateForm(const YamlDocument& document);

/// Removes the free x- keys of a valid document and writes every default of the schema into it.
void FillDefaults(YamlDocument& document);

} // namespace esxnf

#endif // ESXNF_SCENARIO_VALIDATOR_H
