// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_SHELL_LINE_H
#define ESX_SHELL_LINE_H

#include <functional>
#include <string>
#include <vector>

namespace ns3
{

/**
 * A line of a shell, taken apart: quotes '…' "…", the backslash, comments, `;`, `&`, `&&`, `||` and
 * `|` mean what they mean to bash. Parameters are expanded later, when a command is about to run,
 * because `$?` changes within a line.
 *
 * Syntax that this shell lacks (redirection, substitution, functions, globbing of files, control
 * structures) is an error of its own wording rather than a silent difference. Used by
 * EsxConsoleSession; knows no command.
 */
struct EsxShellLine
{
    /// A piece of a word: text, or a parameter to expand.
    struct Part
    {
        std::string text; //!< the text, or the parameter's name: "?"
        bool isParameter{false};
    };

    /// One word: what a command gets as one argument.
    using Word = std::vector<Part>;
    using Command = std::vector<Word>;

    /// When a pipeline runs.
    enum class When
    {
        ALWAYS,
        IF_GOOD, //!< behind "&&"
        IF_BAD   //!< behind "||"
    };

    /// Commands joined by "|".
    struct Pipeline
    {
        std::vector<Command> commands; //!< none is empty
        When when{When::ALWAYS};
        bool background{false};
        std::string text; //!< as typed, without the "&"
    };

    std::vector<Pipeline> pipelines;
    std::string error;      //!< empty, or what is wrong: nothing of the line may run then
    bool incomplete{false}; //!< it ends inside quotes or behind a backslash

    /// \param text any octets
    static EsxShellLine Parse(const std::string& text);

    /// \return value of a parameter: "?", "$", "!"
    using Lookup = std::function<std::string(const std::string& name)>;
    /// \return the words as the command gets them
    static std::vector<std::string> Expand(const Command& command, const Lookup& lookup);
};

} // namespace ns3

#endif // ESX_SHELL_LINE_H
