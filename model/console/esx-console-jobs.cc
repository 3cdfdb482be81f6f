// SPDX-License-Identifier: GPL-2.0-only
#include "esx-console-jobs.h"

#include <algorithm>

namespace ns3
{

const EsxConsoleJob&
EsxConsoleJobs::Add(uint32_t pid,
                    const std::string& text,
                    const Ptr<EsxConsoleProcess>& process,
                    int exitStatus)
{
    const uint32_t number = m_jobs.empty() ? 1 : m_jobs.back().number + 1;
    m_jobs.push_back({number, pid, text, process, exitStatus});
    return m_jobs.back();
}

void
EsxConsoleJobs::NoteEnd(uint32_t pid, int exitStatus)
{
    for (EsxConsoleJob& job : m_jobs)
    {
        if (job.pid == pid && !job.HasEnded())
        {
            job.process = nullptr;
            job.exitStatus = exitStatus;
        }
    }
}

Ptr<EsxConsoleProcess>
EsxConsoleJobs::Take(uint32_t number)
{
    for (auto job = m_jobs.begin(); job != m_jobs.end(); ++job)
    {
        if (job->number == number && !job->HasEnded())
        {
            const Ptr<EsxConsoleProcess> process = job->process;
            m_jobs.erase(job);
            return process;
        }
    }
    return nullptr;
}

std::vector<std::string>
EsxConsoleJobs::TakeEnded()
{
    std::vector<std::string> lines;
    for (const EsxConsoleJob& job : m_jobs)
    {
        if (job.HasEnded())
        {
            lines.push_back(Describe(job));
        }
    }
    m_jobs.erase(std::remove_if(m_jobs.begin(),
                                m_jobs.end(),
                                [](const EsxConsoleJob& job) { return job.HasEnded(); }),
                 m_jobs.end());
    return lines;
}

void
EsxConsoleJobs::HangUp()
{
    const std::vector<EsxConsoleJob> jobs = std::move(m_jobs);
    m_jobs.clear();
    for (const EsxConsoleJob& job : jobs)
    {
        if (!job.HasEnded())
        {
            const Ptr<EsxConsoleProcess> process = job.process;
            process->Signal(EsxSignal::HUP);
        }
    }
}

void
EsxConsoleJobs::Clear()
{
    m_jobs.clear();
}

const std::vector<EsxConsoleJob>&
EsxConsoleJobs::GetAll() const
{
    return m_jobs;
}

std::string
EsxConsoleJobs::Describe(const EsxConsoleJob& job) const
{
    constexpr std::size_t STATE_WIDTH = 24; // as bash pads
    const std::string word = WordOfEnd(job.exitStatus);
    std::string state = "Exit " + std::to_string(job.exitStatus);
    if (!job.HasEnded())
    {
        state = "Running";
    }
    else if (job.exitStatus == 0)
    {
        state = "Done";
    }
    else if (job.exitStatus == EsxStatusOfSignal(EsxSignal::INT))
    {
        state = "Interrupt";
    }
    else if (!word.empty())
    {
        state = word;
    }
    state.resize(std::max(STATE_WIDTH, state.size() + 1), ' ');
    // bash marks the current job and the one before
    const std::size_t behind = static_cast<std::size_t>(&m_jobs.back() - &job);
    const char* mark = behind == 0 ? "+" : behind == 1 ? "-" : " ";
    return "[" + std::to_string(job.number) + "]" + mark + "  " + state + job.text +
           (job.HasEnded() ? "" : " &");
}

std::string
EsxConsoleJobs::WordOfEnd(int status)
{
    return status == EsxStatusOfSignal(EsxSignal::TERM)   ? "Terminated"
           : status == EsxStatusOfSignal(EsxSignal::KILL) ? "Killed"
           : status == EsxStatusOfSignal(EsxSignal::HUP)  ? "Hangup"
                                                          : "";
}

} // namespace ns3
