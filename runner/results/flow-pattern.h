// SPDX-License-Identifier: GPL-2.0-only
// Which flows a user means: "10.1.101.11:*->10.1.101.21:3306", "web1->db1", "10.1.101.*:* -> *:53".
#ifndef ESXNF_FLOW_PATTERN_H
#define ESXNF_FLOW_PATTERN_H

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace esxnf
{

/// Addresses by the name of what has them: a VM, a collector, "esx1:vmk0".
using AddressesByName = std::map<std::string, std::vector<std::string>>;

/// Addresses by name, from resolved.yaml of a result folder; empty if that cannot be read.
AddressesByName AddressesOf(const std::string& folder);

class FlowPattern
{
  public:
    /**
     * \param text SOURCE[:PORT]->DESTINATION[:PORT]; an address may be a name, * stands for any
     * characters, no port for any port
     * \param names may be empty
     * Throws UserError if it is no such text.
     */
    explicit FlowPattern(const std::string& text, const AddressesByName& names = {});

    bool Matches(std::string_view source,
                 std::string_view sourcePort,
                 std::string_view destination,
                 std::string_view destinationPort) const;

  private:
    struct End
    {
        std::vector<std::string> addresses; //!< patterns
        std::string port;                   //!< pattern
    };

    static End ParseEnd(std::string text, const AddressesByName& names);
    static bool Matches(const End& end, std::string_view address, std::string_view port);

    End m_source;
    End m_destination;
};

} // namespace esxnf

#endif // ESXNF_FLOW_PATTERN_H
