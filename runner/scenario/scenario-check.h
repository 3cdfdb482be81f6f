// SPDX-License-Identifier: GPL-2.0-only
// Inside of SemanticCheck(): first the lab, which gives the names there are, then the plan, which
// uses them. Names are looked up in maps, so that large labs are checked as fast as they are read.
#ifndef ESXNF_SCENARIO_CHECK_H
#define ESXNF_SCENARIO_CHECK_H

#include "runner/scenario/scenario.h"

#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace esxnf
{

/// The messages so far, and the checks that all parts use.
class ScenarioNotes
{
  public:
    /// Names that are taken, or other keys, each with the path of who has it.
    template <typename Key>
    using TakenOf = std::map<Key, std::string>;
    using Taken = TakenOf<std::string>;

    /// Thrown to end the check: nobody reads more, and each message may search for the nearest
    /// word.
    struct TooMany
    {
    };

    explicit ScenarioNotes(const Scenario& scenario);

    /// \return the messages in the order of the file
    Diagnostics Sorted() const;

    void Error(const std::string& path, const std::string& what);
    void Warn(const std::string& path, const std::string& what);

    /// Takes a key; if it is taken already, an error says by whom. \return true if it was free
    template <typename Key>
    bool Take(TakenOf<Key>& taken,
              const std::string& what,
              const Key& key,
              const std::string& path);

    /// An error with the nearest word, unless the map has the name.
    template <typename Map>
    bool Known(const Map& map,
               const std::string& what,
               const std::string& name,
               const std::string& path);

    void CheckPositive(const ns3::Time& time, const std::string& path);

    /// A time after the end is legal, and surely a mistake.
    void CheckWithinRun(const ns3::Time& time, const std::string& path);

    /// "line 12" of a path
    std::string Line(const std::string& path) const;

    /// \return true if the map at a path has that key, in the file or by default
    bool Has(const std::string& path, const std::string& key) const;

  private:
    void Say(Severity severity, const std::string& path, const std::string& what);
    void SayUnknown(const std::string& what,
                    const std::string& name,
                    const std::string& path,
                    const std::vector<std::string>& allowed);

    const Scenario& m_scenario;
    Diagnostics m_messages;
};

/// Things of the lab that traffic, timeline and expectations may name.
struct LabNames
{
    using Addresses = std::vector<InterfaceAddress>;

    std::map<std::string, const Host*> hosts;
    std::map<std::string, const Node*> nodes;
    ScenarioNotes::Taken links;
    std::map<std::string, Addresses> senders;   //!< VMs and servers
    std::map<std::string, Addresses> receivers; //!< the same and collectors
    std::set<std::string> gateways;             //!< of the senders those that have one
    std::map<std::string, bool> vms;
    std::map<std::string, bool>
        captures; //!< links, and interfaces as esx1:vmnic0, esx1:vmk0, web1:eth0
};

/// Hosts, nodes and links.
LabNames CheckParts(const Scenario& scenario, ScenarioNotes& notes);

/// Checks attributes that are set by name.
void CheckAttributes(const Scenario& scenario, ScenarioNotes& notes);

// The plan, a file each.
void CheckTraffic(const Scenario& scenario, const LabNames& lab, ScenarioNotes& notes);
void CheckTimeline(const Scenario& scenario, const LabNames& lab, ScenarioNotes& notes);
void CheckExpectations(const Scenario& scenario, const LabNames& lab, ScenarioNotes& notes);

/// A value of ns-3's as text.
template <typename T>
std::string
Text(const T& value)
{
    std::ostringstream text;
    text << value;
    return text.str();
}

/// In seconds: "0.5s".
std::string Text(const ns3::Time& value);
std::string Text(ns3::Ipv4Address value);

template <typename Key>
bool
ScenarioNotes::Take(TakenOf<Key>& taken,
                    const std::string& what,
                    const Key& key,
                    const std::string& path)
{
    const auto [first, isNew] = taken.emplace(key, path);
    if (!isNew)
    {
        Error(path, what + " '" + Text(key) + "' is used twice, first in " + Line(first->second));
    }
    return isNew;
}

template <typename Map>
bool
ScenarioNotes::Known(const Map& map,
                     const std::string& what,
                     const std::string& name,
                     const std::string& path)
{
    if (map.count(name))
    {
        return true;
    }
    std::vector<std::string> allowed;
    allowed.reserve(map.size());
    for (const auto& entry : map)
    {
        allowed.push_back(entry.first);
    }
    SayUnknown(what, name, path, allowed);
    return false;
}

} // namespace esxnf

#endif // ESXNF_SCENARIO_CHECK_H
