// SPDX-License-Identifier: GPL-2.0-only
// Where the lines of an interactive console come from and where its output goes: a terminal with
// line editing (LineEditor), or standard input line by line (StreamInput). Neither knows what a
// line means.
#ifndef ESXNF_CONSOLE_INPUT_H
#define ESXNF_CONSOLE_INPUT_H

#include "runner/base/interrupt.h"

#include <functional>
#include <string>

namespace esxnf
{

/// Input from the keyboard.
struct Typed
{
    enum class Kind
    {
        LINE,
        INTERRUPT, //!< Ctrl-C
        END,       //!< Ctrl-D, end of input, or a wish to end
        WAKE,      //!< nothing: the prompt is another now
    };

    Kind kind{Kind::END};
    std::string line; //!< without line end
};

class ConsoleInput
{
  public:
    /// Called about fifty times a second while nothing is typed. \return true: read no longer, the
    /// prompt is another now
    using Idle = std::function<bool()>;

    virtual ~ConsoleInput() = default;

    /// Waits for a line. \param idle may be empty
    virtual Typed Read(const std::string& prompt, const Idle& idle) = 0;

    /// Shows a line, also while one is being typed.
    virtual void Print(const std::string& line, bool error) = 0;

    /// Whether a person sits there: prompts are shown.
    virtual bool IsTerminal() const = 0;
};

/// Waits until there is something to read on standard input. \return false if a signal came or
/// \p idle said so
bool WaitForInput(const KeyCatcher& keys, const ConsoleInput::Idle& idle, bool& wake);

/// Standard input, whatever it is. A line that is "^C", or the octet that Ctrl-C types, stands for
/// this key.
class StreamInput : public ConsoleInput
{
  public:
    explicit StreamInput(KeyCatcher& keys);

    Typed Read(const std::string& prompt, const Idle& idle) override;
    void Print(const std::string& line, bool error) override;
    bool IsTerminal() const override;

  private:
    bool TakeLine(std::string& line);

    KeyCatcher& m_keys;
    std::string m_buffer; //!< read and not yet taken
    bool m_atEnd{false};
};

} // namespace esxnf

#endif // ESXNF_CONSOLE_INPUT_H
