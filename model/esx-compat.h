// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_COMPAT_H
#define ESX_COMPAT_H

// The one place where ns-3 releases differ for us: EnumValue and MakeEnumAccessor became templates
// in ns-3.41. MakeEsxEnumAccessor<E>(&C::m_member) is the same call before and after, without a
// version macro.

#include "ns3/enum.h"

namespace ns3
{

namespace esxcompat
{

/// Chosen where MakeEnumAccessor<E>(member) exists (ns-3.41 and later).
template <typename E, typename M>
auto
EnumAccessor(M member, int) -> decltype(MakeEnumAccessor<E>(member))
{
    return MakeEnumAccessor<E>(member);
}

/// Chosen elsewhere: the accessor deduces what it needs from the member.
template <typename E, typename M>
Ptr<const AttributeAccessor>
EnumAccessor(M member, long)
{
    return MakeEnumAccessor(member);
}

} // namespace esxcompat

/**
 * \tparam E the enumeration
 * \param member pointer to the member or setter of type E
 * \return an accessor for an enumeration attribute, in any ns-3 from 3.37 on
 */
template <typename E, typename M>
Ptr<const AttributeAccessor>
MakeEsxEnumAccessor(M member)
{
    return esxcompat::EnumAccessor<E>(member, 0);
}

} // namespace ns3

#endif /* ESX_COMPAT_H */
