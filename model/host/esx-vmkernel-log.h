// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_VMKERNEL_LOG_H
#define ESX_VMKERNEL_LOG_H

#include "ns3/nstime.h"
#include "ns3/object.h"
#include "ns3/traced-callback.h"

#include <cstdint>
#include <deque>
#include <string>

namespace ns3
{

class EsxHost;

/**
 * A host's /var/log/vmkernel, in the line format of ESX Server 3.5 (documented):
 * \verbatim
 Nov 14 01:15:46 esx vmkernel: 0:02:09:11.075 cpu0:1035)StorageMonitor: 196: text
 \endverbatim
 * Day padded with a space; uptime D:HH:MM:SS.mmm; CPU and world ID; module, a number, a text.
 * Wall clock is the host's Epoch plus simulation time, in UTC; nothing here reads the machine's
 * clock, time zone or locale. Every world runs on CPU 0 (our choice).
 */
class EsxVmkernelLog : public Object
{
  public:
    /// World ID of the VMkernel itself: world IDs count from 1024 (documented).
    static constexpr uint32_t KERNEL_WORLD = 1024;

    /// \param line the complete line, without a line end
    typedef void (*LineTracedCallback)(const std::string& line);

    static TypeId GetTypeId();
    EsxVmkernelLog();
    ~EsxVmkernelLog() override;

    /// \param host whose clock, uptime and name stand in the lines; it owns the log
    void SetHost(const EsxHost* host);

    /**
     * Writes a line.
     * \param module "NetFlow"
     * \param number what VMware's lines have there, a line of source: any constant of the message
     * \param text without a line end
     * \param world the world that logs
     */
    void Log(const std::string& module,
             uint32_t number,
             const std::string& text,
             uint32_t world = KERNEL_WORLD);
    /// The same with "WARNING: " before the module.
    void Warning(const std::string& module,
                 uint32_t number,
                 const std::string& text,
                 uint32_t world = KERNEL_WORLD);

    /// \return the lines kept, oldest first
    const std::deque<std::string>& GetLines() const;
    /// \return lines written so far, those no longer kept included
    uint64_t GetNLines() const;

    /**
     * \param unixNs nanoseconds since 1970-01-01 00:00:00 UTC
     * \return "Nov 14 01:15:46"
     */
    static std::string FormatDate(uint64_t unixNs);
    /// \return "0:02:09:11.075"; milliseconds are cut, not rounded
    static std::string FormatUptime(Time uptime);

  private:
    void Write(const std::string& message, uint32_t world);

    const EsxHost* m_host{nullptr};
    uint32_t m_maxLines{100000}; //!< attribute MaxLines
    uint64_t m_written{0};
    std::deque<std::string> m_lines;
    TracedCallback<const std::string&> m_lineTrace;
};

} // namespace ns3

#endif /* ESX_VMKERNEL_LOG_H */
