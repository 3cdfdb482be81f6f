// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_FIXTURE_H
#define ESX_FIXTURE_H

// The lab of esx-switch-lab.h as a GoogleTest fixture.

#include "ns3-module/esx-switch-lab.h"

#include <gtest/gtest.h>

class EsxTest : public ::testing::Test, public EsxSwitchLab
{
  protected:
    void TearDown() override
    {
        arrivals.clear();
        ns3::Simulator::Destroy();
    }
};

#endif /* ESX_FIXTURE_H */
