// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Any text as a scenario: it is refused with a message that has a place, or what it means can be
 * written down and read again without a change.
 */
#include "check.h"
#include "runner/scenario/scenario.h"

#include <string>

extern "C" int
LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size)
{
    const std::string text(data, data + size);
    std::string resolved;
    try
    {
        resolved = esxnf::ResolvedYaml(esxnf::ParseScenario(text, "fuzz.yaml"));
    }
    catch (const esxnf::ScenarioError& error)
    {
        FUZZ_CHECK(std::string(error.what()).find("fuzz.yaml") != std::string::npos);
        return 0;
    }
    FUZZ_CHECK(esxnf::ResolvedYaml(esxnf::ParseScenario(resolved, "resolved.yaml")) == resolved);
    return 0;
}
