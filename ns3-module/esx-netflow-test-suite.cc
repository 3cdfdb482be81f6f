// SPDX-License-Identifier: GPL-2.0-only
// The ns-3 TestSuite "esx-netflow": a case for each rule that a user of the module would check in
// an ns-3 tree. The details of each class are tested by tests/, in the standalone build.
#include "esx-test-case.h"

using namespace ns3;

namespace
{

class EsxNetflowTestSuite : public TestSuite
{
  public:
    EsxNetflowTestSuite()
        : TestSuite("esx-netflow", Type::UNIT)
    {
        for (const auto list : {EsxSwitchCases,
                                EsxMeteringCases,
                                EsxExportCases,
                                EsxHostCases,
                                EsxLinkCases,
                                EsxScriptCases})
        {
            for (TestCase* const testCase : list())
            {
                AddTestCase(testCase); // which owns it
            }
        }
    }
};

EsxNetflowTestSuite g_esxNetflowTestSuite;

} // namespace
