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
template <typename E, typename... M>
auto
EnumAccessor(int, M... members) -> decltype(MakeEnumAccessor<E>(members...))
{
    return MakeEnumAccessor<E>(members...);
}

/// Chosen elsewhere: the accessor deduces what it needs from the member.
template <typename E, typename... M>
Ptr<const AttributeAccessor>
EnumAccessor(long, M... members)
{
    return MakeEnumAccessor(members...);
}

} // namespace esxcompat

/**
 * \tparam E the enumeration
 * \param members pointer to the member of type E, or to setter and getter
 * \return an accessor for an enumeration attribute, in any ns-3 from 3.37 on
 */
template <typename E, typename... M>
Ptr<const AttributeAccessor>
MakeEsxEnumAccessor(M... members)
{
    return esxcompat::EnumAccessor<E>(0, members...);
}

} // namespace ns3

#endif /* ESX_COMPAT_H */
