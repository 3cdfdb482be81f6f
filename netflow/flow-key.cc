// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/flow-key.h"

#include <random>
#include <tuple>

namespace netflow
{

bool
operator<(const FlowKey& a, const FlowKey& b)
{
    const auto fields = [](const FlowKey& k) {
        return std::tie(k.source,
                        k.destination,
                        k.sourcePort,
                        k.destinationPort,
                        k.vSwitch,
                        k.input,
                        k.protocol,
                        k.tos);
    };
    return fields(a) < fields(b);
}

const HashSeed&
ProcessHashSeed()
{
    static const HashSeed SEED = [] {
        std::random_device random;
        const auto draw = [&random] { return uint64_t{random()} << 32 | random(); };
        const uint64_t first = draw();
        const uint64_t second = draw();
        return HashSeed{first, second, draw() | 1};
    }();
    return SEED;
}

} // namespace netflow
