// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_TEST_CASE_H
#define ESX_TEST_CASE_H

// Cases of the TestSuite "esx-netflow": each proves one rule in a lab of its own. The suite has one
// list of cases for each file of them.

#include "ns3/config.h"
#include "ns3/names.h"
#include "ns3/simulator.h"
#include "ns3/test.h"

#include <string>
#include <vector>

std::vector<ns3::TestCase*> EsxSwitchCases();
std::vector<ns3::TestCase*> EsxMeteringCases();
std::vector<ns3::TestCase*> EsxExportCases();
std::vector<ns3::TestCase*> EsxHostCases();
std::vector<ns3::TestCase*> EsxScriptCases();
std::vector<ns3::TestCase*> EsxLinkCases();

/// A case in a lab that exists while it runs.
template <typename Lab>
class EsxLabCase : public ns3::TestCase
{
  public:
    using TestCase::TestCase;

  private:
    virtual void Check(Lab& lab) = 0;

    void DoRun() override
    {
        {
            Lab lab;
            Check(lab);
            ns3::Simulator::Destroy();
        }
        ns3::Names::Clear();
        ns3::Config::Reset();
    }
};

/// ESX_CASE(Lab, Name, "the rule") { checks of `lab` }
#define ESX_CASE(Lab, Name, rule)                                                                  \
    class Name : public EsxLabCase<Lab>                                                            \
    {                                                                                              \
      public:                                                                                      \
        Name()                                                                                     \
            : EsxLabCase(rule)                                                                     \
        {                                                                                          \
        }                                                                                          \
                                                                                                   \
      private:                                                                                     \
        void Check(Lab& lab) override;                                                             \
    };                                                                                             \
    void Name::Check([[maybe_unused]] Lab& lab)

/// In a case: two values are equal; both are told where they are not. ns-3's macro would evaluate
/// them again to do so.
#define ESX_SAME(actual, wanted)                                                                   \
    do                                                                                             \
    {                                                                                              \
        const auto is = (actual);                                                                  \
        const auto shallBe = (wanted);                                                             \
        NS_TEST_EXPECT_MSG_EQ(is, shallBe, #actual " in line " << __LINE__);                       \
    } while (false)

#endif // ESX_TEST_CASE_H
