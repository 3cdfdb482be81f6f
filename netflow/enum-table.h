// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Tables with a row for each member of an enumeration, in its order: a static_assert finds a row
 * that is missing, out of place or too many.
 */
#ifndef NETFLOW_ENUM_TABLE_H
#define NETFLOW_ENUM_TABLE_H

#include <cstddef>

namespace netflow
{

/// A row that names a member.
template <typename Enum>
struct EnumName
{
    Enum value;
    const char* name;
};

/// \param value the member of a row that says which it is \param count members there are
template <typename Row, std::size_t ROWS, typename Enum>
constexpr bool
HasRowOfEach(const Row (&rows)[ROWS], Enum Row::*value, Enum count)
{
    bool isInOrder = static_cast<std::size_t>(count) == ROWS;
    for (std::size_t i = 0; i < ROWS; ++i)
    {
        isInOrder = isInOrder && static_cast<std::size_t>(rows[i].*value) == i;
    }
    return isInOrder;
}

/// Of a table of names.
template <typename Enum, std::size_t ROWS>
constexpr bool
NamesEach(const EnumName<Enum> (&rows)[ROWS])
{
    return HasRowOfEach(rows, &EnumName<Enum>::value, Enum::COUNT);
}

} // namespace netflow

#endif // NETFLOW_ENUM_TABLE_H
