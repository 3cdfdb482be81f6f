// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_LINE_FILTER_H
#define ESX_LINE_FILTER_H

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ns3
{

/**
 * A command behind "|" takes lines and lets some or all through: grep, head, tail, cat, wc. Lines
 * come one by one, perhaps over simulated time, and then the end.
 */
class EsxLineFilter
{
  public:
    /// Takes a line without its line end.
    using Sink = std::function<void(const std::string& line)>;

    virtual ~EsxLineFilter() = default;
    virtual void Line(const std::string& line, const Sink& out) = 0;
    /// No line follows. \return the command's exit status
    virtual int End(const Sink& out) = 0;

    /// Whether the program has left: who writes to it then gets SIGPIPE.
    virtual bool HasLeft() const
    {
        return false;
    }
};

/// A command line of such a program, taken apart.
struct EsxFilterCommand
{
    std::unique_ptr<EsxLineFilter> filter; //!< null if there is an error
    std::vector<std::string> files;        //!< empty: it reads what comes through "|"
    bool follow{false};                    //!< tail -f
    std::string error;                     //!< what is wrong with the line
};

/// \param words the command's words, its name first
EsxFilterCommand EsxParseGrep(const std::vector<std::string>& words);
EsxFilterCommand EsxParseHead(const std::vector<std::string>& words);
EsxFilterCommand EsxParseTail(const std::vector<std::string>& words);
EsxFilterCommand EsxParseCat(const std::vector<std::string>& words);
EsxFilterCommand EsxParseWc(const std::vector<std::string>& words);

} // namespace ns3

#endif // ESX_LINE_FILTER_H
