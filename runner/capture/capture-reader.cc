// SPDX-License-Identifier: GPL-2.0-only
#include "runner/capture/capture-reader.h"

#include "runner/base/interrupt.h"
#include "runner/base/user-error.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <pcap/pcap.h>
#include <poll.h>
#include <unistd.h>

namespace esxnf
{

namespace
{

/// A file's octets as they come: never waits for more than one.
netflow::ReadOctets
OpenOctets(const std::string& path)
{
    int number = STDIN_FILENO;
    if (path != "-")
    {
        // Without waiting for who writes to a pipe: poll() does that, and a signal ends it.
        number = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (number < 0)
        {
            throw CaptureError(path + ": " + std::strerror(errno));
        }
    }
    const std::shared_ptr<const int> file(new int(number), [](const int* closing) {
        if (*closing != STDIN_FILENO)
        {
            close(*closing);
        }
        delete closing;
    });
    return [file](uint8_t* to, std::size_t max) -> std::ptrdiff_t {
        while (!InterruptCatcher::WasInterrupted()) // then this is the end: what was read is used
        {
            pollfd input{*file, POLLIN, 0};
            constexpr int WAIT_MS = 500;       // a signal may come just before it
            if (poll(&input, 1, WAIT_MS) <= 0) // a signal ends this, and restarts a read()
            {
                continue;
            }
            const ssize_t got = read(*file, to, max);
            if (got >= 0 || (errno != EINTR && errno != EAGAIN))
            {
                return got;
            }
        }
        return 0;
    };
}

std::string
Seconds(netflow::TimeNs time)
{
    const int64_t ms = time / netflow::NS_PER_MS;
    return fmt::format("{:.12g} s", static_cast<double>(ms) / 1000);
}

/// "WHAT COUNT: THEN" if there is any.
void
AddLine(std::vector<std::string>& lines,
        uint64_t count,
        const std::string& what,
        const std::string& then)
{
    if (count > 0)
    {
        lines.push_back(fmt::format("{} {}: {}", what, count, then));
    }
}

} // namespace

std::string
LinkTypeName(int linkType)
{
    const char* name = pcap_datalink_val_to_name(linkType);
    return name ? fmt::format("{} ({})", name, pcap_datalink_val_to_description(linkType))
                : fmt::format("number {}", linkType);
}

std::vector<std::string>
DescribeClock(const netflow::ClockCounts& counts, uint64_t recordsOverSteps, bool oddOnly)
{
    std::vector<std::string> lines;
    if (!oddOnly || counts.outOfOrder + counts.stepsBack + counts.stepsForward > 0)
    {
        lines.push_back(fmt::format("packets out of order {}, clock steps backwards {} forwards {}",
                                    counts.outOfOrder,
                                    counts.stepsBack,
                                    counts.stepsForward));
    }
    AddLine(lines, counts.untimed, "packets without a time", "each counts as the one before");
    AddLine(lines,
            counts.outliers,
            "packets with a time far from all others",
            "each counts as the one before");
    std::vector<std::string> shifts;
    for (netflow::TimeNs shift : counts.shifts)
    {
        shifts.push_back(Seconds(shift));
    }
    AddLine(lines,
            counts.otherClock,
            "packets of another clock",
            fmt::format("shifted by {}", fmt::join(shifts, ", ")));
    AddLine(lines,
            recordsOverSteps,
            "records over a clock step",
            "Last is First and their length by uptime");
    return lines;
}

std::vector<std::string>
DescribeCapture(const netflow::CaptureCounts& counts, CapturedLengths lengths)
{
    std::vector<std::string> lines;
    AddLine(lines,
            counts.carried,
            "times with a fraction of a second or more",
            counts.firstCarried + " (carried)");
    AddLine(lines,
            counts.outOfYears,
            "times not of the years 1970 to 2106",
            "before, a packet has none; after, time stands still");
    AddLine(lines,
            counts.aboveWire,
            "packets captured longer than they were",
            "the larger length counts");
    AddLine(lines,
            counts.offloaded,
            "packets of IP total length 0",
            "the frame's length counts (offloaded segments)");
    AddLine(
        lines,
        counts.unknownLinks,
        "packets of an unknown link type",
        fmt::format("counted as not IPv4; the first is {}", LinkTypeName(counts.unknownLinkType)));
    AddLine(lines,
            counts.cut,
            "packets shorter than their IP total length",
            lengths == CapturedLengths::LOST
                ? "that length counts"
                : "not metered; if who captured cut them, --trust-ip-length (trust_ip_length) "
                  "counts that length");
    return lines;
}

CaptureReader::CaptureReader(const std::string& path, CapturedLengths lengths)
    : m_path(path),
      m_lengths(lengths),
      m_file(OpenOctets(path))
{
    const std::string wrong = m_file.Open();
    if (!wrong.empty() && InterruptCatcher::WasInterrupted())
    {
        throw InterruptedError();
    }
    const int unknown = m_file.GetCounts().unknownLinkType;
    if (unknown >= 0)
    {
        throw CaptureError(fmt::format("{}: link type {} is not supported; these are: {}",
                                       path,
                                       LinkTypeName(unknown),
                                       LinkLayer::GetNames()));
    }
    if (!wrong.empty())
    {
        throw CaptureError(path + ": " + wrong);
    }
}

bool
CaptureReader::Next(CapturedFrame& frame)
{
    return NextBatch(&frame, 1) == 1;
}

std::size_t
CaptureReader::NextBatch(CapturedFrame* frames, std::size_t max)
{
    const std::size_t count = m_file.NextBatch(frames, max);
    if (count == 0 && m_file.GetCounts().damages > 0 && !InterruptCatcher::WasInterrupted())
    {
        throw CaptureError(m_path + ": " + m_file.DescribeDamage());
    }
    return count;
}

netflow::PacketSummary
CaptureReader::Parse(const CapturedFrame& frame)
{
    return m_file.Parse(frame, m_lengths == CapturedLengths::LOST);
}

uint64_t
CaptureReader::GetCount() const
{
    return m_file.GetCounts().packets;
}

std::vector<std::string>
CaptureReader::Describe() const
{
    return DescribeCapture(m_file.GetCounts(), m_lengths);
}

} // namespace esxnf
