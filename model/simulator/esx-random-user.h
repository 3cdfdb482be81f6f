// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_RANDOM_USER_H
#define ESX_RANDOM_USER_H

#include <cstdint>

namespace ns3
{

/// Something that draws random numbers, of streams that a script or a helper assigns.
class EsxRandomUser
{
  public:
    virtual ~EsxRandomUser() = default;

    /// Gives random streams from \p stream on. \return how many
    virtual int64_t AssignStreams(int64_t stream) = 0;
};

} // namespace ns3

#endif // ESX_RANDOM_USER_H
