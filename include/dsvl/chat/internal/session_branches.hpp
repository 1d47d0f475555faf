// Definitions of session_state.hpp: going back, forks, snapshots.
//
// A fork and a saved session take the same way: a snapshot of what is settled, and a new session that is put into its
// state.
#ifndef DSVL_CHAT_INTERNAL_SESSION_BRANCHES_HPP
#define DSVL_CHAT_INTERNAL_SESSION_BRANCHES_HPP

#include "../../base/host_macros_push.hpp"

#include "../../base/float_environment.hpp"
#include "session_state.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

DSVL_INLINE Status SessionState::rewind_answer(std::size_t tokens, const SamplerOptions& sampling) {
  const FloatEnvironment ours;
  DSVL_CHECK_STATUS(parts_.generation.rewind(tokens, sampling, fork_, answer_.usage));
  answer_.trouble = {};  // it was met behind these tokens
  return {};
}

/// Only the list of turns is cut. The cache keeps everything, so that going on from there finds it as a prefix.
DSVL_INLINE Status SessionState::rewind_turns(std::size_t turns) {
  if (turns > this->turns())
    return fail(Code::bad_argument, "a conversation of %zu turns can not go back to turn %zu", this->turns(), turns);
  leave_answer();
  parts_.conversation.keep_turns(2 * turns);  // a question and an answer each
  return {};
}

DSVL_INLINE void SessionState::clear() {
  leave_answer();
  parts_.conversation.rewind({});
}

/// The child shares the pages of the pool and the image cache. Its number selects a stream of random numbers of its
/// own.
DSVL_INLINE Result<std::shared_ptr<SessionState>> SessionState::fork(Index context) {
  if (context < 0) return fail(Code::bad_argument, "a fork of %td tokens of context: must be 0 or more", context);
  SessionOptions options = options_;
  if (context > 0) options.limits.context = context;
  DSVL_TRY(state, snapshot());
  const Index shared = std::ssize(state.keys);
  if (options.limits.context < shared || options.limits.context > model_->info.max_context)
    return fail(Code::limit, "a fork of %td tokens of context: %td are shared, the model's positions end at %td",
                options.limits.context, shared, model_->info.max_context);
  auto child = std::make_shared<SessionState>(model_, options, SharedParts{parts_.cache.pool(), images_, group_});
  // Full pages are shared, so it reserves fewer. In a group it does not: when both go back and write pages of their
  // own, they would take those of others.
  DSVL_CHECK_STATUS(child->open(group_ ? 0 : shared / kKvBlock));
  DSVL_CHECK_STATUS(child->restore(state));
  child->parts_.generation.inherit(ids());
  child->fork_ = mix_bits(fork_ + kGolden * ++forks_);
  return child;
}

/// Views are enough, because this session does nothing until they have been used.
DSVL_INLINE Result<Snapshot> SessionState::snapshot() const {
  const Conversation& conversation = parts_.conversation;
  const std::size_t turns = 2 * this->turns();  // the question of an answer in work is left out
  Snapshot out(options_.host.allocator);
  bool fits = true;
  for (std::size_t t = 0; fits && t < turns; ++t) {
    const std::span<const Segment> content = conversation.content(t);
    fits = out.turns.push_back({conversation.turn(t).role, out.segments.size(), content.size()}) &&
           out.segments.append(content.data(), content.size());
  }
  for (ImageEmbedding* p : conversation.pictures().first(conversation.picture_places(turns)))
    fits = fits && out.pictures.push_back({p->hash, images_->bytes_of(*p), p});
  if (!fits) return fail(Code::out_of_memory, "no memory for a list of the conversation's turns");
  out.keys = parts_.cache.entries().first(static_cast<std::size_t>(parts_.generation.settled()));
  out.cache = &parts_.cache;
  return Result<Snapshot>(std::move(out));
}

DSVL_INLINE Status SessionState::restore(const Snapshot& from) {
  DSVL_CHECK_STATUS(restore_pictures(from));
  for (const Snapshot::SavedTurn& turn : from.turns)
    DSVL_CHECK_STATUS(parts_.conversation.add_turn(turn.role, from.content(turn)));
  return restore_cache(from);
}

/// Adds a user to the embeddings of a session; those of a file are looked up by their hash, or copied into the image
/// cache.
///
/// Codes  limit
DSVL_INLINE Status SessionState::restore_pictures(const Snapshot& from) {
  const auto too_many = [&] {
    return fail(Code::limit, "%zu pictures are more than the session's limits allow", from.pictures.size());
  };
  for (const Snapshot::SavedPicture& p : from.pictures) {
    if (!images_) return too_many();
    ImageEmbedding* place = p.embedding;
    if (place) images_->retain(place);
    else place = images_->find(p.hash);
    if (!place) {
      place = images_->take();
      if (!place) return too_many();
      images_->put(place, p.hash, p.rows);
    }
    if (!parts_.conversation.add_picture(place)) {
      images_->release(place);
      return too_many();
    }
  }
  return {};
}

/// Shares the pages of a session, or copies those of a file.
///
/// Codes  limit, out_of_memory
DSVL_INLINE Status SessionState::restore_cache(const Snapshot& from) {
  PrefixCache& cache = parts_.cache;
  const Index tokens = std::ssize(from.keys);
  if (tokens > cache.context())
    return fail(Code::limit, "%td tokens are more than the session's context of %td holds", tokens, cache.context());
  if (from.cache) return cache.share(*from.cache, tokens);
  DSVL_CHECK_STATUS(cache.prepare(tokens));
  for (Index p = 0; p * kKvBlock < tokens; ++p) {
    const std::span<std::byte> page = cache.page_bytes(p);
    std::memcpy(page.data(), from.pages.data() + static_cast<std::size_t>(p) * page.size(), page.size());
  }
  cache.append(from.keys);
  return {};
}

}  // namespace detail

DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_SESSION_BRANCHES_HPP
