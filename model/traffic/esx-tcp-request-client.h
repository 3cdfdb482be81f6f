// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_TCP_REQUEST_CLIENT_H
#define ESX_TCP_REQUEST_CLIENT_H

#include "ns3/address.h"
#include "ns3/application.h"
#include "ns3/esx-random-user.h"
#include "ns3/event-id.h"
#include "ns3/nstime.h"
#include "ns3/random-variable-stream.h"
#include "ns3/socket.h"
#include "ns3/traced-callback.h"

#include <map>

namespace ns3
{

/// \brief Opens one TCP connection per request to an EsxTcpRequestServer: connect, send, read the
/// response, close.
///
/// The first request starts at StartTime, each further one an Interval after the *start* of the one
/// before, so requests overlap when the network is slow. A request is completed when the whole
/// response and the server's close have come. At StopTime what is not completed has failed. A
/// failed request resets its connection: the client sends nothing more. ns-3's TCP does not
/// understand the reset of a closed port and goes on trying: such a request fails by Timeout.
class EsxTcpRequestClient : public Application, public EsxRandomUser
{
  public:
    enum Failure
    {
        NOT_CONNECTED, //!< no route, no free local port, or no answer to any SYN
        CLOSED,        //!< the connection ended before the response was complete
        TIMED_OUT,     //!< not completed within Timeout
        STOPPED,       //!< the application stopped first
    };

    static TypeId GetTypeId();

    /// A stream to the Interval and to each random size. \return how many: 1 to 3
    int64_t AssignStreams(int64_t stream) override;

    uint64_t GetStarted() const;
    uint64_t GetCompleted() const;
    uint64_t GetFailed() const;
    size_t GetOpen() const; //!< requests under way: started - completed - failed

    /// TracedCallback signatures; requests are numbered from 0
    typedef void (*StartedCallback)(uint64_t request);
    typedef void (*CompletedCallback)(uint64_t request, Time duration);
    typedef void (*FailedCallback)(uint64_t request, Failure reason);

  protected:
    void DoDispose() override;

  private:
    /// One request under way.
    struct Request
    {
        Ptr<Socket> socket;
        EventId timeout;
        Time start;
        uint32_t size{0};     //!< bytes of the request
        uint32_t response{0}; //!< bytes of the response
        uint32_t sent{0};     //!< bytes of the request handed to the stack
        uint64_t received{0}; //!< bytes of the response
    };

    void StartApplication() override;
    void StopApplication() override;

    void StartRequest();
    Ptr<Socket> Connect(uint64_t id);
    void HandleConnected(uint64_t id, Ptr<Socket> socket);
    void HandleNotConnected(uint64_t id, Ptr<Socket> socket);
    void HandleSend(uint64_t id, Ptr<Socket> socket, uint32_t available);
    void HandleRead(uint64_t id, Ptr<Socket> socket);
    void HandleClose(uint64_t id, Ptr<Socket> socket);
    void Fail(uint64_t id, Failure reason);
    /// Ends the book-keeping of a request and, after this event, gives its socket to \p release.
    void Forget(uint64_t id, void (*release)(const Ptr<Socket>&));
    Request* Find(uint64_t id); //!< null once the request is over

    Address m_remote;
    uint32_t m_requestSize;
    uint32_t m_responseSize;
    Ptr<RandomVariableStream> m_requestSizes;  //!< may be null
    Ptr<RandomVariableStream> m_responseSizes; //!< may be null
    Ptr<RandomVariableStream> m_interval;
    Time m_timeout;
    EventId m_next;
    std::map<uint64_t, Request> m_requests; //!< by number: the same order in every run
    uint64_t m_started{0};
    uint64_t m_completed{0};
    uint64_t m_failed{0};
    TracedCallback<uint64_t> m_startedTrace;
    TracedCallback<uint64_t, Time> m_completedTrace;
    TracedCallback<uint64_t, Failure> m_failedTrace;
};

} // namespace ns3

#endif // ESX_TCP_REQUEST_CLIENT_H
