// SPDX-License-Identifier: GPL-2.0-only
#include "model/console/esx-line-filter.h"

#include "model/console/esx-options.h"

#include <charconv>
#include <cstdint>
#include <deque>
#include <regex.h>

namespace ns3
{

namespace
{

using Words = std::vector<std::string>;

class Grep : public EsxLineFilter
{
  public:
    explicit Grep(const EsxOptions& options)
        : m_invert(options.Has('v')),
          m_ignoreCase(options.Has('i')),
          m_count(options.Has('c')),
          m_number(options.Has('n')),
          m_quiet(options.Has('q'))
    {
    }

    ~Grep() override
    {
        if (m_compiled)
        {
            regfree(&m_regex);
        }
    }

    /// \return empty, or what is wrong with the pattern
    std::string Compile(std::string pattern, const EsxOptions& options)
    {
        const bool extended = options.Has('E');
        if (options.Has('F'))
        {
            pattern = Quote(pattern);
        }
        else if (pattern.size() > 1000 || UsesCostly(pattern, extended))
        {
            return "pattern too costly for this console (no intervals, no back-references)";
        }
        const int flags =
            REG_NOSUB | (extended ? REG_EXTENDED : 0) | (m_ignoreCase ? REG_ICASE : 0);
        const int error = regcomp(&m_regex, pattern.c_str(), flags);
        m_compiled = error == 0;
        if (m_compiled)
        {
            return "";
        }
        char text[128];
        regerror(error, &m_regex, text, sizeof(text));
        return text;
    }

    void Line(const std::string& line, const Sink& out) override
    {
        ++m_lines;
        const bool matches = regexec(&m_regex, line.c_str(), 0, nullptr, 0) == 0;
        if (matches == m_invert)
        {
            return;
        }
        ++m_selected;
        if (!m_count && !m_quiet)
        {
            out((m_number ? std::to_string(m_lines) + ":" : "") + line);
        }
    }

    int End(const Sink& out) override
    {
        if (m_count && !m_quiet)
        {
            out(std::to_string(m_selected));
        }
        return m_selected > 0 ? 0 : 1;
    }

    bool HasLeft() const override
    {
        return m_quiet && m_selected > 0;
    }

  private:
    /// A basic regular expression that matches the text and nothing else.
    static std::string Quote(const std::string& text)
    {
        std::string pattern;
        for (char c : text)
        {
            pattern += std::string(".[\\*^$").find(c) != std::string::npos ? "\\" : "";
            pattern += c;
        }
        return pattern;
    }

    /// Intervals and back-references can take the C library's matcher any amount of memory and
    /// time.
    static bool UsesCostly(const std::string& pattern, bool extended)
    {
        for (std::size_t i = 0; i < pattern.size(); ++i)
        {
            const bool escaped = pattern[i] == '\\' && i + 1 < pattern.size();
            const char c = pattern[i += escaped ? 1 : 0];
            if ((c == '{' && escaped != extended) || (escaped && c >= '1' && c <= '9'))
            {
                return true;
            }
        }
        return false;
    }

    regex_t m_regex{};
    bool m_compiled{false};
    bool m_invert;
    bool m_ignoreCase;
    bool m_count;
    bool m_number;
    bool m_quiet;
    uint64_t m_lines{0};
    uint64_t m_selected{0};
};

class Head : public EsxLineFilter
{
  public:
    explicit Head(uint64_t wanted)
        : m_left(wanted)
    {
    }

    void Line(const std::string& line, const Sink& out) override
    {
        if (m_left > 0)
        {
            --m_left;
            out(line);
        }
    }

    int End(const Sink&) override
    {
        return 0;
    }

    bool HasLeft() const override
    {
        return m_left == 0;
    }

  private:
    uint64_t m_left;
};

class Tail : public EsxLineFilter
{
  public:
    explicit Tail(uint64_t wanted)
        : m_wanted(wanted)
    {
    }

