// SPDX-License-Identifier: GPL-2.0-only
// Attributes of ns-3 that are set by name: there is such an attribute, no key sets it, it can be
// set before the run, and ns-3 reads the value. No half-duplex link gets one of our device.
#include "runner/base/user-error.h"
#include "runner/scenario/scenario-check.h"

#include "ns3/ipv4-address.h"
#include "ns3/string.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <optional>
#include <sys/wait.h>
#include <unistd.h>

namespace esxnf
{

namespace
{

using ns3::TypeId;

std::vector<std::string>
AllTypes()
{
    std::vector<std::string> names;
    for (uint16_t i = 0; i < TypeId::GetRegisteredN(); ++i)
    {
        names.push_back(TypeId::GetRegistered(i).GetName());
    }
    return names;
}

/// Those of a type and of its parents.
std::vector<std::string>
AttributesOf(TypeId type)
{
    std::vector<std::string> names;
    while (true)
    {
        for (std::size_t i = 0; i < type.GetAttributeN(); ++i)
        {
            names.push_back(type.GetAttribute(i).name);
        }
        if (!type.HasParent())
        {
            return names;
        }
        type = type.GetParent();
    }
}

/// Why an attribute is not for scenarios; empty if it is.
std::string
WhyNotSettable(const TypeId::AttributeInformation& info)
{
    const std::string values = info.checker->GetValueTypeName();
    const auto is = [&values](const char* start) { return values.rfind(start, 0) == 0; };
    if (is("ns3::PointerValue") || is("ns3::ObjectPtrContainerValue"))
    {
        return "leads to other objects: name their own attributes";
    }
    if (is("ns3::CallbackValue"))
    {
        return "is a function, which only a script can give";
    }
    const bool canBeSet = (info.flags & (TypeId::ATTR_SET | TypeId::ATTR_CONSTRUCT)) != 0;
    return canBeSet && info.accessor->HasSetter() ? "" : "can only be read";
}

/// ns-3's readers of addresses take any text, and each generation reads another address in a wrong
/// one.
bool
IsAsWritten(const ns3::Ptr<ns3::AttributeValue>& value,
            const std::string& text,
            const ns3::Ptr<const ns3::AttributeChecker>& checker)
{
    return !ns3::DynamicCast<ns3::Ipv4AddressValue>(value) ||
           value->SerializeToString(checker) == text;
}

/// Lets ns-3 read values in a child process, since some of its readers end the process over a wrong
/// one. \return the first wrong one at or behind an index
std::optional<std::size_t>
FirstUnreadable(const std::vector<std::pair<TypeId::AttributeInformation, std::string>>& values,
                std::size_t from)
{
    if (from >= values.size())
    {
        return std::nullopt;
    }
    int ends[2] = {-1, -1};
    const pid_t child = pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;
    if (child < 0)
    {
        const std::string why = std::strerror(errno);
        close(ends[0]);
        close(ends[1]);
        throw UserError("the values of attributes cannot be tried: " + why);
    }
    if (child == 0)
    {
        std::signal(SIGABRT, SIG_DFL);
        std::set_terminate([] { _exit(1); });
        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
        for (std::size_t i = from; i < values.size(); ++i)
        {
            const auto& [info, text] = values[i];
            const auto value = info.checker->CreateValidValue(ns3::StringValue(text));
            if (!value || !IsAsWritten(value, text, info.checker) || write(ends[1], "y", 1) != 1)
            {
                break;
            }
        }
        _exit(0);
    }
    close(ends[1]);
    std::size_t good = 0;
    char answer;
    ssize_t got;
    while ((got = read(ends[0], &answer, 1)) == 1 || (got < 0 && errno == EINTR))
    {
        good += got == 1 ? 1 : 0;
    }
    close(ends[0]);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
    {
    }
    if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGTERM))
    {
        throw UserError("the process that tried the values of attributes was killed");
    }
    return from + good < values.size() ? std::optional(from + good) : std::nullopt;
}

