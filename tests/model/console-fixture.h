// SPDX-License-Identifier: GPL-2.0-only
#ifndef CONSOLE_FIXTURE_H
#define CONSOLE_FIXTURE_H

// netflow-fixture's lab with a service console and one administrator who is logged in.

#include "netflow-fixture.h"

#include "ns3/esx-console.h"

class ConsoleLab : public NetflowLab
{
  public:
    explicit ConsoleLab(const std::string& hostAttribute = "",
                        const ns3::AttributeValue& value = ns3::StringValue())
        : NetflowLab(hostAttribute, value)
    {
        console = ns3::CreateObject<ns3::EsxConsole>();
        console->SetHost(host);
        console->AddName("nf-collector1.mycompany.com", "10.0.0.9");
        host->AggregateObject(console);
        session = console->OpenSession();
        Watch(session);
    }

    /// Notes what appears on a session's terminal, and how its lines end.
    void Watch(const ns3::Ptr<ns3::EsxConsoleSession>& watched)
    {
        watched->TraceConnectWithoutContext("Output",
                                            ns3::Callback<void, const std::string&, bool>(
                                                [this](const std::string& line, bool error) {
                                                    screen += (error ? "! " : "") + line + "\n";
                                                }));
        watched->TraceConnectWithoutContext(
            "Finished",
            ns3::Callback<void, int>([this](int status) { finished.push_back(status); }));
    }

    /// A host that can export: vmknic, collector, the module loaded.
    void Prepare()
    {
        AddExport();
        Module()->Load();
    }

    ns3::EsxConsoleResult Type(const std::string& line)
    {
        return session->Execute(line);
    }

    /// \return status, then output, then errors with "! " in front of each line
    static std::string Say(const ns3::EsxConsoleResult& result)
    {
        std::string text = std::to_string(result.exitStatus) + "\n" + result.output;
        std::istringstream errors(result.errors);
        for (std::string line; std::getline(errors, line);)
        {
            text += "! " + line + "\n";
        }
        return text;
    }

    std::string Do(const std::string& line)
    {
        return Say(Type(line));
    }

    static constexpr const char* NET_NETFLOW = "vmkload_app -i vmktcp net-netflow ";
    static constexpr const char* DAEMON = "vmkload_app -S -i vmktcp net-netflow ";

    /// Types a net-netflow command line with these arguments.
    std::string DoNetNetflow(const std::string& arguments)
    {
        return Do(NET_NETFLOW + arguments);
    }

    std::string Transcript() const
    {
        std::string text;
        for (const std::string& line : console->GetTranscript())
        {
            text += line + "\n";
        }
        return text;
    }

    ns3::Ptr<ns3::EsxConsole> console;
    ns3::Ptr<ns3::EsxConsoleSession> session;
    std::string screen;        //!< of all watched sessions
    std::vector<int> finished; //!< of all watched sessions
};

using ConsoleTest = LabTest<ConsoleLab>;

#endif // CONSOLE_FIXTURE_H
