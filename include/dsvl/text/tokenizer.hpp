// Tokenizer: text to token ids and back, as DeepSeek-LLM's byte-level BPE does it.
//
// Added tokens are cut out first (added_tokens.hpp), the rest is cut into pieces (pretokenizer.hpp), and inside each
// piece byte pairs are joined (bpe.hpp). It is built from a TokenizerSpec, which tokenizer_json.hpp and
// tokenizer_gguf.hpp make from files. Once built it is immutable: any number of threads may use one at the same time.
#ifndef DSVL_TEXT_TOKENIZER_HPP
#define DSVL_TEXT_TOKENIZER_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "../base/buffer.hpp"
#include "../base/function_ref.hpp"
#include "../base/status.hpp"
#include "added_tokens.hpp"
#include "bpe.hpp"
#include "pretokenizer.hpp"
#include "vocabulary.hpp"

DSVL_BEGIN_NAMESPACE

/// The begin of sentence token of DeepSeek's published vocabularies. Its bars are U+FF5C and its blanks U+2581, written
/// as bytes here because not every compiler reads a source file as UTF-8.
inline constexpr std::string_view kBosText =
    "<\xEF\xBD\x9C" "begin\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>";
/// The end of sentence token, spelled likewise.
inline constexpr std::string_view kEosText =
    "<\xEF\xBD\x9C" "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>";
/// The token that marks the place of a picture.
inline constexpr std::string_view kImageText = "<image_placeholder>";

/// The meaning of a control token's text (bos, eos, the image placeholder) inside a text.
enum class ControlTokens : unsigned char {
  as_text,  ///< ordinary characters; for text that a user typed
  allow,    ///< the control token; for prompts that the program wrote, and to compare with reference tokenizers
};

/// The form in which ids are turned into text.
struct DecodeOptions {
  bool skip_special = true;  ///< leave control tokens out
  /// Print as HF does, which reads the added token `ü` as the byte 0xFC and prints U+FFFD. For comparisons.
  bool strict_hf = false;
};

/// Bytes [begin, end) of a text.
struct TextSpan {
  std::size_t begin = 0;  ///< first byte
  std::size_t end = 0;    ///< one past the last byte
};

/// Takes ids as they are encoded; false when it has no memory for them.
using TakeIds = FunctionRef<bool(std::span<const std::int32_t>)>;

/// A vocabulary with its rules: about 6 MB for the published one.
class Tokenizer {
 public:
  /// Builds a tokenizer from lists, which are checked and copied. After that, encoding fails only because of the text
  /// or for lack of memory.
  ///
  /// Codes  bad_file (ids or texts that occur twice, merges of unknown tokens, no token for a byte), limit
  ///        (kMaxVocabulary, kMaxAddedToken), out_of_memory
  /// Cost   about 30 ms for the published vocabulary
  static Result<Tokenizer> build(const TokenizerSpec& spec, Allocator* from = nullptr) {
    DSVL_TRY(vocabulary, Vocabulary::build(spec, from));
    Tokenizer t(std::move(vocabulary), from);
    DSVL_CHECK_STATUS(t.added_.build(t.vocabulary_));
    DSVL_CHECK_STATUS(t.add_byte_symbols());
    DSVL_CHECK_STATUS(t.add_merges(spec.merges));
    for (const auto& id : {spec.bos, spec.eos})
      if (id && t.vocabulary_.kind(*id) == Vocabulary::Kind::none)
        return fail(Code::bad_file, "bos or eos has the id %d, which is no token", *id);
    t.bos_ = spec.bos;
    t.eos_ = spec.eos;
    return t;
  }

  /// Appends the ids of `text`, without bos or eos. Temporary memory comes from `scratch`, or from the tokenizer's own
  /// allocator when that is null.
  ///
  /// Codes  bad_text (not UTF-8; utf8::repair() helps), limit (2 GiB), out_of_memory. On error `out` is as it was
  /// Cost   linear in the text, but n log n in its longest piece; temporary memory is 1 byte per byte of text and up to
  ///        53 per byte of the longest piece
  Status encode(std::string_view text, ControlTokens control, Buffer<std::int32_t>& out,
                Allocator* scratch = nullptr) const noexcept {
    const TextSpan all{0, text.size()};
    return encode(text, std::span<const TextSpan>(&all, control == ControlTokens::as_text ? 1 : 0), out, scratch);
  }

