// SPDX-License-Identifier: GPL-2.0-only
// Rules of the host: module, service console, memory states, editions, expectations.
#include "esx-export-lab.h"
#include "esx-test-case.h"

#include "ns3/enum.h"
#include "ns3/esx-console.h"
#include "ns3/esx-expectations.h"
#include "ns3/esx-host-memory.h"

using namespace ns3;
using netflow::Move;

namespace
{

/// A host with an administrator at its service console.
class Lab : public NetflowLab
{
  public:
    Lab()
    {
        AddExport();
        console->SetHost(host);
        host->AggregateObject(console);
    }

    /// \return exit status, output and errors of a command line
    std::string Do(const std::string& line) const
    {
        const EsxConsoleResult result = console->Execute(line);
        return std::to_string(result.exitStatus) + "\n" + result.output + result.errors;
    }

    Ptr<EsxConsole> console{CreateObject<EsxConsole>()};
};

const char* const DAEMON = "vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.0.0.9";

ESX_CASE(Lab,
         ModuleIsLoaded,
         "vmkload_mod loads the module once and prints the technical note's lines")
{
    ESX_SAME(lab.Do("vmkload_mod netflow"),
             "0\nUsing /usr/lib/vmware/vmmod/netflow\nModule load of netflow succeeded.\n");
    ESX_SAME(lab.Module()->IsLoaded(), true);
    ESX_SAME(lab.Do("vmkload_mod netflow").front(), '1');
}

ESX_CASE(Lab,
         ModuleInUseStays,
         "A module that is in use is not unloaded until net-netflow is killed")
{
    lab.Do("vmkload_mod netflow");
    lab.Do(DAEMON);
    const std::string pid = std::to_string(lab.console->GetProcesses().at(0).pid);
    ESX_SAME(lab.Do("vmkload_mod -u netflow").front(), '1');
    ESX_SAME(lab.Module()->IsLoaded(), true);
    ESX_SAME(lab.Do("kill " + pid), "0\n");
    ESX_SAME(lab.Do("vmkload_mod -u netflow").front(), '0');
    ESX_SAME(lab.Module()->IsLoaded(), false);
}

ESX_CASE(Lab,
         RegistrationIsForAllOrNone,
         "One unknown vSwitch of a list leaves none of them registered")
{
    lab.Do("vmkload_mod netflow");
    ESX_SAME(lab.Do("vmkload_app -i vmktcp net-netflow -e vSwitch0,vSwitch7 10.0.0.9"),
             "1\nnet-netflow: no such virtual switch: vSwitch7\n");
    ESX_SAME(lab.Module()->IsInUse(), false);
}

ESX_CASE(Lab, TheStackIsNeeded, "net-netflow runs on the VMkernel's stack only: -i vmktcp")
{
    lab.Do("vmkload_mod netflow");
    ESX_SAME(lab.Do("vmkload_app net-netflow -e vSwitch0 10.0.0.9").front(), '1');
    ESX_SAME(lab.Module()->IsInUse(), false);
}

ESX_CASE(Lab, ConsoleExports, "What is started at the console exports until it is killed")
{
    lab.Do("vmkload_mod netflow");
    lab.Do(DAEMON);
    lab.Send(Seconds(1), 1);
    Lab::At(Seconds(20),
            [&] { lab.Do("kill " + std::to_string(lab.console->GetProcesses().at(0).pid)); });
    lab.Send(Seconds(21), 2);
    lab.RunUntil(Seconds(60));
    ESX_SAME(lab.Records(Move::RECEIVED), 1U);
    ESX_SAME(lab.Moved(Move::IGNORED_NOT_MONITORED).packets, 1U);
}

ESX_CASE(Lab, UnknownCommand, "An unknown command line gives 127, as a shell does")
{
    ESX_SAME(lab.console->Execute("esxcfg-nonsense").exitStatus, 127);
}

ESX_CASE(Lab, MemoryStates, "Memory states begin below 4, 2 and 1 % free")
{
    const Ptr<EsxHostMemory> memory = CreateObject<EsxHostMemory>();
    const auto stateAt = [&](double percent) {
        memory->Release();
        memory->Hold(percent);
        return std::string(EsxHostMemory::ToString(memory->GetState()));
    };
    ESX_SAME(stateAt(4), "high");
    ESX_SAME(stateAt(3.99), "soft");
    ESX_SAME(stateAt(2), "soft");
    ESX_SAME(stateAt(1.99), "hard");
    ESX_SAME(stateAt(1), "hard");
    ESX_SAME(stateAt(0.99), "low");
}

ESX_CASE(Lab, Edition3i, "ESX Server 3i has no NetFlow")
{
    lab.host->SetAttribute("Edition", EnumValue(EsxHost::ESX3I));
    ESX_SAME(lab.Module()->Load(), "NetFlow is not supported on ESX Server 3i");
    ESX_SAME(lab.Module()->IsLoaded(), false);
}

ESX_CASE(Lab, Expectations, "An expectation that does not hold fails, and only that")
{
    lab.Start();
    lab.Send(Seconds(1), 1);
    lab.books.InstallAll();
    const Ptr<EsxExpectations> expect = lab.books.GetExpectations();
    expect->Conservation();
    expect->Equals({"netflow.records.received", ""}, 2);
    lab.RunUntil(Seconds(30));
    const std::vector<EsxVerdict> verdicts = expect->Evaluate();
    NS_TEST_ASSERT_MSG_EQ(verdicts.size(), 2U, "verdicts");
    ESX_SAME(verdicts[0].pass, true);
    ESX_SAME(verdicts[1].pass, false);
    ESX_SAME(verdicts[1].measured, 1);
    ESX_SAME(expect->AllPass(), false);
}

} // namespace

std::vector<TestCase*>
EsxHostCases()
{
    return {new ModuleIsLoaded,
            new ModuleInUseStays,
            new RegistrationIsForAllOrNone,
            new TheStackIsNeeded,
            new ConsoleExports,
            new UnknownCommand,
            new MemoryStates,
            new Edition3i,
            new Expectations};
}
