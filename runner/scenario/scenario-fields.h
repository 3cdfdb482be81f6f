// SPDX-License-Identifier: GPL-2.0-only
// How a scenario's document becomes values: one value of each type, and the fields of a map, which
// knows its place. Cannot fail, as the form was checked. The reader describes each part by this.
#ifndef ESXNF_SCENARIO_FIELDS_H
#define ESXNF_SCENARIO_FIELDS_H

#include "runner/scenario/scenario.h"

#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace esxnf
{

/// A number, or a size in bytes, which ns-3 reads as a queue's.
void Read(const Json& json, uint32_t& value);
/// A number, or an amount of memory: "512MiB", "16GiB".
void Read(const Json& json, uint64_t& value);
void Read(const Json& json, ns3::Ipv4Address& value);
void Read(const Json& json, ns3::Mac48Address& value);
void Read(const Json& json, InterfaceAddress& value);
void Read(const Json& json, LinkEnd& value);
void Read(const Json& json, Span& value);

/// A word of the file as an ns-3 attribute spells it: "port-id" -> "PortId".
std::string ToAttributeWord(const std::string& word);

/// A text, a number or true/false; and what ns-3 makes from a text: Time, DataRate, QueueSize.
template <typename T>
void
Read(const Json& json, T& value)
{
    if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>)
    {
        value = json.get<T>();
    }
    else
    {
        value = T(json.get<std::string>());
    }
}

/// A list, or one item alone ("to: web1").
template <typename T>
void
Read(const Json& json, std::vector<T>& value)
{
    if (!json.is_array())
    {
        Read(json, value.emplace_back());
        return;
    }
    for (const auto& item : json)
    {
        Read(item, value.emplace_back());
    }
}

template <typename T>
void
Read(const Json& json, std::optional<T>& value)
{
    Read(json, value.emplace());
}

/// A map of the document and its place. A key that is not there (no default, or of another kind)
/// leaves its field alone.
class Fields
{
  public:
    Fields(const Json& json, const std::string& path)
        : m_json(json),
          m_path(path)
    {
    }

    template <typename T>
    const Fields& operator()(const char* key, T& value) const
    {
        if (m_json.contains(key))
        {
            Read(m_json.at(key), value);
        }
        return *this;
    }

    /// A key that is there, as text.
    std::string Text(const char* key) const
    {
        return m_json.at(key).get<std::string>();
    }

    /// The same for a key that may be a number.
    std::string NumberOrText(const char* key) const
    {
        const Json& value = m_json.at(key);
        return value.is_string() ? value.get<std::string>() : value.dump();
    }

    /// Whether a key that is there holds text.
    bool IsText(const char* key) const
    {
        return m_json.at(key).is_string();
    }

    bool Has(const char* key) const
    {
        return m_json.contains(key);
    }

    Fields At(const char* key) const
    {
        return Fields(m_json.at(key), JoinPointer(m_path, key));
    }

    /// Makes one part of each item of the list at a key.
    template <typename T>
    void List(const char* key, std::vector<T>& parts, void (*read)(const Fields&, T&)) const
    {
        for (const auto& [index, child] : m_json.at(key).items())
        {
            parts.emplace_back().path = JoinPointer(JoinPointer(m_path, key), index);
            read(Fields(child, parts.back().path), parts.back());
        }
    }

    /// Makes one part, with that name, of each member of the map at a key.
    template <typename T>
    void Map(const char* key, std::vector<T>& parts, void (*read)(const Fields&, T&)) const
    {
        for (const auto& [name, child] : m_json.at(key).items())
        {
            parts.emplace_back().path = JoinPointer(JoinPointer(m_path, key), name);
            parts.back().name = name;
            read(Fields(child, parts.back().path), parts.back());
        }
    }

    const std::string& Path() const
    {
        return m_path;
    }

  private:
    const Json& m_json;
    const std::string m_path;
};

} // namespace esxnf

#endif // ESXNF_SCENARIO_FIELDS_H
