// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_TCP_REQUEST_SERVER_H
#define ESX_TCP_REQUEST_SERVER_H

#include "ns3/address.h"
#include "ns3/application.h"
#include "ns3/nstime.h"
#include "ns3/packet.h"
#include "ns3/socket.h"
#include "ns3/traced-callback.h"

#include <array>
#include <map>

namespace ns3
{

/// \brief Answers the requests of EsxTcpRequestClient: one request, one response, then it closes
/// the connection.
///
/// One server serves any number of clients with any sizes, because each request says in its first
/// eight bytes how long it is and how long an answer it wants (two unsigned 32-bit numbers in
/// network order); the rest of both is zeros. The server closes first, so TIME_WAIT is on its side.
/// A peer that closes before the whole answer is in the send buffer, or announces a request of less
/// than eight bytes, gets a reset. A peer that falls silent in the middle of its request is kept
/// until StopTime (there is no idle timeout).
class EsxTcpRequestServer : public Application
{
  public:
    static constexpr uint32_t HEADER_SIZE = 8; //!< bytes; the shortest request
    using RequestHeader = std::array<uint8_t, HEADER_SIZE>;

    static TypeId GetTypeId();

    /// The first bytes of a request of \p request bytes that wants \p response bytes.
    static RequestHeader EncodeHeader(uint32_t request, uint32_t response);

    uint64_t GetAccepted() const; //!< connections
    uint64_t GetAnswered() const; //!< responses handed to the stack in full
    uint64_t GetRefused()
        const;              //!< connections closed because the request was malformed or broken off
    size_t GetOpen() const; //!< connections being served

    /// TracedCallback signature for Answered: the client's address; bytes of the request and of the
    /// response
    typedef void (*AnsweredCallback)(const Address& from, uint32_t request, uint32_t response);

  protected:
    void DoDispose() override;

  private:
    /// One accepted connection, from accept until its answer is in the send buffer.
    struct Connection
    {
        Ptr<Socket> socket;
        Address from;
        RequestHeader header;
        uint64_t received{0}; //!< bytes of the request
        uint32_t request{HEADER_SIZE};
        uint32_t response{0};
        uint32_t sent{0}; //!< bytes of the response handed to the stack
    };

    void StartApplication() override;
    void StopApplication() override;

    void HandleAccept(Ptr<Socket> socket, const Address& from);
    void HandleRead(uint64_t id, Ptr<Socket> socket);
    void HandleSend(uint64_t id, Ptr<Socket> socket, uint32_t available);
    void HandleClose(uint64_t id, Ptr<Socket> socket);
    void Receive(Connection& connection, const Ptr<Packet>& packet);
    void Answer(uint64_t id, Connection& connection);
    void Drop(uint64_t id);
    /// Ends the book-keeping of a connection and, after this event, gives its socket to \p release.
    void Forget(uint64_t id, void (*release)(const Ptr<Socket>&));
    Connection* Find(uint64_t id); //!< null once the server is done with the connection

    uint16_t m_port;
    Time m_timeWait;
    Ptr<Socket> m_listener;
    std::map<uint64_t, Connection>
        m_connections; //!< by number of accept: the same order in every run
    uint64_t m_accepted{0};
    uint64_t m_answered{0};
    uint64_t m_refused{0};
    TracedCallback<const Address&, uint32_t, uint32_t> m_answeredTrace;
};

} // namespace ns3

#endif // ESX_TCP_REQUEST_SERVER_H
