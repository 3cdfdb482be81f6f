// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/host-book.h"

#include "runner/base/output-file.h"
#include "runner/base/user-error.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <functional>
#include <sstream>
#include <string_view>
#include <type_traits>

namespace esxnf
{

namespace
{

/// Its last digit is the version of the form.
const std::string MAGIC = "esx-netflow host 3\n";

/// The line behind it: a file that was changed is refused before anything is read from it.
std::string
Checksum(std::string_view octets)
{
    return fmt::format("{:016x}\n", std::hash<std::string_view>()(octets));
}

/// Writes values into octets or reads them, so that each type is described once.
class Archive
{
  public:
    /// Writes.
    Archive() = default;

    /// Reads.
    Archive(std::string_view octets, std::size_t at)
        : m_input(octets),
          m_at(at),
          m_reads(true)
    {
    }

    template <typename... Values>
    void operator()(Values&... values)
    {
        (Value(values), ...);
    }

    const std::string& GetOctets() const
    {
        return m_octets;
    }

    std::size_t GetPlace() const
    {
        return m_at;
    }

    bool IsAtEnd() const
    {
        return m_at == m_input.size();
    }

  private:
    uint8_t Next()
    {
        if (IsAtEnd())
        {
            throw UserError("it ends too early");
        }
        return static_cast<uint8_t>(m_input[m_at++]);
    }

    void Number(uint64_t& number)
    {
        if (!m_reads)
        {
            uint64_t rest = number;
            for (; rest > 127; rest >>= 7)
            {
                m_octets += static_cast<char>(rest | 128);
            }
            m_octets += static_cast<char>(rest);
            return;
        }
        number = 0;
        for (unsigned shift = 0;; shift += 7)
        {
            const uint8_t octet = Next();
            number |= uint64_t{octet & 127U} << shift;
            if (octet < 128 || shift > 56)
            {
                return;
            }
        }
    }

    template <typename T>
    void Value(T& value)
    {
        if constexpr (std::is_integral_v<T> || std::is_enum_v<T>)
        {
            const auto wide = static_cast<int64_t>(value); // the sign becomes the last bit
            uint64_t number = static_cast<uint64_t>(wide) << 1 ^ static_cast<uint64_t>(wide >> 63);
            Number(number);
            value = static_cast<T>(static_cast<int64_t>(number >> 1 ^ -(number & 1)));
        }
        else
        {
            Describe(*this, value);
        }
    }

    friend void Describe(Archive& archive, std::string& text)
    {
        uint64_t size = text.size();
        archive(size);
        if (archive.m_reads)
        {
            if (size > archive.m_input.size() - archive.m_at)
            {
                throw UserError("it ends too early");
            }
            text = archive.m_input.substr(archive.m_at, size);
            archive.m_at += size;
            return;
        }
        archive.m_octets += text;
    }

    template <typename T>
    friend void Describe(Archive& archive, std::vector<T>& values)
    {
        uint64_t size = values.size();
        archive(size);
        values.reserve(archive.m_reads ? std::min<uint64_t>(size, archive.m_input.size()) : 0);
        for (uint64_t i = 0; i < size; ++i)
        {
            archive.m_reads ? static_cast<void>(values.emplace_back()) : void();
            archive(values[i]);
        }
    }

    template <typename A, typename B>
    friend void Describe(Archive& archive, std::pair<A, B>& pair)
    {
        archive(pair.first, pair.second);
    }

    template <typename T>
    friend void Describe(Archive& archive, std::optional<T>& value)
    {
        bool has = value.has_value();
        archive(has);
        if (has)
        {
            value = value.value_or(T());
            archive(*value);
        }
    }

    friend void Describe(Archive& archive, std::map<std::string, std::string>& texts)
    {
        std::vector<std::pair<std::string, std::string>> pairs(texts.begin(), texts.end());
        archive(pairs);
        texts.insert(pairs.begin(), pairs.end());
    }

    friend void Describe(Archive& archive, netflow::FlowKey& key)
    {
        archive(key.source, key.destination, key.sourcePort, key.destinationPort);
        archive(key.vSwitch, key.input, key.protocol, key.tos);
    }

    friend void Describe(Archive& archive, netflow::FlowRecord& record)
    {
        archive(record.key, record.output, record.tcpFlags, record.reason);
        archive(record.packets, record.octets, record.first, record.last, record.id);
    }

    friend void Describe(Archive& archive, netflow::JournalEntry& entry)
    {
        archive(entry.record, entry.endedAt, entry.movedAt, entry.last, entry.datagram);
    }

