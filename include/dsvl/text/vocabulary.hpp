// Vocabulary: the tokens by id, as the bytes they stand for, and the ids by those bytes.
//
// It is compact: one run of bytes, one offset and one kind per token, one open-addressed hash table of ids. The
// published vocabulary (100 016 tokens) takes 2.3 MB. It is built from a TokenizerSpec, which tokenizer.json and GGUF
// can both fill.
#ifndef DSVL_TEXT_VOCABULARY_HPP
#define DSVL_TEXT_VOCABULARY_HPP

#include "../base/host_macros_push.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "../base/buffer.hpp"
#include "../base/status.hpp"
#include "byte_alphabet.hpp"

DSVL_BEGIN_NAMESPACE

/// Most ids that are accepted from a file; the published models have 102 400.
inline constexpr std::size_t kMaxVocabulary = std::size_t{1} << 20;
/// Most bytes of an added token, which bounds the work per byte of text.
inline constexpr std::size_t kMaxAddedToken = 512;

/// The lists that a tokenizer is built from. They are views: what they point to must live until Tokenizer::build()
/// returns.
struct TokenizerSpec {
  /// A rule that joins two tokens, spelled in the byte alphabet.
  struct Merge { std::string_view left, right; };
  /// An added token; `special` makes it a control token.
  struct Added { std::int32_t id = 0; std::string_view text; bool special = false; };

  std::span<const std::string_view> tokens;  ///< by id, spelled in the byte alphabet; empty where there is no token
  std::span<const Merge> merges;             ///< by rank, spelled likewise
  std::span<const Added> added;              ///< plain UTF-8, matched before anything else; ids may lie above `tokens`
  std::optional<std::int32_t> bos = {};      ///< begin of sentence, put in front of a prompt
  std::optional<std::int32_t> eos = {};      ///< end of sentence, which ends an answer
};

/// All tokens of a tokenizer. It is not changed once built.
class Vocabulary {
 public:
  /// The kinds of an id.
  enum class Kind : std::uint8_t {
    none,     ///< no such token
    bytes,    ///< a base token, which merges make
    literal,  ///< a base token not spelled in the byte alphabet: encoding never makes it, decoding prints it
    added,    ///< an added token, which is matched in the text
    special,  ///< an added token that is a control token
  };

  /// Checks and copies the lists.
  ///
  /// Codes  bad_file (an id or a text occurs twice), bad_text, limit, out_of_memory
  static Result<Vocabulary> build(const TokenizerSpec& spec, Allocator* from) {
    Vocabulary v(from);
    DSVL_CHECK_STATUS(v.fill(spec, from));
    DSVL_CHECK_STATUS(v.index());
    return v;
  }

  /// One more than the highest id.
  [[nodiscard]] std::int32_t size() const noexcept { return static_cast<std::int32_t>(kinds_.size()); }

  /// The kind of an id, which may be any number.
  [[nodiscard]] Kind kind(std::int32_t id) const noexcept {
    return id >= 0 && id < size() ? kinds_[static_cast<std::size_t>(id)] : Kind::none;
  }
  /// The bytes that a token stands for; empty for ids that are no token, whatever their value.
  [[nodiscard]] std::string_view bytes(std::int32_t id) const noexcept {
    if (id < 0 || id >= size()) return {};
    const auto i = static_cast<std::size_t>(id);
    return {text_.data() + starts_[i], starts_[i + 1] - starts_[i]};
  }
  /// The base token that stands for exactly these bytes, or -1. Cost: a hash of the bytes and about two look-ups.
  [[nodiscard]] std::int32_t find_base(std::string_view bytes) const noexcept {
    for (std::size_t slot = hash(bytes) & mask_;; slot = (slot + 1) & mask_) {
      const std::int32_t id = slots_[slot];
      if (id < 0 || this->bytes(id) == bytes) return id;
    }
  }

 private:
  explicit Vocabulary(Allocator* from) noexcept : text_(from), starts_(from), kinds_(from), slots_(from) {}

  static std::size_t hash(std::string_view bytes) noexcept {  // FNV-1a, with its high bits folded down
    std::uint64_t h = 0xCBF29CE484222325ull;
    for (const char c : bytes) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
    return static_cast<std::size_t>(h ^ h >> 29);
  }

  static Status out_of_memory(std::size_t tokens) noexcept {
    return fail(Code::out_of_memory, "no memory for a vocabulary of %zu tokens", tokens);
  }