  /// Encodes a text that has parts of different origin. A control token is found only where it touches none of the
  /// spans `as_text` (in order, not overlapping); everywhere else, and across all borders, the text is encoded as one.
  Status encode(std::string_view text, std::span<const TextSpan> as_text, Buffer<std::int32_t>& out,
                Allocator* scratch = nullptr) const noexcept {
    DSVL_CHECK_STATUS(utf8::validate(text));
    const std::size_t before = out.size();
    const Status status = encode_valid(text, as_text, [&](std::span<const std::int32_t> ids) {
      return out.append(ids.data(), ids.size());
    }, scratch);
    if (!status.ok()) (void)out.resize(before);  // cannot fail, because it gets smaller
    return status;
  }
  /// Like encode(), for a text that is known to be UTF-8. Hands the ids to `take` as they come, a few at a time; it
  /// returns false when it has no memory for them.
  ///
  /// Codes  limit (2 GiB), out_of_memory
  Status encode_valid(std::string_view text, std::span<const TextSpan> as_text, TakeIds take,
                      Allocator* scratch = nullptr) const noexcept {
    Allocator* const from = scratch ? scratch : from_;
    if (text.size() > kMaxBytes) return fail(Code::limit, "a text of %zu bytes is too long to encode", text.size());
    Buffer<std::uint8_t> classes(from);
    if (classes.resize(text.size())) {
      pretokenizer::classify(text, classes.span());
      if (encode_around_added(text, classes.span(), as_text, from, take)) return {};
    }
    return fail(Code::out_of_memory, "no memory to encode a text of %zu bytes", text.size());
  }

  /// The text of `ids`. Ids that are no token give nothing; bytes that are not UTF-8 become U+FFFD.
  [[nodiscard]] std::string decode(std::span<const std::int32_t> ids, DecodeOptions options = {}) const {
    std::string bytes, letters;
    for (const std::int32_t id : ids) {
      if (options.skip_special && is_special(id)) continue;
      const bool respell = options.strict_hf && is_added(id) && kByteAlphabet.decode(token_bytes(id), letters);
      bytes += respell ? std::string_view(letters) : token_bytes(id);
    }
    return utf8::repair(bytes);
  }

  /// The bytes that one token adds to the text. They may be half a character, so collect them in a Utf8Stream. A
  /// control token gives its own text; an id that is no token (the padding rows of an embedding, a negative one) gives
  /// nothing.
  [[nodiscard]] std::string_view token_bytes(std::int32_t id) const noexcept { return vocabulary_.bytes(id); }

  /// True for a control token.
  [[nodiscard]] bool is_special(std::int32_t id) const noexcept {
    return vocabulary_.kind(id) == Vocabulary::Kind::special;
  }

  /// The token that is exactly this text: an added one ("<image_placeholder>"), else a base one (" yes", in plain
  /// bytes). Nothing when the text takes several tokens.
  [[nodiscard]] std::optional<std::int32_t> find(std::string_view text) const noexcept {
    std::int32_t id = added_.find(vocabulary_, text);
    if (id < 0) id = vocabulary_.find_base(text);
    return id < 0 ? std::nullopt : std::optional(id);
  }

  /// The begin of sentence token, if there is one.
  [[nodiscard]] std::optional<std::int32_t> bos() const noexcept { return bos_; }
  /// The end of sentence token, if there is one.
  [[nodiscard]] std::optional<std::int32_t> eos() const noexcept { return eos_; }
  /// One more than the highest id. A model's embedding may have more rows.
  [[nodiscard]] std::int32_t vocab_size() const noexcept { return vocabulary_.size(); }

 private:
  static constexpr std::size_t kMaxBytes = 0x7FFFFFFF;
  /// What a piece is encoded in, kept from one to the next.
  struct PieceScratch {
    explicit PieceScratch(Allocator* from) noexcept : ids(from), merge(from) {}
    Buffer<std::int32_t> ids;  ///< of the piece, first one for each byte
    MergeScratch merge;        ///< for long pieces
  };

  Tokenizer(Vocabulary&& vocabulary, Allocator* from) noexcept
      : from_(from), vocabulary_(std::move(vocabulary)), added_(from), merges_(from) {}

