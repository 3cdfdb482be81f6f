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

/// \param part of a vSwitch, or of a port group that overrides single values of its vSwitch's
/// \param inherited these values; null: the defaults. It is returned where the part has none.
ns3::Ptr<ns3::EsxPortPolicy> MakePolicy(const AttributeSettings& settings,
                                        const std::string& part,
                                        const ns3::Ptr<ns3::EsxPortPolicy>& inherited = nullptr);

} // namespace esxnf

#endif // ESXNF_SCENARIO_READER_H
