// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Ends a fuzz target when a rule is broken, in builds with and without assertions.
 */
#ifndef ENF_FUZZ_CHECK_H
#define ENF_FUZZ_CHECK_H

#include <cstdio>
#include <cstdlib>

/// Ends the process unless \p condition holds: a fuzzer keeps the input, the driver fails.
#define FUZZ_CHECK(condition)                                                                      \
    do                                                                                             \
    {                                                                                              \
        if (!(condition))                                                                          \
        {                                                                                          \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                   \
            std::abort();                                                                          \
        }                                                                                          \
    } while (false)

#endif // ENF_FUZZ_CHECK_H
