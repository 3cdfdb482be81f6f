// SPDX-License-Identifier: GPL-2.0-only
#include "runner/console/line-editor.h"

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstring>
#include <cwchar>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>
#include <utility>

namespace esxnf
{

namespace
{

constexpr int HISTORY_LINES = 1000;
const char* const WIPE = "\r\033[K"; // start of line, erase to its end

} // namespace

LineEditor::LineEditor(KeyCatcher& keys,
                       std::vector<std::string> commands,
                       std::vector<std::string> arguments)
    : m_keys(keys),
      m_commands(std::move(commands)),
      m_arguments(std::move(arguments))
{
    std::setlocale(LC_CTYPE, "C.UTF-8"); // libedit's characters; nothing else depends on it
    m_editor = el_init("esx-netflow", stdin, stdout, stderr);
    m_history = history_init();
    HistEvent event;
    history(m_history, &event, H_SETSIZE, HISTORY_LINES);
    history(m_history, &event, H_SETUNIQUE, 1);
    el_set(m_editor, EL_CLIENTDATA, this);
    el_set(m_editor, EL_PROMPT, &LineEditor::GetPrompt);
    el_set(m_editor, EL_EDITOR, "emacs");
    el_set(m_editor, EL_SIGNAL, 0); // KeyCatcher's
    el_set(m_editor, EL_HIST, history, m_history);
    el_set(m_editor,
           EL_GETCFN,
           static_cast<int (*)(EditLine*, wchar_t*)>(&LineEditor::ReadCharacter));
    el_set(m_editor,
           EL_ADDFN,
           "complete",
           "complete a word",
           static_cast<unsigned char (*)(EditLine*, int)>(&LineEditor::Complete));
    el_set(m_editor, EL_BIND, "^I", "complete", nullptr);
}

LineEditor::~LineEditor()
{
    el_end(m_editor);
    history_end(m_history);
}

char*
LineEditor::GetPrompt(EditLine* editor)
{
    LineEditor* self = nullptr;
    el_get(editor, EL_CLIENTDATA, &self);
    return self->m_prompt.data();
}

int
LineEditor::ReadCharacter(EditLine* editor, wchar_t* character)
{
    LineEditor* self = nullptr;
    el_get(editor, EL_CLIENTDATA, &self);
    return self->ReadCharacter(*character);
}

unsigned char
LineEditor::Complete(EditLine* editor, int)
{
    LineEditor* self = nullptr;
    el_get(editor, EL_CLIENTDATA, &self);
    return self->Complete();
}

/// Adds what all words that begin as the one before the cursor have in common; shows them if that
/// is nothing.
unsigned char
LineEditor::Complete()
{
    const LineInfo* line = el_line(m_editor);
    const std::string typed(line->buffer, line->cursor);
    const std::size_t begin = typed.find_last_of(" ,|;&") + 1;
    const std::size_t before =
        begin == 0 ? std::string::npos : typed.find_last_not_of(' ', begin - 1);
    const bool isFirst = before == std::string::npos || std::strchr("|;&", typed[before]);
    const std::string word = typed.substr(begin);
    std::vector<std::string> fit;
    for (const std::string& known : isFirst ? m_commands : m_arguments)
    {
        if (known.compare(0, word.size(), word) == 0)
        {
            fit.push_back(known);
        }
    }
    if (fit.empty())
    {
        return CC_ERROR;
    }
    std::string more = fit.front();
    for (const std::string& other : fit)
    {
        more.resize(static_cast<std::size_t>(
            std::mismatch(more.begin(), more.end(), other.begin(), other.end()).first -
            more.begin()));
    }
    more = more.substr(word.size()) + (fit.size() == 1 ? " " : "");
    if (more.empty())
    {
        fmt::print("\r\n{}\r\n", fmt::join(fit, "  "));
        std::fflush(stdout);
        return CC_REDISPLAY;
    }
    return el_insertstr(m_editor, more.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
}

/// \return 1: a character; 0: end of input; -1: a signal, or somebody wants the prompt anew
int
LineEditor::ReadCharacter(wchar_t& character)
{
    std::mbstate_t state{};
    for (;;)
    {
        if (!WaitForInput(m_keys, *m_idle, m_wakes))
        {
            errno = EINTR;
            return -1;
        }
        char octet = 0;
        const ssize_t size = read(STDIN_FILENO, &octet, 1);
        if (size < 0 && errno == EINTR)
        {
            continue;
        }
        if (size <= 0)
        {
            return 0;
        }
        const std::size_t done = std::mbrtowc(&character, &octet, 1, &state);
        if (done == static_cast<std::size_t>(-1)) // not UTF-8: the octet as it is
        {
            character = static_cast<unsigned char>(octet);
            return 1;
        }
        if (done != static_cast<std::size_t>(-2))
        {
            return 1;
        }
    }
}

Typed
LineEditor::Read(const std::string& prompt, const Idle& idle)
{
    m_prompt = prompt;
    m_idle = &idle;
    m_wakes = false;
    m_isReading = true;
    int size = 0;
    const char* text = el_gets(m_editor, &size);
    m_isReading = false;
    Typed typed;
    if (m_keys.WasTerminated())
    {
        return typed;
    }
    if (m_keys.TakeInterrupt())
    {
        fmt::print("^C\n");
        typed.kind = Typed::Kind::INTERRUPT;
        return typed;
    }
    if (m_wakes)
    {
        const LineInfo* line = el_line(m_editor); // what was typed so far goes on
        const std::string begun(line->buffer, line->lastchar);
        fmt::print("{}", WIPE);
        std::fflush(stdout);
        el_push(m_editor, begun.c_str());
        typed.kind = Typed::Kind::WAKE;
        return typed;
    }
    if (!text || size <= 0)
    {
        fmt::print("\n");
        return typed;
    }
    typed.kind = Typed::Kind::LINE;
    typed.line.assign(text, static_cast<std::size_t>(size));
    if (typed.line.back() == '\n')
    {
        typed.line.pop_back();
    }
    if (typed.line.find_first_not_of(" \t") != std::string::npos)
    {
        HistEvent event;
        history(m_history, &event, H_ENTER, typed.line.c_str());
    }
    return typed;
}

void
LineEditor::Print(const std::string& line, bool error)
{
    fmt::print("{}", m_isReading ? WIPE : "");
    std::fflush(stdout);
    // While a line is being edited the terminal is raw: it makes no line end of a line feed.
    fmt::print(error ? stderr : stdout, "{}{}", line, m_isReading ? "\r\n" : "\n");
    std::fflush(stdout);
    if (m_isReading)
    {
        el_set(m_editor, EL_REFRESH);
    }
}

bool
LineEditor::IsTerminal() const
{
    return true;
}

} // namespace esxnf
