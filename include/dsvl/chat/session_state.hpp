// SessionState: what a Session and its Answers share: the engine, the tokens in its cache, the conversation, the
// answer.
//
// Token ids are the truth: a turn renders and encodes the whole conversation as the reference does, and the longest
// common prefix with what the cache holds is reused. A picture's rows count as equal when the picture is.
#ifndef DSVL_CHAT_SESSION_STATE_HPP
#define DSVL_CHAT_SESSION_STATE_HPP

#include "album.hpp"
#include "model_state.hpp"
#include "transcript.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

class SessionState {
 public:
  SessionState(std::shared_ptr<const ModelState> model, const SessionOptions& options, std::unique_ptr<Engine> engine,
               Allocator* from)
      : model_(std::move(model)), options_(options), engine_(std::move(engine)),
        album_({options.limits.picture_pixels, Index{1} << 16, Index{256} << 20, options.apply_exif_orientation},
               options.limits.pictures, from),
        from_(from), cached_(from), wanted_(from), prompt_ids_(from), inputs_(from) {}

  /// Takes what an answer will need, so that going on with one never asks for memory. False: there is none.
  [[nodiscard]] bool reserve() noexcept {
    const auto context = static_cast<std::size_t>(engine_->context());
    return cached_.reserve(context) && inputs_.reserve(context);
  }

  /// Each begins an answer and gives its number; the one before, if any, is ended first.
  std::uint64_t ask(std::span<const Picture> pictures, std::string_view question, const GenerateOptions& options);
  std::uint64_t complete(std::span<const Picture> pictures, std::string_view text, const GenerateOptions& options);
  std::uint64_t generate(std::span<const std::int32_t> ids, std::span<const Picture> pictures,
                         const GenerateOptions& options);

  std::optional<Piece> next();
  void clear();

  [[nodiscard]] bool current(std::uint64_t number) const noexcept { return number == number_; }
  [[nodiscard]] Finish finish() const noexcept { return finish_; }
  [[nodiscard]] const Status& status() const noexcept { return status_; }
  [[nodiscard]] std::string_view text() const noexcept {
    return transcript_ ? transcript_->text() : std::string_view();
  }
  [[nodiscard]] std::span<const std::int32_t> ids() const noexcept { return answer_ids_; }
  [[nodiscard]] std::span<const std::int32_t> prompt_ids() const noexcept { return prompt_ids_.span(); }
  [[nodiscard]] const Usage& usage() const noexcept { return usage_; }
  [[nodiscard]] const Engine& engine() const noexcept { return *engine_; }
  [[nodiscard]] const ModelState& model() const noexcept { return *model_; }

 private:
  /// One token of the cache: a token of text, or a row of a picture, known by what the picture shows.
  struct Slot {
    std::int32_t id = 0;
    Index row = -1;  // -1: text
    ContentHash picture = {};
    const float* input = nullptr;  // good until the picture leaves the album, so it is no part of what a slot is
    bool operator==(const Slot& other) const noexcept {
      return id == other.id && row == other.row && picture == other.picture;
    }
  };

  [[nodiscard]] const Tokenizer* tokenizer() const noexcept {
    return model_->tokenizer ? &*model_->tokenizer : nullptr;
  }
  [[nodiscard]] Control control() const noexcept { return {generate_.cancel, generate_.progress}; }

  void begin(const GenerateOptions& options);
  std::uint64_t end_begin(const Status& status);
  Status prepare(const GenerateOptions& options);
  Status needs_tokenizer() const noexcept;
  Status encode_segments(const Prompt& prompt, std::vector<ImageSpan>& spans);
  Status find_images(std::vector<ImageSpan>& spans) const;
  Status add_pictures(std::span<const Picture> pictures, std::vector<const EncodedPicture*>& into);
  Status take_prompt(std::span<const ImageSpan> spans, std::span<const Picture> pictures,
                     std::vector<const EncodedPicture*>& places);
  Status prefill();
  Status extend(std::span<const Slot> slots, Stage stage);
  void end(Finish why);
  std::optional<Piece> end_with(const Status& status);
  std::optional<Piece> rest();
  void keep_turn();
  void drop_turn();

  std::shared_ptr<const ModelState> model_;
  SessionOptions options_;
  std::unique_ptr<Engine> engine_;
  Album album_;
  Allocator* from_;

  // The conversation, and what of it the cache holds.
  std::vector<Message> turns_;
  std::vector<const EncodedPicture*> turn_pictures_;  // in the order of their places
  Buffer<Slot> cached_;

  // The answer that is going on.
  std::uint64_t number_ = 0;
  GenerateOptions generate_;
  Buffer<Slot> wanted_;
  Buffer<std::int32_t> prompt_ids_;
  Buffer<TokenInput<float>> inputs_;
  std::optional<Sampler> sampler_;
  std::optional<Transcript> transcript_;
  std::vector<std::int32_t> answer_ids_;
  Choice last_;
  std::optional<std::int32_t> pending_;  // chosen, shown, and not yet in the cache
  bool in_conversation_ = false;
  Finish finish_ = Finish::none;
  Status status_;
  Usage usage_;
};

}  // namespace detail

DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_SESSION_STATE_HPP
