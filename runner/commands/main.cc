// SPDX-License-Identifier: GPL-2.0-only
#include "runner/commands/cli.h"

int
main(int argc, char** argv)
{
    return esxnf::RunProgram(argc, argv);
}
