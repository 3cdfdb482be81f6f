// SPDX-License-Identifier: GPL-2.0-only
#include "esx-shell-line.h"

#include <algorithm>
#include <cctype>

namespace ns3
{

namespace
{

bool
IsBlank(char c)
{
    return c == ' ' || c == '\t';
}

/// Whether an unquoted character ends a word.
bool
EndsWord(char c)
{
    return IsBlank(c) || c == '\n' || c == ';' || c == '&' || c == '|';
}

/// Reads a text from left to right and fills a line.
class Reader
{
  public:
    Reader(const std::string& text, EsxShellLine& line)
        : m_text(text),
          m_line(line)
    {
    }

    void Read();

  private:
    bool ReadToken();
    void ReadOperator();
    void ReadWord();
    void ReadSingleQuoted(EsxShellLine::Word& word);
    void ReadDoubleQuoted(EsxShellLine::Word& word);
    void ReadEscaped(EsxShellLine::Word& word);
    void ReadDollar(EsxShellLine::Word& word);
    void EndPipe();
    void EndPipeline(EsxShellLine::When next, bool background);
    void Unexpected(const std::string& token);
    void Fail(const std::string& what);
    void UnexpectedEnd(const std::string& what);

    bool IsPipelineEmpty() const
    {
        return m_pipeline.commands.empty() && m_command.empty();
    }

    bool AtEnd() const
    {
        return m_at == m_text.size();
    }

    bool StartsWith(const std::string& text) const
    {
        return m_text.compare(m_at, text.size(), text) == 0;
    }

    /// Adds literal text to a word.
    static void Append(EsxShellLine::Word& word, char c)
    {
        if (word.empty() || word.back().isParameter)
        {
            word.push_back({"", false});
        }
        word.back().text += c;
    }

