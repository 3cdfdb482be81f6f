// SPDX-License-Identifier: GPL-2.0-only
#include "netflow/flow-key.h"

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

} // namespace netflow