    void Line(const std::string& line, const Sink&) override
    {
        m_lines.push_back(line);
        if (m_lines.size() > m_wanted)
        {
            m_lines.pop_front();
        }
    }

    int End(const Sink& out) override
    {
        for (const std::string& line : m_lines)
        {
            out(line);
        }
        m_lines.clear();
        return 0;
    }

  private:
    uint64_t m_wanted;
    std::deque<std::string> m_lines;
};

class Cat : public EsxLineFilter
{
  public:
    void Line(const std::string& line, const Sink& out) override
    {
        out(line);
    }

    int End(const Sink&) override
    {
        return 0;
    }
};

class CountLines : public EsxLineFilter
{
  public:
    void Line(const std::string&, const Sink&) override
    {
        ++m_lines;
    }

    int End(const Sink& out) override
    {
        out(std::to_string(m_lines));
        return 0;
    }

  private:
    uint64_t m_lines{0};
};

EsxFilterCommand
Fail(const std::string& error)
{
    EsxFilterCommand command;
    command.error = error;
    return command;
}

/// "-5" is the old spelling of "-n 5", and "-n -5" means the same.
Words
SpellOut(Words words)
{
    for (std::size_t i = 1; i < words.size(); ++i)
    {
        std::string& word = words[i];
        if (word.size() > 1 && word[0] == '-' &&
            word.find_first_not_of("0123456789", 1) == std::string::npos)
        {
            words[i - 1] == "-n" ? word.erase(0, 1) : word.insert(1, "n");
        }
    }
    return words;
}

/// head and tail: options and the number of lines.
template <typename Filter>
EsxFilterCommand
ParseEnd(const Words& words, const std::string& spec)
{
    const EsxOptions options = EsxOptions::Parse(SpellOut(words), spec);
    if (!options.error.empty())
    {
        return Fail(options.error);
    }
    const std::string text = options.Get('n', "10");
    uint64_t wanted = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), wanted);
    if (error != std::errc() || stop != text.data() + text.size())
    {
        return Fail(text + ": invalid number of lines");
    }
    EsxFilterCommand command;
    command.filter = std::make_unique<Filter>(wanted);
    command.files = options.operands;
    command.follow = options.Has('f');
    return command;
}

} // namespace

EsxFilterCommand
EsxParseGrep(const Words& words)
{
    const EsxOptions options = EsxOptions::Parse(words, "vicnqEFe:");
    if (!options.error.empty())
    {
        return Fail(options.error);
    }
    EsxFilterCommand command;
    command.files = options.operands;
    std::string pattern = options.Get('e');
    if (!options.Has('e'))
    {
        if (command.files.empty())
        {
            return Fail("no pattern given");
        }
        pattern = command.files.front();
        command.files.erase(command.files.begin());
    }
    auto grep = std::make_unique<Grep>(options);
    command.error = grep->Compile(pattern, options);
    if (command.error.empty())
    {
        command.filter = std::move(grep);
    }
    return command;
}

EsxFilterCommand
EsxParseHead(const Words& words)
{
    return ParseEnd<Head>(words, "n:");
}

EsxFilterCommand
EsxParseTail(const Words& words)
{
    return ParseEnd<Tail>(words, "n:f");
}

EsxFilterCommand
EsxParseCat(const Words& words)
{
    const EsxOptions options = EsxOptions::Parse(words, "");
    if (!options.error.empty())
    {
        return Fail(options.error);
    }
    EsxFilterCommand command;
    command.filter = std::make_unique<Cat>();
    command.files = options.operands;
    return command;
}

EsxFilterCommand
EsxParseWc(const Words& words)
{
    const EsxOptions options = EsxOptions::Parse(words, "l");
    if (!options.error.empty() || !options.Has('l'))
    {
        return Fail(options.error.empty() ? "only wc -l is available" : options.error);
    }
    EsxFilterCommand command;
    command.filter = std::make_unique<CountLines>();
    command.files = options.operands;
    return command;
}

} // namespace ns3