    const std::string& m_text;
    EsxShellLine& m_line;
    std::size_t m_at{0};
    EsxShellLine::Command m_command;
    EsxShellLine::Pipeline m_pipeline;
    EsxShellLine::When m_next{EsxShellLine::When::ALWAYS}; // of the pipeline being read
    std::size_t m_pipelineAt{0};                           // where its text begins
};

void
Reader::Read()
{
    if (m_text.find('\0') != std::string::npos)
    {
        Fail("the line contains a NUL octet");
        return;
    }
    while (m_line.error.empty() && ReadToken())
    {
    }
    if (!m_line.error.empty())
    {
        return;
    }
    const bool wantsMore =
        IsPipelineEmpty() ? m_next != EsxShellLine::When::ALWAYS : m_command.empty();
    if (wantsMore)
    {
        UnexpectedEnd("syntax error: unexpected end of file");
    }
    else if (!IsPipelineEmpty())
    {
        EndPipeline(EsxShellLine::When::ALWAYS, false);
    }
}

/// \return false at the end of the text
bool
Reader::ReadToken()
{
    while (!AtEnd() && (IsBlank(m_text[m_at]) || StartsWith("\\\n")))
    {
        m_at += IsBlank(m_text[m_at]) ? 1 : 2;
    }
    if (AtEnd())
    {
        return false;
    }
    const char c = m_text[m_at];
    if (c == '#')
    {
        m_at = std::min(m_text.find('\n', m_at), m_text.size());
    }
    else if (c == '\n' && m_command.empty())
    {
        ++m_at; // an empty line, or "a |" goes on in the next one
    }
    else if (EndsWord(c))
    {
        ReadOperator();
    }
    else
    {
        ReadWord();
    }
    return true;
}

void
Reader::ReadOperator()
{
    const std::string token = StartsWith("&&") || StartsWith("||") || StartsWith(";;")
                                  ? m_text.substr(m_at, 2)
                                  : m_text.substr(m_at, 1);
    if (m_command.empty() || token == ";;")
    {
        Unexpected(token);
        return;
    }
    if (token == "|")
    {
        EndPipe();
        ++m_at;
        return;
    }
    const auto next = token == "&&"   ? EsxShellLine::When::IF_GOOD
                      : token == "||" ? EsxShellLine::When::IF_BAD
                                      : EsxShellLine::When::ALWAYS;
    const bool background = token == "&";
    if (background && m_next != EsxShellLine::When::ALWAYS)
    {
        Fail("&& and || in the background are not available on this console");
        return;
    }
    EndPipeline(next, background);
    m_at += token.size();
}

void
Reader::ReadWord()
{
    if (IsPipelineEmpty())
    {
        m_pipelineAt = m_at;
    }
    EsxShellLine::Word word;
    while (m_line.error.empty() && !AtEnd() && !EndsWord(m_text[m_at]))
    {
        switch (m_text[m_at])
        {
        case '\'':
            ReadSingleQuoted(word);
            break;
        case '"':
            ReadDoubleQuoted(word);
            break;
        case '\\':
            ReadEscaped(word);
            break;
        case '$':
            ReadDollar(word);
            break;
        case '<':
        case '>':
            Fail("redirection is not available on this console");
            break;
        case '`':
            Fail("command substitution is not available on this console");
            break;
        case '(':
        case ')':
            Unexpected(m_text.substr(m_at, 1));
            break;
        default:
            Append(word, m_text[m_at++]);
        }
    }
    m_command.push_back(word);
}

void
Reader::ReadSingleQuoted(EsxShellLine::Word& word)
{
    const std::size_t end = m_text.find('\'', m_at + 1);
    if (end == std::string::npos)
    {
        UnexpectedEnd("unexpected EOF while looking for matching `''");
        return;
    }
    word.push_back({m_text.substr(m_at + 1, end - m_at - 1), false});
    m_at = end + 1;
}

void
Reader::ReadDoubleQuoted(EsxShellLine::Word& word)
{
    word.push_back({"", false}); // "" is a word, too
    for (++m_at; m_line.error.empty() && !AtEnd() && m_text[m_at] != '"';)
    {
        const char c = m_text[m_at];
        if (c == '`')
        {
            Fail("command substitution is not available on this console");
        }
        else if (c == '$')
        {
            ReadDollar(word);
        }
        else if (c == '\\' && m_at + 1 < m_text.size() &&
                 std::string("$`\"\\\n").find(m_text[m_at + 1]) != std::string::npos)
        {
            ReadEscaped(word);
        }
        else
        {
            Append(word, c);
            ++m_at;
        }
    }
    if (m_line.error.empty() && AtEnd())
    {
        UnexpectedEnd("unexpected EOF while looking for matching `\"'");
        return;
    }
    ++m_at;
}

/// A backslash: the next character stands for itself, a line break for nothing.
void
Reader::ReadEscaped(EsxShellLine::Word& word)
{
    if (++m_at == m_text.size())
    {
        m_line.incomplete = true;
        Append(word, '\\');
        return;
    }
    if (m_text[m_at] != '\n')
    {
        Append(word, m_text[m_at]);
    }
    ++m_at;
}

void
Reader::ReadDollar(EsxShellLine::Word& word)
{
    const char next = m_at + 1 < m_text.size() ? m_text[m_at + 1] : '\0';
    if (next == '(')
    {
        Fail("command substitution is not available on this console");
    }
    else if (next == '?' || next == '$' || next == '!')
    {
        word.push_back({std::string(1, next), true});
        m_at += 2;
    }
    else if (next == '{' || next == '_' || next == '@' || next == '*' || next == '#' ||
             next == '-' || std::isalnum(static_cast<unsigned char>(next)))
    {
        Fail("of variables, only $?, $$ and $! are available on this console");
    }
    else
    {
        Append(word, '$');
        ++m_at;
    }
}

void
Reader::EndPipe()
{
    m_pipeline.commands.push_back(std::move(m_command));
    m_command.clear();
}

void
Reader::EndPipeline(EsxShellLine::When next, bool background)
{
    EndPipe();
    m_pipeline.when = m_next;
    m_pipeline.background = background;
    m_pipeline.text = m_text.substr(m_pipelineAt, m_at - m_pipelineAt);
    while (IsBlank(m_pipeline.text.back()))
    {
        m_pipeline.text.pop_back();
    }
    m_line.pipelines.push_back(std::move(m_pipeline));
    m_pipeline = {};
    m_next = next;
}

void
Reader::Unexpected(const std::string& token)
{
    Fail("syntax error near unexpected token `" + (token == "\n" ? "newline" : token) + "'");
}

void
Reader::UnexpectedEnd(const std::string& what)
{
    m_line.incomplete = true;
    Fail(what);
}

void
Reader::Fail(const std::string& what)
{
    m_line.error = "-bash: " + what;
    m_line.pipelines.clear();
}

} // namespace

EsxShellLine
EsxShellLine::Parse(const std::string& text)
{
    EsxShellLine line;
    Reader(text, line).Read();
    return line;
}

std::vector<std::string>
EsxShellLine::Expand(const Command& command, const Lookup& lookup)
{
    std::vector<std::string> words;
    for (const Word& word : command)
    {
        std::string expanded;
        for (const Part& part : word)
        {
            expanded += part.isParameter ? lookup(part.text) : part.text;
        }
        words.push_back(expanded);
    }
    return words;
}

} // namespace ns3
