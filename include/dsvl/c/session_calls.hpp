// Definitions of c.h: sessions, questions and answers.
#ifndef DSVL_C_SESSION_CALLS_HPP
#define DSVL_C_SESSION_CALLS_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "../chat/gate.hpp"
#include "options.hpp"

DSVL_BEGIN_NAMESPACE

namespace c_interface {

/// Opens the session that `open(model, options)` gives into a handle.
template <class Open>
dsvl_code open_session(const dsvl_model* model, const dsvl_session_options* options, dsvl_session** made,
                       dsvl_error* error, Open open) noexcept {
  return make_handle(made, error, [&]() -> Result<std::unique_ptr<SessionHandle>> {
    if (!model) return no_handle("dsvl_model");
    DSVL_TRY(from, read_struct(options, "dsvl_session_options"));
    DSVL_TRY(host, HostAdapter::make(from.host));
    DSVL_TRY(how, read_session_options(from, host.get()));
    Result<Session> session = open(behind(model)->model, how);
    if (!session) return session.error();
    return new_handle<SessionHandle>(behind(model)->host, host, behind(model)->model, std::move(*session));
  });
}

/// Asks by `ask(session, question)` into a handle. An answer that ended with an error before it said anything is that
/// error.
template <class Ask>
dsvl_code ask_session(dsvl_session* session, const dsvl_question* question, dsvl_answer** made, dsvl_error* error,
                      Ask ask) noexcept {
  return make_handle(made, error, [&]() -> Result<std::unique_ptr<AnswerHandle>> {
    if (!session) return no_handle("dsvl_session");
    SessionHandle& with = *behind(session);
    DSVL_TRY(handle, new_handle<AnswerHandle>(with.model_host, with.host));
    Question asked;
    DSVL_CHECK_STATUS(asked.read(question, handle->watched));
    handle->answer.emplace(ask(with.session, asked));
    DSVL_CHECK_STATUS(handle->answer->status());
    return std::move(handle);
  });
}

/// Scores texts by `score(session, question, texts)`, and writes a number for each of them.
template <class Score>
dsvl_code score_texts(dsvl_session* session, const dsvl_question* question, const dsvl_text* texts, std::size_t count,
                      double* numbers, dsvl_error* error, Score score) noexcept {
  return guarded(error, [&]() -> Status {
    if (!session) return no_handle("dsvl_session");
    if (!numbers) return fail(Code::bad_argument, "the place for the numbers is NULL");
    Watched watched;
    Question asked;
    DSVL_CHECK_STATUS(asked.read(question, watched));
    DSVL_TRY(list, read_texts(texts, count, "texts"));
    DSVL_TRY(scores, score(behind(session)->session, asked, list));
    std::copy(scores.begin(), scores.end(), numbers);
    return {};
  });
}

/// Works on an answer by `work(answer)`, and hands out the token that it gives.
template <class Work>
dsvl_code take_piece(dsvl_answer* answer, dsvl_piece* piece, dsvl_error* error, Work work) noexcept {
  return guarded(error, [&]() -> Status {
    if (!answer) return no_handle("dsvl_answer");
    // Looked at first: a token whose place is missing would be lost.
    DSVL_CHECK_STATUS(write_struct(dsvl_piece{}, piece, "dsvl_piece"));
    const std::optional<Piece> made = work(*behind(answer)->answer);
    if (!made) return behind(answer)->answer->status();
    dsvl_piece to = {};
    to.text = {made->text.data(), made->text.size()};
    to.log_probability = made->log_probability;
    to.id = made->id;
    to.present = 1;
    return write_struct(to, piece, "dsvl_piece");
  });
}

/// Why an answer ended, by the number of c.h: those are frozen, and the library's may move.
constexpr std::int32_t finish_to_c(Finish finish) noexcept {
  switch (finish) {
    case Finish::none: return DSVL_FINISH_NONE;
    case Finish::eos: return DSVL_FINISH_EOS;
    case Finish::stop: return DSVL_FINISH_STOP;
    case Finish::length: return DSVL_FINISH_LENGTH;
    case Finish::cancelled: return DSVL_FINISH_CANCELLED;
    case Finish::deadline: return DSVL_FINISH_DEADLINE;
    case Finish::context_full: return DSVL_FINISH_CONTEXT_FULL;
    case Finish::error: break;
  }
  return DSVL_FINISH_ERROR;
}

/// The state of an answer as c.h has it. Its message lies in the handle.
inline dsvl_answer_info info_to_c(AnswerHandle& from) noexcept {
  const Answer& answer = *from.answer;
  const Usage usage = answer.usage();
  from.status = answer.status();
  const std::string_view message = from.status.text(), text = answer.text();
  dsvl_answer_info to = {};
  to.finish = finish_to_c(answer.finish());
  to.whole = answer.is_whole() ? 1 : 0;
  to.code = static_cast<dsvl_code>(from.status.code());
  to.message = {message.data(), message.size()};
  to.text = {text.data(), text.size()};
  to.ids = answer.ids().data();
  to.id_count = answer.ids().size();
  to.prompt_tokens = usage.prompt_tokens;
  to.reused_tokens = usage.reused_tokens;
  to.answer_tokens = usage.answer_tokens;
  to.passes = usage.passes;
  to.drafted = usage.drafted;
  to.accepted = usage.accepted;
  to.decode_image = usage.decode_image;
  to.preprocess = usage.preprocess;
  to.encode = usage.encode;
  to.prefill = usage.prefill;
  to.decode = usage.decode;
  to.pictures = std::ssize(answer.pictures());
  to.map_tokens = answer.attention().tokens();
  to.map_pictures = answer.attention().pictures();
  to.map_cells = answer.attention().cells();
  return to;
}

/// A rectangle as c.h has it.
inline dsvl_rect rect_to_c(const Rect& from) noexcept { return {from.x, from.y, from.width, from.height}; }
/// What a tower saw, as c.h has it.
inline dsvl_seen_view view_to_c(const SeenPicture::View& from) noexcept {
  return {from.side, rect_to_c(from.content), from.scale};
}
/// What became of a picture, as c.h has it.
inline dsvl_seen seen_to_c(const SeenPicture& from) noexcept {
  dsvl_seen to = {};
  to.width = from.width;
  to.height = from.height;
  to.region = rect_to_c(from.region);
  to.low = view_to_c(from.low);
  to.high = view_to_c(from.high);
  to.tokens = from.tokens;
  to.grid_width = from.grid.width;
  to.grid_height = from.grid.height;
  to.orientation = from.orientation;
  to.turned = from.turned ? 1 : 0;
  to.low_from_high = from.low_from_high ? 1 : 0;
  to.recognised = from.recognised ? 1 : 0;
  to.done = from.done ? 1 : 0;
  return to;
}

}  // namespace c_interface

