// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * Any octets as a capture file, metered and exported: damage is told with the number of a packet,
 * and every packet before and behind it has its place in the books.
 */
#include "runner/capture/capture-reader.h"

#include "check.h"
#include "runner/probe/probe.h"

#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace
{

/// Counts the records in what it gets.
class CountingSink : public netflow::DatagramSink
{
  public:
    bool Send(const netflow::Datagram& datagram) override
    {
        std::vector<netflow::V5Record> decoded;
        netflow::V5Header header;
        FUZZ_CHECK(netflow::DecodeV5(datagram.data, datagram.size, header, decoded) ==
                   netflow::V5Error::NONE);
        for (const netflow::V5Record& record : decoded)
        {
            packets += record.dPkts;
            // Rules R5 and R6, modulo the wrap of the uptime
            FUZZ_CHECK(static_cast<int32_t>(record.last - record.first) >= 0);
            FUZZ_CHECK(static_cast<int32_t>(header.sysUptime - record.last) >= 0);
        }
        return true;
    }

    uint64_t packets{0};
};

void
Meter(const std::string& path)
{
    esxnf::CaptureReader reader(path);
    CountingSink sink;
    esxnf::CapturedFrame frame;
    uint64_t read = 0;
    esxnf::Probe probe(esxnf::ProbeConfig{}, sink);
    try
    {
        for (; reader.Next(frame); ++read)
        {
            FUZZ_CHECK(frame.captured <= frame.wire && frame.unixNs <= netflow::MAX_UNIX_NS);
            probe.Observe(reader.Parse(frame), frame.unixNs);
        }
    }
    catch (const esxnf::CaptureError& error)
    {
        FUZZ_CHECK(std::string(error.what()).find(": packet ") != std::string::npos);
    }
    probe.Finish();
    const netflow::Account books = probe.GetLedger().GetTotal();
    FUZZ_CHECK(books.Get(netflow::Move::OFFERED).packets == read);
    FUZZ_CHECK(books.Get(netflow::Move::METERED).packets == sink.packets);
    FUZZ_CHECK(probe.GetResidual() == netflow::Counts{});
}

} // namespace

extern "C" int
LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size)
{
    static const int file = memfd_create("capture", MFD_CLOEXEC); // in memory, but a regular file
    FUZZ_CHECK(file >= 0 && ftruncate(file, 0) == 0);
    FUZZ_CHECK(pwrite(file, data, size, 0) == static_cast<ssize_t>(size));
    try
    {
        Meter("/proc/self/fd/" + std::to_string(file));
    }
    catch (const esxnf::CaptureError& error) // it is no capture at all
    {
        FUZZ_CHECK(error.what()[0] != '\0');
    }
    return 0;
}
