// Conversation: the turns so far, as text, ids and pictures, in memory of fixed size.
//
// PromptBuilder renders all of it anew for each question; the prefix cache makes that cheap. Segments point into the
// text and the ids that are kept here, which therefore never move.
#ifndef DSVL_CHAT_INTERNAL_CONVERSATION_HPP
#define DSVL_CHAT_INTERNAL_CONVERSATION_HPP

#include "../../base/host_macros_push.hpp"

#include <vector>

#include "../../run/arena.hpp"
#include "../../text/chat_template.hpp"
#include "../../engine/image_cache.hpp"

DSVL_BEGIN_NAMESPACE

/// Turns in order, each a run of segments. Texts and ids are copied in; embeddings stay the image cache's, with the
/// conversation as a user.
class Conversation {
 public:
  /// An empty conversation. `images` keeps the embeddings of the pictures and must outlive this object; null means that
  /// there are none.
  explicit Conversation(ImageCache* images = nullptr) noexcept : images_(images) {}
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;
  /// Releases the pictures.
  ~Conversation() { keep_pictures(0); }

  /// A place to come back to: how much of each list there was.
  struct Mark {
    std::size_t turns = 0,  ///< number of turns
        segments = 0,       ///< number of segments
        text = 0,           ///< bytes of text
        ids = 0;            ///< number of ids
  };
  /// One turn: its segments, and how much text and ids there were before it, so that the conversation can go back.
  struct Turn {
    Role role;          ///< the speaker
    std::size_t first,  ///< number of its first segment
        count;          ///< segments that it has
    std::size_t text,   ///< bytes of text in front of it
        ids;            ///< ids in front of it
  };

  /// Declares room for `text_bytes` bytes of text, and for as many turns, ids and pictures as `context` tokens can
  /// hold.
  void carve(Arena& arena, Index text_bytes, Index context) noexcept {
    // A turn takes two tokens at least. It has more than one segment only where pictures stand, which take many tokens
    // each, so the context bounds the number of segments as well.
    turns_ = arena.buffer<Turn>("turns", context / 2 + 2);
    messages_ = arena.buffer<Message>("messages", context / 2 + 2);
    segments_ = arena.buffer<Segment>("segments", context + 2);
    text_ = arena.buffer<char>("conversation text", text_bytes);
    ids_ = arena.buffer<std::int32_t>("conversation ids", context);
    pictures_ = arena.buffer<ImageEmbedding*>("pictures in use", context);
  }

  /// The place where the conversation is now.
  [[nodiscard]] Mark mark() const noexcept { return {turns_.size(), segments_.size(), text_.size(), ids_.size()}; }
  /// Goes back to a mark: everything that came later is forgotten, and its pictures are released.
  void rewind(const Mark& to) noexcept {
    (void)turns_.resize(to.turns);  // these cannot fail, since all lists get shorter
    (void)segments_.resize(to.segments);
    (void)text_.resize(to.text);
    (void)ids_.resize(to.ids);
    keep_pictures(picture_places(turns_.size()));
  }
  /// Goes back to the first `turns` turns.
  void keep_turns(std::size_t turns) noexcept {
    if (turns >= turns_.size()) return;
    rewind({turns, turns_[turns].first, turns_[turns].text, turns_[turns].ids});
  }

  // A turn is put together from parts and then closed. When it does not fit, closing it says so, and nothing has
  // changed.

  /// Begins a turn without parts.
  void begin_turn(Role role) noexcept {
    before_ = mark();
    fits_ = turns_.push_back({role, segments_.size(), 0, text_.size(), ids_.size()});
    bytes_ = 0;
  }
  /// Adds a text, which is copied.
  void add_text(std::string_view text) noexcept {
    bytes_ += text.size();
    const std::string_view kept = keep(text);
    fits_ = fits_ && kept.size() == text.size() && segments_.push_back(Segment::plain(kept));
  }
  /// Adds the place of a picture.
  void add_image() noexcept { fits_ = fits_ && segments_.push_back(Segment::image()); }
  /// Adds a token id. Ids that follow one another become one segment.
  void add_id(std::int32_t id) noexcept {
    const std::size_t at = ids_.size();
    fits_ = fits_ && ids_.push_back(id);
    if (!fits_) return;
    const bool goes_on =
        segments_.size() > before_.segments && segments_[segments_.size() - 1].kind == Segment::Kind::tokens;
    // The segment in front ends where the new id is, because all ids lie in one list.
    if (goes_on) {
      std::span<const std::int32_t>& ids = segments_[segments_.size() - 1].ids;
      ids = {ids.data(), ids.size() + 1};
    } else {
      fits_ = segments_.push_back(Segment::tokens(ids_.span().subspan(at)));
    }
  }
  /// Closes the turn.
  ///
  /// Codes  limit (it does not fit; nothing has changed then)
  Status end_turn() noexcept {
    if (fits_) {
      turns_[turns_.size() - 1].count = segments_.size() - before_.segments;
      return {};
    }
    rewind(before_);
    return fail(Code::limit,
                "a turn with %zu bytes of text is too long: of the conversation's %zu bytes %zu are left (clear it, or "
                "open a session with more Limits::text_bytes or context)",
                bytes_, text_.capacity(), text_.capacity() - before_.text);
  }