DSVL_END_NAMESPACE

extern "C" {

DSVL_C_API dsvl_code dsvl_session_open(const dsvl_model* model, const dsvl_session_options* options,
                                       dsvl_session** made, dsvl_error* error) {
  return dsvl::c_interface::open_session(
      model, options, made, error,
      [](const dsvl::Model& of, const dsvl::SessionOptions& how) { return dsvl::Session::open(of, how); });
}
DSVL_C_API dsvl_code dsvl_session_load(const dsvl_model* model, const char* path, const dsvl_session_options* options,
                                       dsvl_session** made, dsvl_error* error) {
  return dsvl::c_interface::open_session(
      model, options, made, error,
      [&](const dsvl::Model& of, const dsvl::SessionOptions& how) -> dsvl::Result<dsvl::Session> {
        if (!path) return dsvl::fail(dsvl::Code::bad_argument, "the path of the saved session is NULL");
        return dsvl::Session::load(of, dsvl::utf8_to_path(path), how);
      });
}
DSVL_C_API dsvl_code dsvl_session_save(const dsvl_session* session, const char* path, int32_t sync,
                                       dsvl_error* error) {
  using namespace dsvl::c_interface;
  return guarded(error, [&]() -> dsvl::Status {
    if (!session) return no_handle("dsvl_session");
    if (!path) return dsvl::fail(dsvl::Code::bad_argument, "the path to save to is NULL");
    return behind(session)->session.save(dsvl::utf8_to_path(path), {.sync = sync != 0});
  });
}
DSVL_C_API dsvl_code dsvl_session_fork(dsvl_session* session, int64_t context, dsvl_session** made,
                                       dsvl_error* error) {
  using namespace dsvl::c_interface;
  return make_handle(made, error, [&]() -> dsvl::Result<std::unique_ptr<SessionHandle>> {
    if (!session) return no_handle("dsvl_session");
    SessionHandle& from = *behind(session);
    DSVL_TRY(fork, from.session.fork(to_index(context)));
    return new_handle<SessionHandle>(from.model_host, from.host, from.model, std::move(fork));
  });
}
DSVL_C_API dsvl_code dsvl_session_rewind(dsvl_session* session, uint64_t turns, dsvl_error* error) {
  using namespace dsvl::c_interface;
  return guarded(error, [&]() -> dsvl::Status {
    if (!session) return no_handle("dsvl_session");
    constexpr std::uint64_t kMost = (std::numeric_limits<std::size_t>::max)();
    return behind(session)->session.rewind(static_cast<std::size_t>((std::min)(turns, kMost)));
  });
}
DSVL_C_API dsvl_code dsvl_session_get_info(const dsvl_session* session, dsvl_session_info* info, dsvl_error* error) {
  using namespace dsvl::c_interface;
  return guarded(error, [&]() -> dsvl::Status {
    if (!session) return no_handle("dsvl_session");
    const dsvl::Session& from = behind(session)->session;
    dsvl_session_info to = {};
    to.turns = from.turns();
    to.context = from.context();
    to.bytes = from.bytes();
    return write_struct(to, info, "dsvl_session_info");
  });
}
DSVL_C_API void dsvl_session_close(dsvl_session* session) { delete dsvl::c_interface::behind(session); }

DSVL_C_API dsvl_code dsvl_session_ask(dsvl_session* session, const dsvl_question* question, dsvl_answer** made,
                                      dsvl_error* error) {
  return dsvl::c_interface::ask_session(session, question, made, error, [](dsvl::Session& with, auto& asked) {
    return with.ask(asked.pictures, asked.text, asked.options);
  });
}
DSVL_C_API dsvl_code dsvl_session_start(dsvl_session* session, const dsvl_question* question, dsvl_answer** made,
                                        dsvl_error* error) {
  return dsvl::c_interface::ask_session(session, question, made, error, [](dsvl::Session& with, auto& asked) {
    return with.start(asked.pictures, asked.text, asked.options);
  });
}
DSVL_C_API dsvl_code dsvl_session_complete(dsvl_session* session, const dsvl_question* question, dsvl_answer** made,
                                           dsvl_error* error) {
  return dsvl::c_interface::ask_session(session, question, made, error, [](dsvl::Session& with, auto& asked) {
    return with.complete(asked.pictures, asked.text, asked.options);
  });
}
DSVL_C_API dsvl_code dsvl_session_score(dsvl_session* session, const dsvl_question* question, const dsvl_text* texts,
                                        size_t count, double* log_likelihoods, dsvl_error* error) {
  using Numbers = dsvl::Result<std::vector<double>>;
  const auto score = [](dsvl::Session& with, auto& asked, auto& list) -> Numbers {
    DSVL_TRY(scores, with.score(asked.pictures, asked.text, list, asked.options));
    std::vector<double> numbers;
    for (const dsvl::Score& one : scores) numbers.push_back(one.log_likelihood);
    return numbers;
  };
  return dsvl::c_interface::score_texts(session, question, texts, count, log_likelihoods, error, score);
}
DSVL_C_API dsvl_code dsvl_session_classify(dsvl_session* session, const dsvl_question* question,
                                           const dsvl_text* choices, size_t count, double* probabilities,
                                           dsvl_error* error) {
  const auto classify = [](dsvl::Session& with, auto& asked, auto& list) {
    return with.classify(asked.pictures, asked.text, list, asked.options);
  };
  return dsvl::c_interface::score_texts(session, question, choices, count, probabilities, error, classify);
}
DSVL_C_API dsvl_code dsvl_session_yes_no(dsvl_session* session, const dsvl_question* question, dsvl_yes_no* made,
                                         dsvl_error* error) {
  using namespace dsvl::c_interface;
  return guarded(error, [&]() -> dsvl::Status {
    if (!session) return no_handle("dsvl_session");
    // Looked at first: the answer before should not end, and nothing be computed, for a place that is missing.
    DSVL_CHECK_STATUS(write_struct(dsvl_yes_no{}, made, "dsvl_yes_no"));
    Watched watched;
    Question asked;
    DSVL_CHECK_STATUS(asked.read(question, watched));
    DSVL_TRY(gate, dsvl::Gate::open(behind(session)->model));
    DSVL_TRY(found, gate.yes_no(behind(session)->session, asked.pictures, asked.text, asked.options));
    dsvl_yes_no to = {};
    to.probability = found.probability;
    to.mass = found.mass;
    return write_struct(to, made, "dsvl_yes_no");
  });
}

DSVL_C_API dsvl_code dsvl_answer_next(dsvl_answer* answer, dsvl_piece* piece, dsvl_error* error) {
  return dsvl::c_interface::take_piece(answer, piece, error, [](dsvl::Answer& from) { return from.next(); });
}
DSVL_C_API dsvl_code dsvl_answer_step(dsvl_answer* answer, int64_t nanoseconds, dsvl_piece* piece, dsvl_error* error) {
  using namespace dsvl::c_interface;
  if (nanoseconds < 0)
    return guarded(error, [&] {
      return dsvl::fail(dsvl::Code::bad_argument, "a step of %lld ns", static_cast<long long>(nanoseconds));
    });
  return take_piece(answer, piece, error,
                    [&](dsvl::Answer& from) { return from.step(std::chrono::nanoseconds(nanoseconds)); });
}
DSVL_C_API dsvl_code dsvl_answer_get_info(dsvl_answer* answer, dsvl_answer_info* info, dsvl_error* error) {
  using namespace dsvl::c_interface;
  return guarded(error, [&]() -> dsvl::Status {
    if (!answer) return no_handle("dsvl_answer");
    return write_struct(info_to_c(*behind(answer)), info, "dsvl_answer_info");
  });
}
DSVL_C_API dsvl_code dsvl_answer_get_picture(dsvl_answer* answer, int64_t picture, dsvl_seen* seen, dsvl_error* error) {
  using namespace dsvl::c_interface;
  return guarded(error, [&]() -> dsvl::Status {
    if (!answer) return no_handle("dsvl_answer");
    const auto pictures = behind(answer)->answer->pictures();
    if (picture < 0 || picture >= std::ssize(pictures))
      return dsvl::fail(dsvl::Code::bad_argument, "picture %lld of an answer that has looked at %zu",
                        static_cast<long long>(picture), pictures.size());
    return write_struct(seen_to_c(pictures[static_cast<std::size_t>(picture)]), seen, "dsvl_seen");
  });
}
DSVL_C_API dsvl_code dsvl_answer_get_attention(dsvl_answer* answer, int64_t first, int64_t count, int64_t picture,
                                               float* shares, size_t cells, dsvl_error* error) {
  using namespace dsvl::c_interface;
  return guarded(error, [&]() -> dsvl::Status {
    if (!answer) return no_handle("dsvl_answer");
    if (!shares) return dsvl::fail(dsvl::Code::bad_argument, "the place for the shares is NULL");
    return behind(answer)->answer->attention().mean(to_index(first), to_index(count), to_index(picture),
                                                    {shares, cells});
  });
}
DSVL_C_API void dsvl_answer_close(dsvl_answer* answer) { delete dsvl::c_interface::behind(answer); }

}  // extern "C"

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_C_SESSION_CALLS_HPP
