// SPDX-License-Identifier: GPL-2.0-only
// From a document of valid form, with all defaults, to typed values. Cannot fail: the schema's
// patterns are narrower than what ns-3's own parsers of times, rates and sizes accept.
#ifndef ESXNF_SCENARIO_READER_H
#define ESXNF_SCENARIO_READER_H

#include "runner/scenario/scenario.h"

namespace esxnf
{

/// \param document one that passed ValidateForm() and FillDefaults(); the scenario keeps it
Scenario ReadScenario(YamlDocument document);

} // namespace esxnf

#endif // ESXNF_SCENARIO_READER_H
