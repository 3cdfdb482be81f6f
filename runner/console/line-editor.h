// SPDX-License-Identifier: GPL-2.0-only
// A terminal with line editing and history, by libedit. Output that comes while a line is being
// typed appears above it.
#ifndef ESXNF_LINE_EDITOR_H
#define ESXNF_LINE_EDITOR_H

#include "runner/console/console-input.h"

#include <histedit.h>
#include <string>
#include <vector>

namespace esxnf
{

/// One at a time: takes standard input and output.
class LineEditor : public ConsoleInput
{
  public:
    /// \param commands what the Tab key makes first words of; \p arguments: and all other words
    LineEditor(KeyCatcher& keys,
               std::vector<std::string> commands,
               std::vector<std::string> arguments);
    ~LineEditor() override;
    LineEditor(const LineEditor&) = delete;
    LineEditor& operator=(const LineEditor&) = delete;

    Typed Read(const std::string& prompt, const Idle& idle) override;
    void Print(const std::string& line, bool error) override;
    bool IsTerminal() const override;

  private:
    static char* GetPrompt(EditLine* editor);
    static int ReadCharacter(EditLine* editor, wchar_t* character);
    static unsigned char Complete(EditLine* editor, int key);
    unsigned char Complete();
    int ReadCharacter(wchar_t& character);

    KeyCatcher& m_keys;
    const std::vector<std::string> m_commands;
    const std::vector<std::string> m_arguments;
    EditLine* m_editor;
    History* m_history;
    std::string m_prompt;
    const Idle* m_idle{nullptr};
    bool m_isReading{false};
    bool m_wakes{false};
};

} // namespace esxnf

#endif // ESXNF_LINE_EDITOR_H
