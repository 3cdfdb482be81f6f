// SPDX-License-Identifier: GPL-2.0-only
// An administrator at a prompt on a simulated host: takes what is typed, lets simulated time pass,
// shows what appears, and remembers all of it with its times. Begins at 0 s and ends with the
// session. 'esx-netflow console' makes it; ConsoleRecord makes a scenario of what it remembers.
#ifndef ESXNF_CONSOLE_DRIVER_H
#define ESXNF_CONSOLE_DRIVER_H

#include "runner/console/console-input.h"
#include "runner/simulation/console-window.h"
#include "runner/simulation/simulation.h"

#include "ns3/esx-real-clock.h"

#include <deque>
#include <string>

namespace esxnf
{

/// A line or a key that came to the host.
struct TypedStep
{
    ns3::Time at;
    std::string line;
    std::string key; //!< "ctrl-c", "ctrl-d"; empty: a line
    LineOutcome outcome;
};

class ConsoleDriver
{
  public:
    struct Options
    {
        bool realTime{false};
        bool onlyRecordable{false}; //!< refuse what a scenario cannot hold
    };

    /// Opens the session. \param keys as \p input has it
    ConsoleDriver(Simulation& simulation,
                  const ns3::Ptr<ns3::EsxHost>& host,
                  ConsoleInput& input,
                  KeyCatcher& keys,
                  const Options& options);

    /// Until the session ends; then the simulation is finished.
    void Run();

    const std::deque<TypedStep>& GetTyped() const;

  private:
    std::string Prompt() const;
    std::string Clock() const;
    bool IsBusy() const;
    void CatchUp();
    void Take(const Typed& typed);
    void TakeLine(const std::string& line);
    void TakeInterrupt();
    void Close();
    void RunFor(const std::string& time);
    bool AdvanceTo(ns3::Time instant);
    void Type(const std::string& line);

    Simulation& m_simulation;
    const ns3::Ptr<ns3::EsxHost> m_host;
    ConsoleInput& m_input;
    KeyCatcher& m_keys;
    const Options m_options;
    ns3::EsxRealClock m_clock;
    ConsoleWindow m_window;
    std::string m_begun; //!< lines of a command that is not complete
    std::deque<TypedStep> m_typed;
};

/// Whether a scenario can hold a line as it is.
bool IsRecordable(const std::string& line);

} // namespace esxnf

#endif // ESXNF_CONSOLE_DRIVER_H
