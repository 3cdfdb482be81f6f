// SPDX-License-Identifier: GPL-2.0-only
// Any octets as a command line: no crash, and what is wrong has a message and a status.

#include "console-fixture.h"

#include <random>

using namespace ns3;

namespace
{

const std::vector<std::string> SEEDS = {
    "vmkload_mod netflow",
    "vmkload_mod -l | grep netflow",
    "vmkload_mod -u netflow",
    "/usr/lib/vmware/bin/vmkload_app -i vmktcp /usr/lib/vmware/bin/net-netflow -e "
    "vSwitch0,prod1,test2 10.0.0.9:4242",
    "vmkload_app -S -i vmktcp net-netflow -v -p -s 100 -e vSwitch0 "
    "nf-collector1.mycompany.com:4242",
    "vmkload_app -i vmktcp net-netflow -e vSwitch0 10.0.0.9 &",
    "vmkping -c 3 -s 56 10.0.0.9 | tail -n 2",
    "esxtop -b -d 2 -n 3 | grep -v vmnic0",
    "esxcfg-vswitch -l; esxcfg-vmknic -l; esxcfg-nics -l",
    "esxcfg-vswitch -d prod1",
    "ps -ef | grep -v grep | grep -i -c net-netflow",
    "kill -9 1025; kill %1; kill -TERM 1026 1027",
    "cat /var/log/vmkernel | grep -E 'a|b[c-d]*'",
    "tail -f /var/log/vmkernel",
    "jobs; fg %1; echo $? $$ \"$!\" 'x y' \\; # c",
    "true && false || help kill",
    "exit 3",
};

class EsxConsoleFuzzTest : public ConsoleTest
{
  protected:
    EsxConsoleFuzzTest()
    {
        Prepare();
        esx.AddVSwitch(host, "prod1")->AddPortGroup("Prod");
    }

    /// Types a line and checks what must hold whatever it is.
    void TypeAnything(const std::string& line)
    {
        const Ptr<EsxConsoleSession> typing = console->GetFreeSession();
        typing->Execute("true"); // exit without a status gives the last one
        const EsxConsoleResult result = typing->Execute(line);
        EXPECT_GE(result.exitStatus, 0);
        EXPECT_LE(result.exitStatus, 255);
        EXPECT_FALSE(result.queued);
        const bool badSyntax = !EsxShellLine::Parse(line).error.empty();
        if (badSyntax || result.exitStatus == 127)
        {
            EXPECT_FALSE(result.errors.empty()) << EsxConsole::MakePrintable(line);
        }
        if (badSyntax)
        {
            EXPECT_EQ(result.exitStatus, 2) << EsxConsole::MakePrintable(line);
        }
        for (const std::string& text : {result.output, result.errors})
        {
            std::istringstream lines(text);
            for (std::string printed; std::getline(lines, printed);)
            {
                EXPECT_EQ(EsxConsole::MakePrintable(printed), printed);
            }
        }
        // An administrator who has seen enough closes windows: their number stays bounded.
        if (console->GetRunning().size() > 5)
        {
            for (const Ptr<EsxConsoleSession>& session : console->GetSessions())
            {
                session->End();
            }
        }
    }

    /// A seed with some of its octets changed, taken out, doubled or put elsewhere.
    std::string Mutate(std::mt19937& random)
    {
        std::string line = SEEDS[random() % SEEDS.size()];
        for (unsigned changes = 1 + random() % 4; changes > 0; --changes)
        {
            const std::size_t at = line.empty() ? 0 : random() % line.size();
            const std::size_t length = std::min<std::size_t>(random() % 8, line.size() - at);
            switch (random() % 5)
            {
            case 0:
                line.insert(at, 1, static_cast<char>(random()));
                break;
            case 1:
                line.erase(at, length);
                break;
            case 2:
                line.insert(at, line.substr(at, length));
                break;
            case 3:
                line.insert(at, 1, " ;|&'\"\\$#\n-/%,:0"[random() % 17]);
                break;
            default:
                line += SEEDS[random() % SEEDS.size()].substr(0, random() % 40);
            }
        }
        return line;
    }
};

TEST_F(EsxConsoleFuzzTest, RandomOctetsNeverCrash)
{
    std::mt19937 random(1);
    for (int i = 0; i < 3000; ++i)
    {
        std::string line(random() % 60, ' ');
        for (char& c : line)
        {
            c = static_cast<char>(random());
        }
        TypeAnything(line);
    }
}

TEST_F(EsxConsoleFuzzTest, RandomPunctuationNeverCrashes)
{
    std::mt19937 random(2);
    const std::string alphabet = " ;|&'\"\\$#\n<>`()!?*~%=ab01-/";
    for (int i = 0; i < 5000; ++i)
    {
        std::string line(random() % 30, ' ');
        for (char& c : line)
        {
            c = alphabet[random() % alphabet.size()];
        }
        TypeAnything(line);
    }
}

TEST_F(EsxConsoleFuzzTest, MutatedCommandsNeverCrash)
{
    std::mt19937 random(3);
    for (int round = 1; round <= 20; ++round)
    {
        for (int i = 0; i < 200; ++i)
        {
            TypeAnything(Mutate(random));
        }
        RunUntil(Seconds(round)); // what takes time goes on between
    }
}

} // namespace