  /// True for added tokens, control tokens among them.
  [[nodiscard]] bool is_added(std::int32_t id) const noexcept {
    return vocabulary_.kind(id) == Vocabulary::Kind::added || is_special(id);
  }

  /// Notes the token of each single byte, which encoding starts from.
  Status add_byte_symbols() noexcept {
    for (int b = 0; b < 256; ++b) {
      const char byte = static_cast<char>(static_cast<unsigned char>(b));
      byte_symbols_[b] = vocabulary_.find_base(std::string_view(&byte, 1));
      const bool in_utf8 = b < 0xC0 || (b >= 0xC2 && b < 0xF5);  // the other bytes never occur in valid text
      if (in_utf8 && byte_symbols_[b] < 0)
        return fail(Code::bad_file, "no token stands for the single byte 0x%02X", static_cast<unsigned>(b));
    }
    return {};
  }

  /// Turns the merges from texts into ids.
  Status add_merges(std::span<const TokenizerSpec::Merge> merges) {
    if (merges.size() > 4 * kMaxVocabulary)
      return fail(Code::limit, "%zu merges, at most %zu are accepted", merges.size(), 4 * kMaxVocabulary);
    if (!merges_.reserve(merges.size()))
      return fail(Code::out_of_memory, "no memory for %zu merges", merges.size());
    std::string left, right;
    for (std::size_t i = 0; i < merges.size(); ++i) {
      MergeTable::Rule rule{-1, -1, -1};
      if (kByteAlphabet.decode(merges[i].left, left) && kByteAlphabet.decode(merges[i].right, right)) {
        rule.left = vocabulary_.find_base(left);
        rule.right = vocabulary_.find_base(right);
        rule.joined = vocabulary_.find_base(left += right);
      }
      if (rule.left < 0 || rule.right < 0 || rule.joined < 0)
        return fail(Code::bad_file, "merge %zu joins or makes a token that is not in the vocabulary", i);
      if (!merges_.add(rule)) return fail(Code::bad_file, "merge %zu joins a pair that has one already", i);
    }
    return {};
  }

  /// Finds the added tokens and encodes the text between them. False when memory runs out.
  bool encode_around_added(std::string_view text, pretokenizer::Classes classes, std::span<const TextSpan> as_text,
                           Allocator* from, TakeIds take) const noexcept {
    PieceScratch scratch(from);
    std::size_t gap = 0, span = 0;
    for (std::size_t at = 0; at < text.size();) {
      while (span < as_text.size() && as_text[span].end <= at) ++span;
      // A control token has to end before the next span that is text, and cannot begin inside one.
      const std::size_t special_end =
          span == as_text.size() ? text.size() : as_text[span].begin > at ? as_text[span].begin : 0;
      const AddedTokens::Match match = added_.longest_at(vocabulary_, text, at, special_end);
      if (match.id < 0) { ++at; continue; }
      if (!encode_pieces(text, classes, gap, at, scratch, take) || !take({&match.id, 1})) return false;
      gap = at = match.end;
    }
    return encode_pieces(text, classes, gap, text.size(), scratch, take);
  }

  /// Encodes bytes [begin, end), which have no added token in them. False when memory runs out.
  bool encode_pieces(std::string_view text, pretokenizer::Classes classes, std::size_t begin, std::size_t end,
                     PieceScratch& scratch, TakeIds take) const noexcept {
    bool fits = true;
    pretokenizer::split(classes, begin, end, [&](std::size_t from, std::size_t to) {
      std::size_t n = to - from;
      Buffer<std::int32_t>& ids = scratch.ids;
      // Capacity at least doubles, so that pieces which get longer and longer cost linear time.
      if (n > ids.capacity()) fits = fits && ids.reserve(std::max<std::size_t>(n, 2 * ids.capacity()));
      if (!fits) return;
      (void)ids.resize(n);  // there is room now
      for (std::size_t i = 0; i < n; ++i) ids[i] = byte_symbols_[static_cast<unsigned char>(text[from + i])];
      fits = merge_pairs(merges_, ids.data(), n, scratch.merge) && take({ids.data(), n});
    });
    return fits;
  }

  Allocator* from_;
  Vocabulary vocabulary_;
  AddedTokens added_;
  MergeTable merges_;
  std::int32_t byte_symbols_[256] = {};  // the token of each byte, -1 for none
  std::optional<std::int32_t> bos_, eos_;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_TEXT_TOKENIZER_HPP
