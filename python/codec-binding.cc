// SPDX-License-Identifier: GPL-2.0-only
// NetFlow v5 on whole buffers: datagrams one behind the other, as arrays.
#include "bindings.h"
#include "netflow/v5-codec.h"

#include <fmt/format.h>
#include <pybind11/stl.h>

namespace py = pybind11;

namespace esxnf
{

using netflow::V5Header;
using netflow::V5Record;

namespace
{

/// Octets of any object that shows its memory as such.
class Octets
{
  public:
    explicit Octets(const py::buffer& buffer)
        : m_info(buffer.request())
    {
        if (m_info.itemsize != 1 || m_info.ndim != 1 || (m_info.size > 0 && m_info.strides[0] != 1))
        {
            throw py::type_error("octets one behind the other are needed, such as bytes");
        }
    }

    const uint8_t* begin() const
    {
        return static_cast<const uint8_t*>(m_info.ptr);
    }

    std::size_t size() const
    {
        return static_cast<std::size_t>(m_info.size);
    }

  private:
    py::buffer_info m_info;
};

[[noreturn]] void
Refuse(std::size_t datagram, netflow::V5Error error)
{
    throw py::value_error(fmt::format("datagram {}: {}", datagram, netflow::ToString(error)));
}

/// Headers of datagrams one behind the other, and where each begins. The count in a header says
/// where the next one is. \return the error that stopped it
netflow::V5Error
FindHeaders(const Octets& octets, std::vector<V5Header>& headers, std::vector<std::size_t>& begins)
{
    for (std::size_t at = 0; at < octets.size();)
    {
        const std::size_t left = octets.size() - at;
        const uint8_t* const data = octets.begin() + at;
        if (left < netflow::V5_HEADER_OCTETS)
        {
            return netflow::V5Error::TRUNCATED_HEADER;
        }
        const uint16_t version = static_cast<uint16_t>(data[0] << 8 | data[1]);
        if (version != netflow::V5_VERSION)
        {
            return netflow::V5Error::WRONG_VERSION;
        }
        const V5Header header = netflow::DecodeV5Header(data);
        if (header.count == 0 || header.count > netflow::V5_MAX_RECORDS)
        {
            return netflow::V5Error::BAD_COUNT;
        }
        const std::size_t size =
            netflow::V5_HEADER_OCTETS + header.count * netflow::V5_RECORD_OCTETS;
        if (left < size)
        {
            return netflow::V5Error::LENGTH_MISMATCH;
        }
        headers.push_back(header);
        begins.push_back(at);
        at += size;
    }
    return netflow::V5Error::NONE;
}

py::tuple
DecodeBuffer(const py::buffer& buffer)
{
    const Octets octets(buffer);
    std::vector<V5Header> headers;
    std::vector<std::size_t> begins;
    netflow::V5Error error;
    std::vector<V5Record> records;
    {
        const py::gil_scoped_release released;
        headers.reserve(octets.size() / netflow::V5_MAX_OCTETS + 1);
        begins.reserve(headers.capacity());
        error = FindHeaders(octets, headers, begins);
        if (error == netflow::V5Error::NONE)
        {
            records.reserve((octets.size() - headers.size() * netflow::V5_HEADER_OCTETS) /
                            netflow::V5_RECORD_OCTETS);
            for (std::size_t i = 0; i < headers.size(); ++i)
            {
                const uint8_t* record = octets.begin() + begins[i] + netflow::V5_HEADER_OCTETS;
                for (uint16_t n = 0; n < headers[i].count; ++n, record += netflow::V5_RECORD_OCTETS)
                {
                    records.push_back(netflow::DecodeV5Record(record));
                }
            }
        }
    }
    if (error != netflow::V5Error::NONE)
    {
        Refuse(headers.size(), error);
    }
    return py::make_tuple(ToArray(std::move(headers)), ToArray(std::move(records)));
}

py::tuple
DecodeList(const std::vector<py::buffer>& datagrams)
{
    std::vector<V5Header> headers;
    std::vector<V5Record> records;
    std::vector<V5Record> some;
    for (const py::buffer& buffer : datagrams)
    {
        const Octets octets(buffer);
        V5Header header;
        const netflow::V5Error error =
            netflow::DecodeV5(octets.begin(), octets.size(), header, some);
        if (error != netflow::V5Error::NONE)
        {
            Refuse(headers.size(), error);
        }
        headers.push_back(header);
        records.insert(records.end(), some.begin(), some.end());
    }
    return py::make_tuple(ToArray(std::move(headers)), ToArray(std::move(records)));
}

py::bytes
Encode(const py::array_t<V5Header, py::array::c_style>& headers,
       const py::array_t<V5Record, py::array::c_style>& records)
{
    const auto count = static_cast<std::size_t>(headers.size());
    std::size_t needed = 0;
    for (std::size_t i = 0; i < count; ++i)
    {
        const uint16_t inside = headers.data()[i].count;
        if (inside == 0 || inside > netflow::V5_MAX_RECORDS)
        {
            Refuse(i, netflow::V5Error::BAD_COUNT);
        }
        needed += inside;
    }
    if (needed != static_cast<std::size_t>(records.size()))
    {
        throw py::value_error(
            fmt::format("the headers count {} records, and there are {}", needed, records.size()));
    }
    std::string octets(count * netflow::V5_HEADER_OCTETS + needed * netflow::V5_RECORD_OCTETS, 0);
    {
        const py::gil_scoped_release released;
        auto* out = reinterpret_cast<uint8_t*>(octets.data());
        const V5Record* record = records.data();
        for (std::size_t i = 0; i < count; ++i)
        {
            netflow::EncodeV5Header(headers.data()[i], out);
            out += netflow::V5_HEADER_OCTETS;
            for (uint16_t n = 0; n < headers.data()[i].count; ++n, ++record)
            {
                netflow::EncodeV5Record(*record, out);
                out += netflow::V5_RECORD_OCTETS;
            }
        }
    }
    return octets;
}

void
RegisterTypes()
{
    PYBIND11_NUMPY_DTYPE_EX(V5Header,
                            count,
                            "count",
                            sysUptime,
                            "sys_uptime",
                            unixSecs,
                            "unix_secs",
                            unixNsecs,
                            "unix_nsecs",
                            flowSequence,
                            "flow_sequence",
                            engineType,
                            "engine_type",
                            engineId,
                            "engine_id",
                            samplingMode,
                            "sampling_mode",
                            samplingInterval,
                            "sampling_interval");
    PYBIND11_NUMPY_DTYPE_EX(V5Record,
                            srcAddr,
                            "srcaddr",
                            dstAddr,
                            "dstaddr",
                            nextHop,
                            "nexthop",
                            dPkts,
                            "dPkts",
                            dOctets,
                            "dOctets",
                            first,
                            "First",
                            last,
                            "Last",
                            input,
                            "input",
                            output,
                            "output",
                            srcPort,
                            "srcport",
                            dstPort,
                            "dstport",
                            srcAs,
                            "src_as",
                            dstAs,
                            "dst_as",
                            tcpFlags,
                            "tcp_flags",
                            prot,
                            "prot",
                            tos,
                            "tos",
                            srcMask,
                            "src_mask",
                            dstMask,
                            "dst_mask",
                            pad1,
                            "pad1",
                            pad2,
                            "pad2");
}

} // namespace

void
BindCodec(py::module_& module)
{
    RegisterTypes();
    module.attr("V5_HEADER") = py::dtype::of<V5Header>();
    module.attr("V5_RECORD") = py::dtype::of<V5Record>();
    module.def("decode_v5_buffer", &DecodeBuffer, py::arg("buffer"));
    module.def("decode_v5_list", &DecodeList, py::arg("datagrams"));
    module.def("encode_v5", &Encode, py::arg("headers"), py::arg("records"));
}

} // namespace esxnf
