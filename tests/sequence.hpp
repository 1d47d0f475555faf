// The places of one sequence's rows, for tests of what reads them from a table.
#ifndef DSVL_TESTS_SEQUENCE_HPP
#define DSVL_TESTS_SEQUENCE_HPP

#include <dsvl/nn/attention.hpp>
#include <vector>

namespace test {

/// Rows at the positions start, start + 1, …; without pages only the positions are good for something.
struct Sequence {
  std::vector<dsvl::SequenceRow> table;
  dsvl::SequenceRows rows;

  Sequence(dsvl::Index start, dsvl::Index count, std::byte* const* pages = nullptr)
      : table(static_cast<std::size_t>(count)) {
    for (dsvl::Index i = 0; i < count; ++i) table[static_cast<std::size_t>(i)] = {pages, start + i};
    rows = {table.data(), start + count};
  }
  Sequence(const Sequence&) = delete;
};

}  // namespace test

#endif  // DSVL_TESTS_SEQUENCE_HPP