  /// Fills by_id with the added token of each id, as an index into spec.added, -1 where there is none.
  static Status place_added(const TokenizerSpec& spec, std::size_t ids, Buffer<std::int32_t>& by_id) noexcept {
    if (!by_id.resize(ids)) return out_of_memory(ids);
    for (std::int32_t& entry : by_id) entry = -1;
    for (std::size_t i = 0; i < spec.added.size(); ++i) {
      const TokenizerSpec::Added& added = spec.added[i];
      const auto id = static_cast<std::size_t>(added.id);
      if (added.text.empty() || added.text.size() > kMaxAddedToken)
        return fail(Code::bad_file, "added token %zu has %zu bytes, must have 1 to %zu", id,
                    added.text.size(), kMaxAddedToken);
      DSVL_CHECK_STATUS(utf8::validate(added.text, "an added token"));
      if (by_id[id] >= 0) return fail(Code::bad_file, "two added tokens have the id %zu", id);
      if (id < spec.tokens.size() && !spec.tokens[id].empty() && spec.tokens[id] != added.text)
        return fail(Code::bad_file, "id %zu is a token of the vocabulary and another added token", id);
      by_id[id] = static_cast<std::int32_t>(i);
    }
    return {};
  }

  /// Copies the texts of all tokens, decoded from the byte alphabet, and notes their kinds.
  Status fill(const TokenizerSpec& spec, Allocator* from) {
    std::size_t ids = spec.tokens.size();
    for (const TokenizerSpec::Added& added : spec.added) {
      if (added.id < 0) return fail(Code::bad_file, "an added token has the id %d", added.id);
      ids = static_cast<std::size_t>(added.id) < ids ? ids : static_cast<std::size_t>(added.id) + 1;
    }
    if (ids > kMaxVocabulary)
      return fail(Code::limit, "token ids go up to %zu, at most %zu are accepted", ids - 1, kMaxVocabulary);
    Buffer<std::int32_t> added_at(from);
    DSVL_CHECK_STATUS(place_added(spec, ids, added_at));
    if (!starts_.resize(ids + 1) || !kinds_.resize(ids)) return out_of_memory(ids);
    std::string bytes;
    starts_[0] = 0;
    for (std::size_t id = 0; id < ids; ++id) {
      std::string_view text = id < spec.tokens.size() ? spec.tokens[id] : std::string_view();
      if (added_at[id] >= 0) {
        const TokenizerSpec::Added& added = spec.added[static_cast<std::size_t>(added_at[id])];
        text = added.text;
        kinds_[id] = added.special ? Kind::special : Kind::added;
      } else if (text.empty()) {
        kinds_[id] = Kind::none;
      } else if (kByteAlphabet.decode(text, bytes)) {
        text = bytes;
        kinds_[id] = Kind::bytes;
      } else {
        kinds_[id] = Kind::literal;
      }
      if (text.size() > 0xFFFFFFFFu - text_.size() || !text_.append(text.data(), text.size()))
        return out_of_memory(ids);
      starts_[id + 1] = static_cast<std::uint32_t>(text_.size());
    }
    return {};
  }

  /// Builds the hash table of base tokens.
  Status index() noexcept {
    std::size_t places = 16;
    while (places < kinds_.size() * 2) places *= 2;  // at most half full, so a search always meets a free place
    if (!slots_.resize(places)) return out_of_memory(kinds_.size());
    mask_ = places - 1;
    for (std::int32_t& id : slots_) id = -1;
    for (std::int32_t id = 0; id < size(); ++id) {
      if (kind(id) != Kind::bytes) continue;
      std::size_t slot = hash(bytes(id)) & mask_;
      for (; slots_[slot] >= 0; slot = (slot + 1) & mask_)
        if (bytes(slots_[slot]) == bytes(id))
          return fail(Code::bad_file, "tokens %d and %d are the same text", slots_[slot], id);
      slots_[slot] = id;
    }
    return {};
  }

  Buffer<char> text_;             // all tokens, end to end
  Buffer<std::uint32_t> starts_;  // size() + 1 offsets into text_
  Buffer<Kind> kinds_;            // by id
  Buffer<std::int32_t> slots_;    // hash of bytes -> id, -1 where free
  std::size_t mask_ = 0;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_TEXT_VOCABULARY_HPP
