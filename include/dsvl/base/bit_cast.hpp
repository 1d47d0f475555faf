// bit_cast: the bytes of a value as another type.
//
// It is std::bit_cast, which libc++ has from 14 on: emscripten of Debian 12 brings an older one. Every compiler that
// dsvl knows has the builtin behind it.
#ifndef DSVL_BASE_BIT_CAST_HPP
#define DSVL_BASE_BIT_CAST_HPP

#include <type_traits>

#include "config.hpp"

DSVL_BEGIN_NAMESPACE

/// The bytes of `from` as a To of the same size, as std::bit_cast does it. Written with its namespace where an argument
/// is another library's, whose own function of that name would be found as well.
template <class To, class From>
DSVL_FORCE_INLINE constexpr To bit_cast(const From& from) noexcept {
  static_assert(sizeof(To) == sizeof(From), "both have the same size");
  static_assert(std::is_trivially_copyable_v<To> && std::is_trivially_copyable_v<From>, "both are bytes");
  return __builtin_bit_cast(To, from);
}

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_BIT_CAST_HPP
