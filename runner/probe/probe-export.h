// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Where the datagrams of probe go: collectors, a capture file, tables of records, the screen; all
 * that are asked for. Books of what each collector was not sent. Probe calls it.
 */
#ifndef ESXNF_PROBE_EXPORT_H
#define ESXNF_PROBE_EXPORT_H

#include "netflow/exporter.h"
#include "runner/base/row-writer.h"
#include "runner/base/udp-sender.h"
#include "runner/capture/capture-writer.h"
#include "runner/probe/record-rows.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace esxnf
{

/// Receivers and files of the datagrams.
struct ProbeExportConfig
{
    std::vector<std::string> collectors; //!< HOST[:PORT] each; none: nothing is sent
    double rate{0};                      //!< datagrams a second and collector at most; 0: no limit
    std::string captureFile;             //!< empty: none; "-": standard output
    std::string csvFile;                 //!< the same
    std::string jsonFile;                //!< the same, JSON lines
    OutputKind outputs{OutputKind::STREAM};
    bool verbose{false}; //!< print datagrams
};

/// Sends, writes and prints.
class ProbeExport : public netflow::DatagramSink
{
  public:
    /// Throws NetworkError if a collector cannot be reached, UserError if a file cannot be
    /// written.
    explicit ProbeExport(const ProbeExportConfig& config);
    ~ProbeExport() override;

    /// \return true if at least one collector's socket took it, or there is no collector
    bool Send(const netflow::Datagram& datagram) override;

    /// As many as a socket takes at once, unless a rate spreads them.
    std::size_t GetBatch() const override;

    void SendBatch(const netflow::Datagram* datagrams, std::size_t count, bool* sent) override;

    void PortAliased(uint16_t vSwitch, uint16_t port) override;

    /// Puts the files in place; throws UserError.
    void Close();

    /// A line for each collector, each line with its end; says so if there is none.
    std::string DescribeCollectors();

    /// Datagrams that a collector's socket did not take, over all collectors.
    uint64_t GetUnsent() const;

  private:
    struct Collector;

    void Record(const netflow::Datagram& datagram);
    void Print(const netflow::Datagram& datagram);

    const ProbeExportConfig m_config;
    std::vector<std::unique_ptr<Collector>> m_collectors;
    std::optional<CaptureWriter> m_capture;
    std::vector<std::unique_ptr<RowWriter<ExportedRow>>> m_tables;
    std::vector<netflow::V5Record> m_records; // scratch of Print
};

} // namespace esxnf

#endif // ESXNF_PROBE_EXPORT_H