    friend void Describe(Archive& archive, netflow::Counts& counts)
    {
        archive(counts.packets, counts.octets, counts.records);
    }

    friend void Describe(Archive& archive, netflow::ShedPackets& shed)
    {
        archive(shed.counts, shed.first, shed.last, shed.tcpFlags);
    }

    friend void Describe(Archive& archive, PolledRecord& record)
    {
        archive(record.place, record.queuedAt, record.expirySequence);
    }

    friend void Describe(Archive& archive, BookedPoll& poll)
    {
        archive(poll.at, poll.vSwitch, poll.records);
    }

    friend void Describe(Archive& archive, BookedFrame& frame)
    {
        archive(frame.at, frame.uplink, frame.exports, frame.snapshots);
        archive(frame.isInjected, frame.octets);
    }

    friend void Describe(Archive& archive, LineOutcome& line)
    {
        archive(line.exit, line.waits, line.stopped, line.running, line.pid);
        archive(line.output, line.errors);
    }

    friend void Describe(Archive& archive, TrafficOutcome& outcome)
    {
        archive(outcome.sent, outcome.capture, outcome.fidelity);
    }

    friend void Describe(Archive& archive, FlowFidelity& fidelity)
    {
        archive(fidelity.packets, fidelity.simulated);
    }

    friend void Describe(Archive& archive, ReplayedCapture& capture)
    {
        archive(capture.packets, capture.damage, capture.odd);
    }

    friend void Describe(Archive& archive, HostBook& book)
    {
        archive(book.host,
                book.polls,
                book.frames,
                book.journal,
                book.shed,
                book.live,
                book.snapshots,
                book.sends);
        archive(book.residual, book.breaches, book.tapResidual);
        archive(book.steps, book.traffic, book.texts, book.likeness);
    }

    std::string m_octets; //!< written
    std::string_view m_input;
    std::size_t m_at{0};
    bool m_reads{false};
};

} // namespace

void
SnapshotWriter::Append(const std::vector<uint64_t>& numbers)
{
    uint64_t size = numbers.size();
    m_latest.resize(size);
    std::vector<std::pair<uint64_t, uint64_t>> changes; // places from the one before, differences
    uint64_t before = 0;
    for (uint64_t i = 0; i < numbers.size(); ++i)
    {
        if (numbers[i] != m_latest[i])
        {
            changes.emplace_back(i - before, numbers[i] - m_latest[i]);
            m_latest[i] = numbers[i];
            before = i;
        }
    }
    Archive archive;
    archive(size, changes);
    m_octets += archive.GetOctets();
}

std::string
SnapshotWriter::Take()
{
    return std::move(m_octets);
}

SnapshotReader::SnapshotReader(std::string octets)
    : m_octets(std::move(octets))
{
}

const std::vector<uint64_t>&
SnapshotReader::Next()
{
    Archive archive(m_octets, m_at);
    uint64_t size = 0;
    std::vector<std::pair<uint64_t, uint64_t>> changes;
    archive(size, changes);
    m_at = archive.GetPlace();
    m_latest.resize(size);
    uint64_t place = 0;
    for (const auto& [gap, difference] : changes)
    {
        place += gap;
        m_latest.at(place) += difference;
    }
    return m_latest;
}

void
HostBook::Write(const std::string& path)
{
    Archive archive;
    archive(*this);
    ReplaceFile(path, MAGIC + Checksum(archive.GetOctets()) + archive.GetOctets());
}

HostBook
HostBook::Read(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    std::ostringstream stream;
    stream << file.rdbuf();
    const std::string octets = stream.str();
    try
    {
        if (octets.compare(0, MAGIC.size(), MAGIC) != 0)
        {
            throw UserError(file ? "it is none of this version" : "it cannot be read");
        }
        const std::size_t begin = MAGIC.size() + Checksum({}).size();
        const std::string_view content =
            std::string_view(octets).substr(std::min(begin, octets.size()));
        if (octets.compare(MAGIC.size(), begin - MAGIC.size(), Checksum(content)) != 0)
        {
            throw UserError("it was changed, or cut off; without it the host is simulated again");
        }
        Archive archive(octets, begin);
        HostBook book;
        archive(book);
        return book;
    }
    catch (const UserError& error)
    {
        throw UserError(
            fmt::format("{}: not what a host's simulation wrote: {}", path, error.what()));
    }
}

} // namespace esxnf
