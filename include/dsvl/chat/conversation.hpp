// Conversation: the turns so far, as text, ids and pictures, in memory of fixed size.
#ifndef DSVL_CHAT_CONVERSATION_HPP
#define DSVL_CHAT_CONVERSATION_HPP

#include <vector>

#include "../run/arena.hpp"
#include "../text/chat_template.hpp"
#include "gallery.hpp"

DSVL_BEGIN_NAMESPACE

class Conversation {
 public:
  /// A place to come back to.
  struct Mark {
    std::size_t turns = 0, segments = 0, text = 0, ids = 0;
  };
  struct Turn {
    Role role;
    std::size_t first, count;  ///< segments
  };

  void carve(Arena& arena, Index text_bytes, Index context) noexcept {
    // A turn takes two tokens at least; a segment more than one of its own is a picture or text beside one.
    turns_ = arena.buffer<Turn>("turns", context / 2 + 2);
    messages_ = arena.buffer<Message>("messages", context / 2 + 2);
    segments_ = arena.buffer<Segment>("segments", context + 2);
    text_ = arena.buffer<char>("conversation text", text_bytes);
    ids_ = arena.buffer<std::int32_t>("conversation ids", context);
  }

  [[nodiscard]] Mark mark() const noexcept { return {turns_.size(), segments_.size(), text_.size(), ids_.size()}; }
  void rewind(const Mark& to) noexcept {
    (void)turns_.resize(to.turns);  // all smaller: cannot fail
    (void)segments_.resize(to.segments);
    (void)text_.resize(to.text);
    (void)ids_.resize(to.ids);
  }
  /// Back to the first `turns` turns.
  void keep_turns(std::size_t turns) noexcept {
    if (turns >= turns_.size()) return;
    Mark to{turns, turns_[turns].first, 0, 0};
    for (std::size_t i = 0; i < to.segments; ++i) to.text += segments_[i].text.size(), to.ids += segments_[i].ids.size();
    rewind(to);
  }

  /// A user's turn: the pictures first, or where the text has placeholders on purpose. On an error nothing has changed.
  /// Codes: limit.
  Status add_question(std::size_t pictures, std::string_view question, bool placeholders) noexcept {
    const Mark before = mark();
    const std::string_view text = keep(question);
    bool fits = text.size() == question.size() && turns_.push_back({Role::user, before.segments, 0});
    if (placeholders) {
      fits = fits && split_placeholders(text, segments_);
    } else {
      for (std::size_t i = 0; i < pictures; ++i) fits = fits && segments_.push_back(Segment::image());
      fits = fits && segments_.push_back(Segment::plain(text));
    }
    return close(fits, before, question.size());
  }
  /// The model's turn, as its text or as its ids.
  Status add_answer(std::string_view answer) noexcept {
    const Mark before = mark();
    const std::string_view text = keep(answer);
    const bool fits = text.size() == answer.size() && turns_.push_back({Role::assistant, before.segments, 0}) &&
                      segments_.push_back(Segment::plain(text));
    return close(fits, before, answer.size());
  }
  /// `skipped` ids are left out: what would be a picture's place in the next prompt.
  Status add_answer(std::span<const std::int32_t> ids, std::optional<std::int32_t> skipped) noexcept {
    const Mark before = mark();
    bool fits = true;
    for (const std::int32_t id : ids)
      if (id != skipped) fits = fits && ids_.push_back(id);
    fits = fits && turns_.push_back({Role::assistant, before.segments, 0}) &&
           segments_.push_back(Segment::tokens(ids_.span().subspan(before.ids)));
    return close(fits, before, 4 * ids.size());
  }

  /// A turn of another conversation. Codes: limit.
  Status add_turn(const Conversation& other, std::size_t turn) noexcept {
    const Mark before = mark();
    bool fits = turns_.push_back({other.turns_[turn].role, before.segments, 0});
    std::size_t bytes = 0;
    for (Segment s : other.content(turn)) {
      bytes += s.text.size();
      const std::size_t id = ids_.size(), length = s.text.size();
      s.text = keep(s.text);
      fits = fits && s.text.size() == length && ids_.append(s.ids.data(), s.ids.size());
      s.ids = ids_.span().subspan(fits ? id : 0, fits ? s.ids.size() : 0);
      fits = fits && segments_.push_back(s);
    }
    return close(fits, before, bytes);
  }
  /// Whether an answer of that length, and a token more, would fit.
  [[nodiscard]] bool has_room(std::size_t bytes) const noexcept {
    static constexpr std::size_t kToken = 256;
    return text_.capacity() - text_.size() >= bytes + kToken;
  }

  [[nodiscard]] std::size_t turns() const noexcept { return turns_.size(); }
  [[nodiscard]] const Turn& turn(std::size_t i) const noexcept { return turns_[i]; }
  [[nodiscard]] std::span<const Segment> content(std::size_t turn) const noexcept {
    return segments_.span().subspan(turns_[turn].first, turns_[turn].count);
  }
  /// Places for pictures in the first `turns` turns.
  [[nodiscard]] std::size_t pictures(std::size_t turns) const noexcept {
    std::size_t n = 0;
    for (std::size_t t = 0; t < turns; ++t)
      for (const Segment& s : content(t)) n += s.kind == Segment::Kind::image;
    return n;
  }

  /// For the template; good until the conversation changes.
  [[nodiscard]] std::span<const Message> messages() noexcept {
    messages_.clear();
    for (std::size_t t = 0; t < turns_.size(); ++t) {
      const std::span<const Segment> parts = content(t);
      const bool user = turns_[t].role == Role::user;
      (void)messages_.push_back(user                                   ? Message::user(parts)
                                : parts[0].kind == Segment::Kind::text ? Message::assistant(parts[0].text)
                                                                       : Message::assistant(parts[0].ids));
    }
    return messages_.span();
  }

 private:
  std::string_view keep(std::string_view text) noexcept {
    const std::size_t at = text_.size();
    if (text.size() > text_.capacity() - at || !text_.append(text.data(), text.size())) return {};
    return {text_.data() + at, text.size()};
  }
  Status close(bool fits, const Mark& before, std::size_t bytes) noexcept {
    if (fits) {
      turns_[turns_.size() - 1].count = segments_.size() - before.segments;
      return {};
    }
    rewind(before);
    return fail(Code::limit,
                "a turn of %zu bytes does not fit behind the %zu of the conversation: the session's limits allow %zu",
                bytes, before.text, text_.capacity());
  }

  Buffer<Turn> turns_;
  Buffer<Message> messages_;
  Buffer<Segment> segments_;
  Buffer<char> text_;
  Buffer<std::int32_t> ids_;
};

DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_CONVERSATION_HPP