std::string
AllowedValues(const ns3::AttributeChecker& checker)
{
    const std::string values = checker.GetValueTypeName();
    if (values == "ns3::TimeValue")
    {
        return "a time such as 1.5s";
    }
    const std::string type =
        checker.HasUnderlyingTypeInformation() ? checker.GetUnderlyingTypeInformation() : values;
    return type == "Ipv4Address" ? "an IPv4 address such as 10.6.125.1" : type;
}

/// Judges what stands under 'attributes' of a scenario's parts.
class AttributeCheck
{
  public:
    explicit AttributeCheck(ScenarioNotes& notes)
        : m_notes(notes)
    {
    }

    void Check(const AttributeSetting& setting)
    {
        TypeId type;
        TypeId::AttributeInformation info;
        const auto full = setting.type + "::" + setting.name;
        if (!TypeId::LookupByNameFailSafe(setting.type, &type))
        {
            m_notes.Error(setting.path,
                          fmt::format("ns-3 has no type '{}'; {}",
                                      setting.type,
                                      Suggest(setting.type, AllTypes())));
        }
        else if (!type.LookupAttributeByName(setting.name, &info))
        {
            m_notes.Error(setting.path,
                          fmt::format("{} has no attribute '{}'; {}",
                                      setting.type,
                                      setting.name,
                                      Suggest(setting.name, AttributesOf(type))));
        }
        else if (const auto key = KeyOfAttribute(type, setting.name); !key.empty())
        {
            m_notes.Error(setting.path, fmt::format("{} has a key: write {}", full, key));
        }
        else if (const auto why = WhyNotSettable(info); !why.empty())
        {
            m_notes.Error(setting.path, fmt::format("{} {}", full, why));
        }
        else
        {
            m_values.emplace_back(info, setting.value);
            m_settings.push_back(&setting);
        }
    }

    /// When all are known.
    void CheckValues()
    {
        for (auto wrong = FirstUnreadable(m_values, 0); wrong;
             wrong = FirstUnreadable(m_values, *wrong + 1))
        {
            const AttributeSetting& setting = *m_settings[*wrong];
            m_notes.Error(setting.path,
                          fmt::format("'{}' is no value of {}::{}; allowed: {}",
                                      setting.value,
                                      setting.type,
                                      setting.name,
                                      AllowedValues(*m_values[*wrong].first.checker)));
        }
    }

  private:
    ScenarioNotes& m_notes;
    std::vector<std::pair<TypeId::AttributeInformation, std::string>> m_values;
    std::vector<const AttributeSetting*> m_settings;
};

/// At a half-duplex link CSMA of ns-3 is in the place of our device: nothing would take what that
/// alone has. \param part the link, or a step that sets it
void
CheckHalfDuplex(const AttributeSettings& all,
                const std::string& link,
                const std::string& part,
                ScenarioNotes& notes)
{
    const std::string ours = "ns3::EsxEthernetNetDevice";
    const auto& settings = SettingsOf(all, part);
    for (const AttributeSetting& setting : settings)
    {
        const auto isTaken = [&](const AttributeSetting& other) {
            return other.path == setting.path && other.type != ours;
        };
        if (!setting.isDefault && std::none_of(settings.begin(), settings.end(), isTaken))
        {
            notes.Error(setting.path,
                        fmt::format("link '{}' is half duplex: only a full-duplex one takes {}::{}",
                                    link,
                                    ours,
                                    setting.name));
        }
    }
}

} // namespace

void
CheckAttributes(const Scenario& scenario, ScenarioNotes& notes)
{
    AttributeCheck check(notes);
    for (const auto& [map, settings] : scenario.attributes)
    {
        for (const AttributeSetting& setting : settings)
        {
            if (setting.byName)
            {
                check.Check(setting);
            }
        }
    }
    check.CheckValues();
    for (const Link& link : scenario.links)
    {
        if (link.halfDuplex)
        {
            CheckHalfDuplex(scenario.attributes, link.name, link.path, notes);
            for (const TimelineStep& step : scenario.timeline)
            {
                step.link == link.name
                    ? CheckHalfDuplex(scenario.attributes, link.name, step.path, notes)
                    : void();
            }
        }
    }
}

} // namespace esxnf
