// SPDX-License-Identifier: GPL-2.0-only
#include "runner/commands/task-pool.h"

#include "runner/base/output-file.h"
#include "runner/commands/exit-code.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <sys/wait.h>
#include <unistd.h>

namespace esxnf
{

namespace
{

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

[[noreturn]] void
Refuse(const char* what)
{
    throw UserError(fmt::format("cannot {}: {}", what, std::strerror(errno)));
}

File
OpenTemporary()
{
    File file(std::tmpfile(), std::fclose);
    if (!file)
    {
        Refuse("make a temporary file");
    }
    return file;
}

std::string
ReadAll(std::FILE* file)
{
    std::string text;
    char buffer[4096];
    std::rewind(file);
    for (std::size_t size; (size = std::fread(buffer, 1, sizeof(buffer), file)) > 0;)
    {
        text.append(buffer, size);
    }
    return text;
}

void
WakeUp(int)
{
}

/// While it lives, signals come during Wait() only, so that none is missed between a look and a
/// wait.
class SignalHold
{
  public:
    SignalHold()
    {
        struct sigaction action = {};
        action.sa_handler = WakeUp; // without a handler the end of a child would wake nobody
        sigaction(SIGCHLD, &action, &m_oldAction);
        sigset_t held;
        sigemptyset(&held);
        for (const int signal : SIGNALS)
        {
            sigaddset(&held, signal);
        }
        sigprocmask(SIG_BLOCK, &held, &m_oldMask);
    }

    ~SignalHold()
    {
        Release();
    }

    SignalHold(const SignalHold&) = delete;
    SignalHold& operator=(const SignalHold&) = delete;

    /// Returns after a signal.
    void Wait() const
    {
        sigset_t mask = m_oldMask;
        for (const int signal : SIGNALS)
        {
            sigdelset(&mask, signal);
        }
        sigsuspend(&mask);
    }

    /// All as before: also for a child, which inherits the hold.
    void Release() const
    {
        sigprocmask(SIG_SETMASK, &m_oldMask, nullptr);
        sigaction(SIGCHLD, &m_oldAction, nullptr);
    }

  private:
    static constexpr int SIGNALS[] = {SIGINT, SIGTERM, SIGCHLD};

    sigset_t m_oldMask;
    struct sigaction m_oldAction;
};

/// A task and its process.
struct Child
{
    std::size_t index;
    File output;
    File errors;
};

/// The child's whole life. Leaves without the parent's destructors: what they would remove is the
/// parent's.
[[noreturn]] void
BecomeTask(const TaskPool::Task& task, const Child& child)
{
    dup2(fileno(child.output.get()), STDOUT_FILENO);
    dup2(fileno(child.errors.get()), STDERR_FILENO);
    int exitCode = ToExitCode(task);
    exitCode = std::max(exitCode, ToExitCode([] {
                            CheckStandardOutput();
                            return EXIT_GOOD;
                        }));
    _exit(exitCode);
}

TaskOutcome
OutcomeOf(int status, const Child& child)
{
    TaskOutcome outcome;
    outcome.started = true;
    outcome.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    outcome.exitCode = outcome.signal != 0 ? 128 + outcome.signal : WEXITSTATUS(status);
    outcome.output = ReadAll(child.output.get());
    outcome.errors = ReadAll(child.errors.get());
    return outcome;
}

/// The state of one TaskPool::Run().
class Running
{
  public:
    Running(const std::vector<TaskPool::Task>& tasks,
            const InterruptCatcher& interrupt,
            const TaskPool::Ended& ended)
        : m_tasks(tasks),
          m_interrupt(interrupt),
          m_ended(ended)
    {
    }

    /// Leaves no process behind when the pool cannot go on.
    ~Running()
    {
        Terminate();
        for (const auto& [pid, child] : m_children)
        {
            waitpid(pid, nullptr, 0);
        }
    }

    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    void Run(unsigned atOnce)
    {
        for (std::size_t next = 0; next < m_tasks.size() || !m_children.empty();)
        {
            if (next < m_tasks.size() && m_interrupt.WasInterrupted())
            {
                Finish(next++, {});
            }
            else if (next < m_tasks.size() && m_children.size() < atOnce)
            {
                Start(next++);
            }
            else
            {
                Wait();
            }
        }
    }

  private:
    void Start(std::size_t index)
    {
        Child child{index, OpenTemporary(), OpenTemporary()};
        std::fflush(nullptr); // else the child would print the parent's words again
        const pid_t pid = fork();
        if (pid < 0)
        {
            Refuse("start a process");
        }
        if (pid == 0)
        {
            m_hold.Release();
            BecomeTask(m_tasks[index], child);
        }
        m_children.emplace(pid, std::move(child));
    }

    /// Until a child has ended.
    void Wait()
    {
        int status = 0;
        pid_t pid = 0;
        while ((pid = waitpid(-1, &status, WNOHANG)) == 0)
        {
            if (m_interrupt.WasInterrupted() && !m_passedOn)
            {
                m_passedOn = true;
                Terminate();
            }
            m_hold.Wait();
        }
        const auto child = m_children.find(pid);
        if (child != m_children.end())
        {
            const TaskOutcome outcome = OutcomeOf(status, child->second);
            const std::size_t index = child->second.index;
            m_children.erase(child);
            Finish(index, outcome);
        }
    }

    void Terminate() const
    {
        for (const auto& [pid, child] : m_children)
        {
            kill(pid, SIGTERM);
        }
    }

    void Finish(std::size_t index, const TaskOutcome& outcome)
    {
        m_waiting.emplace(index, outcome);
        for (auto next = m_waiting.find(m_told); next != m_waiting.end();
             next = m_waiting.find(m_told))
        {
            m_ended(next->first, next->second);
            m_waiting.erase(next);
            ++m_told;
        }
    }

    const std::vector<TaskPool::Task>& m_tasks;
    const InterruptCatcher& m_interrupt;
    const TaskPool::Ended& m_ended;
    const SignalHold m_hold;
    std::map<pid_t, Child> m_children;
    std::map<std::size_t, TaskOutcome> m_waiting; // ended before an earlier one
    std::size_t m_told{0};
    bool m_passedOn{false};
};

} // namespace

void
TaskPool::Run(const std::vector<Task>& tasks,
              unsigned atOnce,
              const InterruptCatcher& interrupt,
              const Ended& ended)
{
    Running(tasks, interrupt, ended).Run(atOnce);
}

} // namespace esxnf
