// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_CONSOLE_TOP_H
#define ESX_CONSOLE_TOP_H

#include "esx-console-process.h"

#include "ns3/esx-top.h"
#include "ns3/event-id.h"
#include "ns3/nstime.h"

#include <memory>

namespace ns3
{

/**
 * esxtop -b: prints the network screen of EsxTop again and again, each time over the time since the
 * one before, until it was printed so often as wanted or a signal ends it. Started by the console.
 *
 * Our choice: the real program's batch mode prints one wide line of comma-separated values; here it
 * prints the screen, for people.
 */
class EsxConsoleTop : public EsxConsoleProcess
{
  public:
    static TypeId GetTypeId();
    ~EsxConsoleTop() override;

    /// \param delay time before each screen \param screens how many; 0: no end
    void Run(const Ptr<EsxHost>& host, Time delay, uint64_t screens);
    void Signal(EsxSignal signal) override;

  protected:
    void DoDispose() override;

  private:
    void Show();

    Ptr<EsxHost> m_host;
    std::unique_ptr<EsxTop> m_top;
    Time m_delay;
    uint64_t m_left{0}; //!< screens still to print; 0: no end
    EventId m_event;
};

} // namespace ns3

#endif // ESX_CONSOLE_TOP_H
