// SPDX-License-Identifier: GPL-2.0-only
// Runs ns-3 TestSuites in the standalone build: Debian's libns3-dev brings no test-runner. An ns-3
// tree has its own.

#include "ns3/test.h"

int
main(int argc, char* argv[])
{
    return ns3::TestRunner::Run(argc, argv);
}
