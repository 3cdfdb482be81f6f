// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_HOST_MEMORY_H
#define ESX_HOST_MEMORY_H

#include "ns3/event-id.h"
#include "ns3/nstime.h"
#include "ns3/object.h"
#include "ns3/traced-callback.h"

#include <cstdint>
#include <string>
#include <vector>

namespace ns3
{

/**
 * Memory of one ESX host: what the VMkernel keeps for itself, what virtual machines have touched,
 * and the four states that follow from what is free. Aggregated to the host's VMkernel node; the
 * NetFlow module asks for the state, as its heap may not grow in the hard and low states.
 *
 * Documented (Waldspurger, OSDI 2002): the states high, soft, hard and low stand for 6, 4, 2 and
 * 1 % free; memory that falls below the threshold of a lower state enters that state, and leaves it
 * upwards only when it significantly exceeds the threshold of the next higher one. A virtual
 * machine's memory is reclaimed down to its reservation: by ballooning in the soft state, by paging
 * in the hard and low ones. Our choice: what "significantly" means, how fast both are, and a grid
 * of updates.
 *
 * Not modelled: shares and idle tax (virtual machines give in order of power-on),
 * page sharing, and what reclamation costs the guests.
 */
class EsxHostMemory : public Object
{
  public:
    /// From plenty to nothing.
    enum State
    {
        HIGH,
        SOFT,
        HARD,
        LOW
    };

    /// A virtual machine's part.
    struct VirtualMachine
    {
        std::string name;
        uint64_t size{0};        //!< octets it can touch
        uint64_t reservation{0}; //!< octets that are never reclaimed
        uint64_t touched{0};     //!< octets it wants to have
        uint64_t reclaimed{0};   //!< of these, octets taken from it
        uint64_t goal{0};        //!< octets that touched grows to
        uint64_t rate{0};        //!< octets a second
        uint64_t ballooned{0};   //!< of reclaimed, octets taken by ballooning; others are swapped
    };

    typedef void (*StateTracedCallback)(State from, State to);

    static TypeId GetTypeId();
    EsxHostMemory();
    ~EsxHostMemory() override;

    /**
     * Powers on a virtual machine.
     * \param touched octets it has from the start
     * \return empty, or why not: its reservation is not free any more
     */
    std::string AddVirtualMachine(const std::string& name,
                                  uint64_t size,
                                  uint64_t reservation,
                                  uint64_t touched);
    /// A virtual machine moves to another host, with what it has touched. \param to null: memory is
    /// not modelled there. \return empty, or why not: its reservation is not free there
    std::string MoveVirtualMachine(const std::string& name, const Ptr<EsxHostMemory>& to);
    /// A virtual machine touches memory up to \p goal octets (its size at most), \p rate octets a
    /// second.
    void Grow(const std::string& name, uint64_t goal, uint64_t rate);
    /// In order of power-on.
    const std::vector<VirtualMachine>& GetVirtualMachines() const;

    /// Other load holds the host at this much free memory, in percent, until Release().
    void Hold(double freePercent);
    void Release();

    double GetFreePercent() const;
    State GetState() const;
    uint64_t GetBallooned() const; //!< octets taken from virtual machines by ballooning
    uint64_t GetSwapped() const;   //!< octets taken from them by paging
    /// Whether VMkernel heaps may grow: in the high and soft states.
    bool IsGrowthAllowed() const;
    /// "high", "soft", "hard", "low"
    static const char* ToString(State state);

  protected:
    void DoDispose() override;

  private:
    std::vector<VirtualMachine>::iterator Find(const std::string& name);
    uint64_t GetFree() const;
    uint64_t GetReclaimRate() const;
    void Update();
    void GrowAll();
    void Reclaim();
    void Judge();
    void Log(double free) const;
    void Wake();
    bool IsMoving() const;

    uint64_t m_total{0};
    uint64_t m_kernel{0};
    double m_hysteresis{0};
    uint64_t m_balloonRate{0};
    uint64_t m_swapRate{0};
    Time m_interval;

    std::vector<VirtualMachine> m_machines;
    double m_held{-1}; //!< percent; negative: not held
    State m_state{HIGH};
    EventId m_update;
    TracedCallback<State, State> m_stateTrace;
};

} // namespace ns3

#endif // ESX_HOST_MEMORY_H
