// Sorting for lists that are sorted once: names of tensors, parts of a checkpoint, added tokens.
//
// std::sort makes three kilobytes of code for each comparison that it is given. These lists have hundreds of entries;
// heap sort orders them with a third of that code, in n log n steps for any input, and a list that is sorted already
// costs one pass.
#ifndef DSVL_BASE_HEAP_SORT_HPP
#define DSVL_BASE_HEAP_SORT_HPP

#include <algorithm>
#include <functional>

#include "config.hpp"

DSVL_BEGIN_NAMESPACE

/// Puts `list` in the order of `less`, in place. Equal elements come in any order.
template <class List, class Less = std::less<>>
void heap_sort(List&& list, Less less = {}) noexcept {
  if (std::is_sorted(list.begin(), list.end(), less)) return;
  std::make_heap(list.begin(), list.end(), less);
  std::sort_heap(list.begin(), list.end(), less);
}

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_HEAP_SORT_HPP
