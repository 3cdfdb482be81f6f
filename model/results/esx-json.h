// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_JSON_H
#define ESX_JSON_H

#include <cstdint>
#include <string>
#include <string_view>

namespace ns3
{

/// Writes JSON from front to back, two blanks for each level.
class EsxJson
{
  public:
    EsxJson& BeginObject();
    EsxJson& EndObject();
    EsxJson& BeginArray();
    EsxJson& EndArray();
    /// The key of the value that comes next.
    EsxJson& Key(std::string_view key);
    EsxJson& Text(std::string_view text);
    EsxJson& Number(uint64_t number);
    EsxJson& Number(int64_t number);
    EsxJson& Number(double number);
    EsxJson& Bool(bool value);

    EsxJson& Text(std::string_view key, std::string_view text);
    EsxJson& Number(std::string_view key, uint64_t number);
    EsxJson& Bool(std::string_view key, bool value);

    /// The whole, with a line end.
    std::string Take();

  private:
    void Begin(char bracket);
    void End(char bracket);
    void Place();
    void Quote(std::string_view text);

    std::string m_text;
    std::size_t m_depth{0};
    bool m_first{true};   //!< nothing is in the innermost brackets yet
    bool m_hasKey{false}; //!< the value comes behind its key
};

} // namespace ns3

#endif // ESX_JSON_H
