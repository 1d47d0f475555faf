// FunctionRef: it calls a lambda of the caller without owning it and without allocating.
//
// std::function may allocate and throw; this is two pointers. Source: std::function_ref of C++26 (P0792).
#ifndef DSVL_BASE_FUNCTION_REF_HPP
#define DSVL_BASE_FUNCTION_REF_HPP

#include <memory>
#include <type_traits>
#include <utility>

#include "config.hpp"

DSVL_BEGIN_NAMESPACE

/// Only the form with a function type is defined.
template <class Signature>
class FunctionRef;

/// A callable by reference. It is valid only while the callable lives, so take it as a parameter and do not keep it.
template <class R, class... A>
class FunctionRef<R(A...)> {
 public:
  /// Refers to any callable with this signature.
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef> && std::is_invocable_r_v<R, F&, A...>)
  FunctionRef(F&& f) noexcept  // NOLINT: implicit by design
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(f)))),
        call_([](void* object, A... a) -> R {
          auto& callable = *static_cast<std::remove_reference_t<F>*>(object);
          if constexpr (std::is_void_v<R>) static_cast<void>(callable(std::forward<A>(a)...));
          else return callable(std::forward<A>(a)...);
        }) {}

  /// Calls it.
  R operator()(A... a) const { return call_(object_, std::forward<A>(a)...); }

 private:
  void* object_;
  R (*call_)(void*, A...);
};

DSVL_END_NAMESPACE

#endif  // DSVL_BASE_FUNCTION_REF_HPP
