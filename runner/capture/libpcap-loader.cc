// SPDX-License-Identifier: GPL-2.0-only
// libpcap for a program that shall also run where it is not installed (CMake's option
// ESX_NETFLOW_PCAP_AT_RUN_TIME): defines the functions of pcap.h that this program calls, and each
// hands on to the system's libpcap, which is loaded at the first call. Linking it would bring its
// own libraries along, D-Bus among them.

#include <cstdio>
#include <dlfcn.h>
#include <initializer_list>
#include <pcap/pcap.h>

namespace
{

const char* const MISSING = "this needs the library libpcap, which is not installed; on Debian: "
                            "apt-get install libpcap0.8, on Fedora: dnf install libpcap";

/// \return nullptr where it is not installed
void*
Library()
{
    static void* const library = [] {
        void* found = nullptr;
        for (const char* name : {"libpcap.so.1", "libpcap.so.0.8"}) // all others; Debian
        {
            found = found ? found : dlopen(name, RTLD_NOW | RTLD_LOCAL);
        }
        return found;
    }();
    return library;
}

template <typename Function>
Function*
Find(const char* name)
{
    return reinterpret_cast<Function*>(Library() ? dlsym(Library(), name) : nullptr);
}

/// For pcap_create(): without a library it fails as libpcap fails.
bool
Refuse(char* error)
{
    if (!Library())
    {
        std::snprintf(error, PCAP_ERRBUF_SIZE, "%s", MISSING);
    }
    return !Library();
}

} // namespace

// A function that needs a capture is called with the library loaded. Others have a value without
// it.
#define HAND_ON(type, name, parameters, arguments, otherwise)                                      \
    type name parameters                                                                           \
    {                                                                                              \
        static const auto function = Find<decltype(name)>(#name);                                  \
        return function ? function arguments : otherwise;                                          \
    }

extern "C"
{
    const char* pcap_lib_version()
    {
        static const auto function = Find<decltype(pcap_lib_version)>("pcap_lib_version");
        return function ? function() : "libpcap (not installed)";
    }

    pcap_t* pcap_create(const char* device, char* error)
    {
        static const auto function = Find<decltype(pcap_create)>("pcap_create");
        return Refuse(error) ? nullptr : function(device, error);
    }

    void pcap_close(pcap_t* handle)
    {
        static const auto function = Find<decltype(pcap_close)>("pcap_close");
        function(handle);
    }

    HAND_ON(const char*, pcap_datalink_val_to_name, (int type), (type), nullptr)
    HAND_ON(const char*, pcap_datalink_val_to_description, (int type), (type), nullptr)
    HAND_ON(const char*, pcap_statustostr, (int status), (status), MISSING)
    HAND_ON(int, pcap_activate, (pcap_t * p), (p), PCAP_ERROR)
    HAND_ON(int, pcap_datalink, (pcap_t * p), (p), PCAP_ERROR)
    HAND_ON(int, pcap_get_selectable_fd, (pcap_t * p), (p), PCAP_ERROR)
    HAND_ON(int, pcap_get_tstamp_precision, (pcap_t * p), (p), PCAP_ERROR)
    HAND_ON(char*, pcap_geterr, (pcap_t * p), (p), nullptr)
    HAND_ON(int,
            pcap_next_ex,
            (pcap_t * p, pcap_pkthdr** header, const u_char** data),
            (p, header, data),
            PCAP_ERROR)
    HAND_ON(int, pcap_set_buffer_size, (pcap_t * p, int size), (p, size), PCAP_ERROR)
    HAND_ON(int, pcap_set_immediate_mode, (pcap_t * p, int on), (p, on), PCAP_ERROR)
    HAND_ON(int, pcap_set_promisc, (pcap_t * p, int on), (p, on), PCAP_ERROR)
    HAND_ON(int, pcap_set_snaplen, (pcap_t * p, int octets), (p, octets), PCAP_ERROR)
    HAND_ON(int, pcap_set_tstamp_precision, (pcap_t * p, int precision), (p, precision), PCAP_ERROR)
    HAND_ON(int, pcap_setnonblock, (pcap_t * p, int on, char* error), (p, on, error), PCAP_ERROR)
    HAND_ON(int, pcap_stats, (pcap_t * p, pcap_stat* counts), (p, counts), PCAP_ERROR)
}
