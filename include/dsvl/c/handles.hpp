// What stands behind the opaque handles of c.h. The structs that it names are never defined: a handle is a pointer to
// one of these, in a namespace that nothing outside the library sees.
#ifndef DSVL_C_HANDLES_HPP
#define DSVL_C_HANDLES_HPP

#include "../base/host_macros_push.hpp"

#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "../chat/model.hpp"
#include "../chat/session.hpp"
#include "../constraint/constraint.hpp"
#include "host_adapter.hpp"

DSVL_BEGIN_NAMESPACE

namespace c_interface {

/// A dsvl_cancel. Work that watches the flag shares it.
struct CancelHandle {
  std::shared_ptr<CancelToken> token;  ///< never null
};
/// A dsvl_constraint.
struct ConstraintHandle {
  Constraint constraint;  ///< answers have copies of this handle
};

// Members are destroyed from the last to the first: hosts go when nothing uses them any more.

/// A dsvl_model.
struct ModelHandle {
  std::shared_ptr<HostAdapter> host;  ///< what it was loaded with; may be null
  Model model;                        ///< the model
};
/// A dsvl_session.
struct SessionHandle {
  std::shared_ptr<HostAdapter> model_host;  ///< of its model; may be null
  std::shared_ptr<HostAdapter> host;        ///< its own; may be null
  Model model;                              ///< its model
  Session session;                          ///< the session
};

/// What a question points to as long as its answer is worked on.
struct Watched {
  std::shared_ptr<CancelToken> cancel;   ///< null: cannot be cancelled
  std::optional<Constraint> constraint;  ///< empty: the answer is free
  dsvl_progress progress = nullptr;      ///< null: nobody wants to know
  void* progress_user = nullptr;         ///< handed to `progress`

  /// The receiver of dsvl's reports, which refers to this.
  [[nodiscard]] Progress receiver() noexcept {
    if (!progress) return {};
    return {[](void* self, Stage stage, double done, double total) {
              const auto* const watched = static_cast<const Watched*>(self);
              watched->progress(watched->progress_user, static_cast<std::int32_t>(stage), done, total);
            },
            this};
  }
};
/// A dsvl_answer. It does not move: its answer points to `watched`.
struct AnswerHandle {
  std::shared_ptr<HostAdapter> model_host;  ///< of its session's model; may be null
  std::shared_ptr<HostAdapter> host;        ///< of its session; may be null
  Watched watched = {};                     ///< what the answer points to
  Status status = {};                       ///< holds the text that dsvl_answer_info points to
  std::optional<Answer> answer = {};        ///< empty until it was asked for
};

/// The types behind those of c.h.
template <class T>
struct Behind;
template <> struct Behind<dsvl_cancel> { using Type = CancelHandle; };
template <> struct Behind<dsvl_constraint> { using Type = ConstraintHandle; };
template <> struct Behind<dsvl_model> { using Type = ModelHandle; };
template <> struct Behind<dsvl_session> { using Type = SessionHandle; };
template <> struct Behind<dsvl_answer> { using Type = AnswerHandle; };

/// What a handle stands for; null for null.
template <class T>
typename Behind<T>::Type* behind(T* handle) noexcept {
  return reinterpret_cast<typename Behind<T>::Type*>(handle);
}
/// The same, read only.
template <class T>
const typename Behind<T>::Type* behind(const T* handle) noexcept {
  return reinterpret_cast<const typename Behind<T>::Type*>(handle);
}

/// A handle of these members, with what `made` gives.
///
/// Codes  out_of_memory
template <class Handle, class... Members>
Result<std::unique_ptr<Handle>> new_handle(Members&&... members) noexcept {
  std::unique_ptr<Handle> handle(new (std::nothrow) Handle{std::forward<Members>(members)...});
  if (!handle) return fail(Code::out_of_memory, "no memory for a handle");
  return handle;
}

}  // namespace c_interface

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_C_HANDLES_HPP
