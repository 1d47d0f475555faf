// Conversation: the turns so far, as text, ids and pictures, in memory of fixed size.
#ifndef DSVL_CHAT_INTERNAL_CONVERSATION_HPP
#define DSVL_CHAT_INTERNAL_CONVERSATION_HPP

#include "../../base/host_macros_push.hpp"

#include <vector>

#include "../../run/arena.hpp"
#include "../../text/chat_template.hpp"
#include "../../engine/image_cache.hpp"

DSVL_BEGIN_NAMESPACE

class Conversation {
 public:
  /// `images` keeps the embeddings of the pictures; it must outlive this object. Null: there are none.
  explicit Conversation(ImageCache* images = nullptr) noexcept : images_(images) {}
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;
  ~Conversation() { keep_pictures(0); }

  /// A place to come back to.
  struct Mark {
    std::size_t turns = 0, segments = 0, text = 0, ids = 0;
  };
  struct Turn {
    Role role;
    std::size_t first, count;  ///< segments
    std::size_t text, ids;     ///< what was there before it
  };

  void carve(Arena& arena, Index text_bytes, Index context) noexcept {
    // A turn takes two tokens at least; a segment more than one of its own is a picture or text beside one.
    turns_ = arena.buffer<Turn>("turns", context / 2 + 2);
    messages_ = arena.buffer<Message>("messages", context / 2 + 2);
    segments_ = arena.buffer<Segment>("segments", context + 2);
    text_ = arena.buffer<char>("conversation text", text_bytes);
    ids_ = arena.buffer<std::int32_t>("conversation ids", context);
    pictures_ = arena.buffer<ImageEmbedding*>("pictures in use", context);
  }

  [[nodiscard]] Mark mark() const noexcept { return {turns_.size(), segments_.size(), text_.size(), ids_.size()}; }
  void rewind(const Mark& to) noexcept {
    (void)turns_.resize(to.turns);  // all smaller: cannot fail
    (void)segments_.resize(to.segments);
    (void)text_.resize(to.text);
    (void)ids_.resize(to.ids);
    keep_pictures(picture_places(turns_.size()));
  }
  /// Back to the first `turns` turns.
  void keep_turns(std::size_t turns) noexcept {
    if (turns >= turns_.size()) return;
    rewind({turns, turns_[turns].first, turns_[turns].text, turns_[turns].ids});
  }

  // A turn is put together from parts and then closed; when it does not fit, closing says so and nothing has changed.

  void begin_turn(Role role) noexcept {
    before_ = mark();
    fits_ = turns_.push_back({role, segments_.size(), 0, text_.size(), ids_.size()});
    bytes_ = 0;
  }
  void add_text(std::string_view text) noexcept {
    bytes_ += text.size();
    const std::string_view kept = keep(text);
    fits_ = fits_ && kept.size() == text.size() && segments_.push_back(Segment::plain(kept));
  }
  void add_image() noexcept { fits_ = fits_ && segments_.push_back(Segment::image()); }
  /// Ids that follow one another are one part.
  void add_id(std::int32_t id) noexcept {
    const std::size_t at = ids_.size();
    fits_ = fits_ && ids_.push_back(id);
    if (!fits_) return;
    const bool goes_on =
        segments_.size() > before_.segments && segments_[segments_.size() - 1].kind == Segment::Kind::tokens;
    if (goes_on) {
      std::span<const std::int32_t>& ids = segments_[segments_.size() - 1].ids;
      ids = {ids.data(), ids.size() + 1};
    } else {
      fits_ = segments_.push_back(Segment::tokens(ids_.span().subspan(at)));
    }
  }
  /// Codes: limit.
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

  /// A user's turn: the pictures first, or where the text has placeholders on purpose. Codes: limit.
  Status add_question(std::size_t pictures, std::string_view question, bool placeholders) noexcept {
    begin_turn(Role::user);
    if (placeholders) {
      bytes_ = question.size();
      const std::string_view kept = keep(question);
      fits_ = fits_ && kept.size() == question.size() && split_placeholders(kept, segments_);
      if (question.empty()) add_text({});  // a turn has at least one part
    } else {
      for (std::size_t i = 0; i < pictures; ++i) add_image();
      add_text(question);
    }
    return end_turn();
  }
  /// The model's turn, as its text. Codes: limit.
  Status add_answer(std::string_view answer) noexcept {
    begin_turn(Role::assistant);
    add_text(answer);
    return end_turn();
  }
  /// As its ids; `skipped` ids are left out: what would be a picture's place in the next prompt. Codes: limit.
  Status add_answer(std::span<const std::int32_t> ids, std::optional<std::int32_t> skipped) noexcept {
    begin_turn(Role::assistant);
    for (const std::int32_t id : ids)
      if (id != skipped) add_id(id);
    if (segments_.size() == before_.segments) add_text({});  // a turn has at least one part
    return end_turn();
  }
  /// A turn as its parts are. Codes: limit.
  Status add_turn(Role role, std::span<const Segment> content) noexcept {
    begin_turn(role);
    for (const Segment& s : content) {
      if (s.kind == Segment::Kind::image) add_image();
      if (s.kind == Segment::Kind::text) add_text(s.text);
      for (const std::int32_t id : s.ids) add_id(id);
    }
    return end_turn();
  }
  /// Whether an answer of that length, and a token more, would fit.
  [[nodiscard]] bool has_room(std::size_t bytes) const noexcept {
    static constexpr std::size_t kToken = 256;
    return text_.capacity() - text_.size() >= bytes + kToken;
  }

  [[nodiscard]] std::size_t turns() const noexcept { return turns_.size(); }
  [[nodiscard]] const Turn& turn(std::size_t i) const noexcept { return turns_[i]; }
  /// At least one part.
  [[nodiscard]] std::span<const Segment> content(std::size_t turn) const noexcept {
    return segments_.span().subspan(turns_[turn].first, turns_[turn].count);
  }
  /// Embeddings of the pictures so far, in the order of their places. Those of a question come after it, when they have
  /// been encoded.
  [[nodiscard]] std::span<ImageEmbedding* const> pictures() const noexcept { return pictures_.span(); }
  /// The caller is a user of the embedding, and the conversation is that from now on. False: there is no room.
  [[nodiscard]] bool add_picture(ImageEmbedding* picture) noexcept { return pictures_.push_back(picture); }
  /// Places for pictures in the first `turns` turns.
  [[nodiscard]] std::size_t picture_places(std::size_t turns) const noexcept {
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
  void keep_pictures(std::size_t count) noexcept {
    for (std::size_t i = count; i < pictures_.size(); ++i) images_->release(pictures_[i]);
    if (count < pictures_.size()) (void)pictures_.resize(count);
  }
  std::string_view keep(std::string_view text) noexcept {
    const std::size_t at = text_.size();
    if (text.size() > text_.capacity() - at || !text_.append(text.data(), text.size())) return {};
    return {text_.data() + at, text.size()};
  }
  Buffer<Turn> turns_;
  Buffer<Message> messages_;
  Buffer<Segment> segments_;
  Buffer<char> text_;
  Buffer<std::int32_t> ids_;
  ImageCache* images_;
  Buffer<ImageEmbedding*> pictures_;
  Mark before_;  // of the turn that is being put together
  std::size_t bytes_ = 0;
  bool fits_ = true;
};

DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_CONVERSATION_HPP