  /// Adds a user's turn: the pictures first, or where the text has placeholders on purpose.
  ///
  /// Codes  limit
  Status add_question(std::size_t pictures, std::string_view question, bool placeholders) noexcept {
    begin_turn(Role::user);
    if (placeholders) {
      bytes_ = question.size();
      const std::string_view kept = keep(question);
      fits_ = fits_ && kept.size() == question.size() && split_placeholders(kept, segments_);
      if (question.empty()) add_text({});  // messages() needs a part
    } else {
      for (std::size_t i = 0; i < pictures; ++i) add_image();
      add_text(question);
    }
    return end_turn();
  }
  /// Adds the model's turn as its text.
  ///
  /// Codes  limit
  Status add_answer(std::string_view answer) noexcept {
    begin_turn(Role::assistant);
    add_text(answer);
    return end_turn();
  }
  /// Adds the model's turn as its ids. `skipped` ids are left out: in the next prompt they would be the place of a
  /// picture.
  ///
  /// Codes  limit
  Status add_answer(std::span<const std::int32_t> ids, std::optional<std::int32_t> skipped) noexcept {
    begin_turn(Role::assistant);
    for (const std::int32_t id : ids)
      if (id != skipped) add_id(id);
    if (segments_.size() == before_.segments) add_text({});  // messages() needs a part
    return end_turn();
  }
  /// Adds a turn with the given parts, for a fork or a saved session.
  ///
  /// Codes  limit
  Status add_turn(Role role, std::span<const Segment> content) noexcept {
    begin_turn(role);
    for (const Segment& s : content) {
      if (s.kind == Segment::Kind::image) add_image();
      if (s.kind == Segment::Kind::text) add_text(s.text);
      for (const std::int32_t id : s.ids) add_id(id);
    }
    return end_turn();
  }
  /// True when an answer of that many bytes would fit, and the text of one token more.
  [[nodiscard]] bool has_room(std::size_t bytes) const noexcept {
    static constexpr std::size_t kToken = 256;  // bytes; longer tokens are rare
    return text_.capacity() - text_.size() >= bytes + kToken;
  }

  /// Number of turns, questions and answers together.
  [[nodiscard]] std::size_t turns() const noexcept { return turns_.size(); }
  /// Turn i.
  [[nodiscard]] const Turn& turn(std::size_t i) const noexcept { return turns_[i]; }
  /// The parts of a turn, at least one.
  [[nodiscard]] std::span<const Segment> content(std::size_t turn) const noexcept {
    return segments_.span().subspan(turns_[turn].first, turns_[turn].count);
  }
  /// The embeddings of the pictures so far, in the order of their places. Those of a question are added after the
  /// question, when they have been encoded.
  [[nodiscard]] std::span<ImageEmbedding* const> pictures() const noexcept { return pictures_.span(); }
  /// Adds an embedding that the caller is a user of; from then on the conversation is that user. False when there is no
  /// room.
  [[nodiscard]] bool add_picture(ImageEmbedding* picture) noexcept { return pictures_.push_back(picture); }
  /// Number of places for pictures in the first `turns` turns.
  [[nodiscard]] std::size_t picture_places(std::size_t turns) const noexcept {
    std::size_t n = 0;
    for (std::size_t t = 0; t < turns; ++t)
      for (const Segment& s : content(t)) n += s.kind == Segment::Kind::image;
    return n;
  }

  /// The turns as the chat template takes them; valid until the conversation changes.
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
  /// Releases all pictures but the first `count`.
  void keep_pictures(std::size_t count) noexcept {
    for (std::size_t i = count; i < pictures_.size(); ++i) images_->release(pictures_[i]);
    if (count < pictures_.size()) (void)pictures_.resize(count);
  }
  /// Copies a text behind the others and returns the copy; empty when it does not fit.
  std::string_view keep(std::string_view text) noexcept {
    const std::size_t at = text_.size();
    if (text.size() > text_.capacity() - at || !text_.append(text.data(), text.size())) return {};
    return {text_.data() + at, text.size()};
  }
  Buffer<Turn> turns_;                // in order; questions and answers alternate
  Buffer<Message> messages_;          // made anew by messages()
  Buffer<Segment> segments_;          // of all turns, one after another
  Buffer<char> text_;                 // texts that segments point into
  Buffer<std::int32_t> ids_;          // ids that segments point into
  ImageCache* images_;                // owns the embeddings; null: no pictures
  Buffer<ImageEmbedding*> pictures_;  // by place
  Mark before_;                       // in front of the turn that is being put together
  std::size_t bytes_ = 0;             // of text that was to be added to it, for the message
  bool fits_ = true;                  // all of its parts have fitted so far
};

DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_CONVERSATION_HPP
