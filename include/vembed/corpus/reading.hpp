#pragma once
/// @file
/// What reading a whole corpus finds, before anything is sent.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <vembed/corpus/source.hpp>

namespace vembed {

/// How one file of a corpus is read, and what it begins with.
class corpus_input {
public:
    static constexpr std::uint32_t rows_looked_at_max = 1000;
    std::string file;
    corpus_format format = corpus_format::lines;  ///< Never automatic.
    std::uint32_t reading_rules = 0;              ///< The version of the rules by which the file becomes rows.
    bool older_rules = false;                     ///< A run that was begun by an earlier version keeps its rules.
    bool empty = true;                            ///< The file has no rows.
    std::optional<std::string> first_text;  ///< The first text that can be embedded, if one of the first rows can.
    bool not_utf8 = false;                  ///< A text before that is not UTF-8.

    corpus_input() = default;
};

/// A row that cannot be embedded.
class defective_row {
public:
    std::uint64_t row = 0;
    std::string origin;  ///< "corpus.jsonl:17".
    std::string id;      ///< Empty if it is not known.
    std::string defect;

    defective_row() = default;
};

/// The result of reading a corpus once.
class corpus_survey {
public:
    std::uint64_t rows = 0;
    std::uint64_t text_bytes = 0;    ///< Of the rows that can be embedded.
    std::uint64_t longest_text = 0;  ///< In bytes.
    std::uint64_t blank = 0;         ///< Blank lines that keep their row number.
    std::uint64_t defective = 0;
    std::vector<defective_row> defects;  ///< The first of them.

    corpus_survey() = default;
};

/// How far the reading of a corpus is.
class corpus_progress {
public:
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;        ///< Read of the files as they are stored.
    std::uint64_t bytes_total = 0;  ///< Of the files; 0 if it is not known.

    corpus_progress() = default;
};

/// What a function that reads a corpus before it sends anything tells meanwhile. Each may be empty. They are called one
/// at a time, in the order of the members, on the thread that reads sources; an exception ends the call with
/// callback_failed.
class reading_callbacks {
public:
    std::function<void(const corpus_input&)> on_input;        ///< For each file, before the corpus is read.
    std::function<void(const corpus_progress&)> on_progress;  ///< Every few thousand rows.
    std::function<void(const corpus_survey&)> on_survey;      ///< Once, at the end.

    reading_callbacks() = default;
};

}  // namespace vembed
