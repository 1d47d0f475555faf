// TokenTrie: the tokens of a vocabulary, sorted and as a tree of their bytes, once per model.
//
// Nodes are in the order in which a walk meets them, so everything below a node is one range, and its tokens are one
// range of ranks (places in the sorted list). For the inside of texts in which anything may stand, which tokens stay
// inside and where others leave is known beforehand (FreeText): then a mask is copied and not computed.
#ifndef DSVL_CONSTRAINT_TOKEN_TRIE_HPP
#define DSVL_CONSTRAINT_TOKEN_TRIE_HPP

#include "../base/host_macros_push.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>

#include "../base/buffer.hpp"
#include "../base/status.hpp"
#include "../text/tokenizer.hpp"
#include "character_bits.hpp"
#include "spelling.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

inline constexpr std::size_t kMaxTokenBytes = 512;  ///< longer tokens are never allowed

/// Sets bits first..last - 1 of `to` where those of `from` are set.
inline void copy_bits(std::span<std::uint64_t> to, std::span<const std::uint64_t> from, std::size_t first,
                      std::size_t last) noexcept {
  if (first >= last) return;
  const std::size_t begin = first / 64, end = (last - 1) / 64;
  const std::uint64_t low = ~std::uint64_t{0} << first % 64, high = ~std::uint64_t{0} >> (63 - (last - 1) % 64);
  for (std::size_t w = begin; w <= end; ++w) {
    std::uint64_t bits = from[w];
    if (w == begin) bits &= low;
    if (w == end) bits &= high;
    to[w] |= bits;
  }
}

/// What is known about tokens inside a text in which anything may stand, in one spelling. Bits are by rank.
struct FreeText {
  Buffer<std::uint64_t> inside;   ///< tokens that begin and end inside
  Buffer<std::uint64_t> closing;  ///< tokens whose last byte closes the text
  Buffer<std::uint32_t> quotes;   ///< nodes at which it is closed
  Buffer<std::uint8_t> lengths;   ///< characters in front of them, at most 255
  Buffer<std::uint64_t>
      short_inside;  ///< kShortest times the bits of those tokens of `inside` with at most 0, 1, … characters
};
inline constexpr std::size_t kShortest = 16;  ///< numbers of characters for which tokens are listed

/// The vocabulary. It is not changed once built.
class TokenTrie {
 public:
  /// One node; see the drawing at the top.
  struct Node {
    std::uint64_t characters = 0;  ///< bits of all characters below it, in front of the first quote
    std::uint32_t skip = 0;    ///< first node behind everything below this one
    std::uint32_t rank = 0;    ///< first token of those that begin with this node's bytes
    std::uint16_t depth = 0;   ///< bytes from the root
    std::uint16_t height = 0;  ///< bytes of the longest token below it that are still missing
    std::uint16_t own = 0;     ///< tokens that end here
    std::uint8_t byte = 0;     ///< its last byte
  };

  /// Builds the tree of all tokens that are text: control tokens are none.
  ///
  /// Codes  out_of_memory
  /// Cost   about 60 ms and 6 MB for 102 400 tokens
  static Result<TokenTrie> build(const Tokenizer& tokenizer, Allocator* from = nullptr) noexcept {
    TokenTrie trie(from);
    if (trie.sort(tokenizer) && trie.grow(tokenizer) && trie.know_free_texts(from) && trie.list_quotes(tokenizer))
      return trie;
    return fail(Code::out_of_memory, "no memory for the tables of %d tokens", tokenizer.vocab_size());
  }

  /// All nodes; the first is the root, and one behind the last stands for the end.
  [[nodiscard]] std::span<const Node> nodes() const noexcept { return nodes_.span(); }
  /// Ids by rank.
  [[nodiscard]] std::span<const std::int32_t> ids() const noexcept { return ids_.span(); }
  /// One more than the highest id.
  [[nodiscard]] std::size_t vocabulary() const noexcept { return vocabulary_; }
  /// What is known about free texts.
  [[nodiscard]] const FreeText& free_text(Spelling spelling, bool ascii) const noexcept {
    return free_[spelling == Spelling::raw ? 0 : static_cast<std::size_t>(spelling) + 2 * ascii];
  }
  /// Tokens inside a free JSON string, or closing it: bits by id.
  [[nodiscard]] std::span<const std::uint64_t> string_by_id() const noexcept { return string_by_id_.span(); }
  /// Likewise by rank.
  [[nodiscard]] std::span<const std::uint64_t> string_by_rank() const noexcept { return string_by_rank_.span(); }
  /// A token that has a quote.
  struct Quoted {
    std::uint32_t rank = 0, at = 0, size = 0;  ///< its rank, and where its bytes are
  };
  /// Tokens that have a quote; first those that have several.
  [[nodiscard]] std::span<const Quoted> quoted() const noexcept { return quoted_.span(); }
  /// The bytes of one of them.
  [[nodiscard]] std::string_view text(const Quoted& token) const noexcept {
    return {quoted_text_.data() + token.at, token.size};
  }
  /// How many of quoted() have several.
  [[nodiscard]] std::size_t twice_quoted() const noexcept { return twice_quoted_; }
  /// The longest token that `text` begins with, and its bytes; 0 bytes when there is none.
  [[nodiscard]] std::pair<std::int32_t, std::size_t> longest(std::string_view text) const noexcept {
    std::pair<std::int32_t, std::size_t> out{0, 0};
    std::uint32_t n = 1, end = static_cast<std::uint32_t>(nodes_.size()) - 1;
    for (std::size_t at = 0; at < text.size();) {
      while (n < end && nodes_[n].byte != static_cast<std::uint8_t>(text[at])) n = nodes_[n].skip;
      if (n >= end) break;
      ++at;
      if (nodes_[n].own > 0) out = {ids_[nodes_[n].rank], at};
      end = nodes_[n].skip;
      ++n;
    }
    return out;
  }
  /// Nodes at which free texts are closed, of the spelling that has most.
  [[nodiscard]] std::size_t most_quotes() const noexcept {
    std::size_t most = 0;
    for (const FreeText& f : free_) most = (std::max)(most, f.quotes.size());
    return most;
  }
  /// Bytes of all tables.
  [[nodiscard]] std::size_t bytes() const noexcept {
    std::size_t n = nodes_.size() * sizeof(Node) + ids_.size() * 4 + string_by_id_.size() * 8 +
                    string_by_rank_.size() * 8 + quoted_.size() * sizeof(Quoted) + quoted_text_.size();
    for (const FreeText& f : free_)
      n += (f.inside.size() + f.closing.size() + f.short_inside.size()) * 8 + f.quotes.size() * 5;
    return n;
  }

 private:
  explicit TokenTrie(Allocator* from) noexcept
      : nodes_(from), ids_(from), string_by_id_(from), string_by_rank_(from), quoted_(from), quoted_text_(from) {
    for (FreeText& f : free_)
      f = {Buffer<std::uint64_t>(from), Buffer<std::uint64_t>(from), Buffer<std::uint32_t>(from),
           Buffer<std::uint8_t>(from), Buffer<std::uint64_t>(from)};
  }

  bool sort(const Tokenizer& tokenizer) noexcept {
    vocabulary_ = static_cast<std::size_t>(tokenizer.vocab_size());
    for (std::int32_t id = 0; id < tokenizer.vocab_size(); ++id) {
      const std::size_t n = tokenizer.token_bytes(id).size();
      if (n > 0 && n <= kMaxTokenBytes && !tokenizer.is_special(id) && !ids_.push_back(id)) return false;
    }
    std::sort(ids_.begin(), ids_.end(), [&](std::int32_t a, std::int32_t b) {
      const int order = tokenizer.token_bytes(a).compare(tokenizer.token_bytes(b));
      return order != 0 ? order < 0 : a < b;
    });
    return true;
  }
  bool grow(const Tokenizer& tokenizer) noexcept {
    std::uint32_t path[kMaxTokenBytes + 1] = {};  // the node of each depth
    std::string_view before;
    if (!nodes_.push_back({})) return false;
    for (std::size_t rank = 0; rank < ids_.size(); ++rank) {
      const std::string_view token = tokenizer.token_bytes(ids_[rank]);
      std::size_t same = 0;
      while (same < before.size() && same < token.size() && before[same] == token[same]) ++same;
      for (std::size_t d = before.size(); d > same; --d)
        nodes_[path[d]].skip = static_cast<std::uint32_t>(nodes_.size());
      for (std::size_t d = same; d < token.size(); ++d) {
        path[d + 1] = static_cast<std::uint32_t>(nodes_.size());
        Node node;
        node.rank = static_cast<std::uint32_t>(rank);
        node.depth = static_cast<std::uint16_t>(d + 1);
        node.byte = static_cast<std::uint8_t>(token[d]);
        if (!nodes_.push_back(node)) return false;
      }
      ++nodes_[path[token.size()]].own;
      std::uint64_t behind = 0;
      for (std::size_t d = token.size(); d-- > 0;) {
        behind = character_bit(static_cast<unsigned char>(token[d])) | (token[d] == '"' ? 0 : behind);
        nodes_[path[d]].characters |= behind;
      }
      for (std::size_t d = 0; d <= token.size(); ++d) {
        Node& above = nodes_[path[d]];
        above.height = (std::max)(above.height, static_cast<std::uint16_t>(token.size() - d));
      }
      before = token;
    }
    for (std::size_t d = 0; d <= before.size(); ++d) nodes_[path[d]].skip = static_cast<std::uint32_t>(nodes_.size());
    Node end;
    end.rank = static_cast<std::uint32_t>(ids_.size());
    end.skip = static_cast<std::uint32_t>(nodes_.size()) + 1;
    return nodes_.push_back(end);
  }
  /// A grammar whose only text is any text.
  static bool any_text(Grammar& g, bool ascii) noexcept {
    TextAutomaton a;
    a.classes = 2;
    a.intervals = 3;
    for (std::uint16_t& c : a.ascii) c = 1;
    g.ascii = ascii;
    return g.texts.push_back(a) &&
           g.text_states.push_back({kAllCharacters, kAllCharacters, 0, kForever, kForever, 0, true}) &&
           g.next.push_back(kDead) && g.next.push_back(0) && g.starts.push_back(0) &&
           g.starts.push_back(kFirstSurrogate) && g.starts.push_back(kBehindSurrogates) && g.classes.push_back(1) &&
           g.classes.push_back(0) && g.classes.push_back(1);
  }
  bool know_free_texts(Allocator* from) noexcept {
    const std::size_t words = ids_.size() / 64 + 1;
    for (const bool ascii : {false, true}) {
      Grammar g{Buffer<Edge>(from), Buffer<GrammarState>(from), Buffer<TextAutomaton>(from), Buffer<TextState>(from),
                Buffer<std::uint32_t>(from), Buffer<char32_t>(from), Buffer<std::uint16_t>(from)};
      if (!any_text(g, ascii)) return false;
      for (const Spelling spelling : {Spelling::raw, Spelling::string, Spelling::key}) {
        if (spelling == Spelling::raw && ascii) continue;
        FreeText& f = free_[spelling == Spelling::raw ? 0 : static_cast<std::size_t>(spelling) + 2 * ascii];
        if (!f.inside.resize(words) || !f.closing.resize(words)) return false;
        if (!ascii && spelling != Spelling::raw && !f.short_inside.resize(words * kShortest)) return false;
        std::fill(f.inside.begin(), f.inside.end(), 0);
        std::fill(f.closing.begin(), f.closing.end(), 0);
        std::fill(f.short_inside.begin(), f.short_inside.end(), 0);
        if (!follow(Speller(g), spelling, f)) return false;
      }
    }
    const FreeText& f = free_text(Spelling::string, false);
    if (!string_by_rank_.resize(words) || !string_by_id_.resize(vocabulary_ / 64 + 1)) return false;
    std::fill(string_by_id_.begin(), string_by_id_.end(), 0);
    for (std::size_t w = 0; w < words; ++w) string_by_rank_[w] = f.inside[w] | f.closing[w];
    for (std::size_t r = 0; r < ids_.size(); ++r)
      if (string_by_rank_[r / 64] >> r % 64 & 1u) {
        const auto id = static_cast<std::size_t>(ids_[r]);
        string_by_id_[id / 64] |= std::uint64_t{1} << id % 64;
      }
    return true;
  }
  bool follow(const Speller& speller, Spelling spelling, FreeText& f) noexcept {
    TextPlace places[kMaxTokenBytes + 1];
    std::uint16_t lengths[kMaxTokenBytes + 1] = {};  // whole characters
    const std::size_t words = f.inside.size();
    for (std::uint32_t n = 1; n + 1 < nodes_.size();) {
      const Node& node = nodes_[n];
      TextPlace place = places[node.depth - 1];
      const Speller::Step step = speller.step(place, spelling, node.byte);
      const bool inside = step == Speller::Step::inside;
      const std::uint16_t before = lengths[node.depth - 1];
      lengths[node.depth] = static_cast<std::uint16_t>(before + (inside && place.partial == 0));
      if (step == Speller::Step::closed &&
          !(f.quotes.push_back(n) && f.lengths.push_back(static_cast<std::uint8_t>(std::min<unsigned>(before, 255)))))
        return false;
      for (std::uint32_t r = node.rank; step != Speller::Step::dead && r < node.rank + node.own; ++r) {
        const std::uint64_t bit = std::uint64_t{1} << r % 64;
        (inside ? f.inside : f.closing)[r / 64] |= bit;
        if (!inside || f.short_inside.empty()) continue;
        for (std::size_t most = lengths[node.depth] + (place.partial != 0); most < kShortest; ++most)
          f.short_inside[most * words + r / 64] |= bit;
      }
      places[node.depth] = place;
      n = inside ? n + 1 : node.skip;
    }
    return true;
  }
  bool list_quotes(const Tokenizer& tokenizer) noexcept {
    for (const bool several : {true, false}) {
      for (std::uint32_t r = 0; r < ids_.size(); ++r) {
        const std::string_view token = tokenizer.token_bytes(ids_[r]);
        const auto quotes = std::count(token.begin(), token.end(), '"');
        if (quotes == 0 || (quotes > 1) != several) continue;
        const Quoted entry{r, static_cast<std::uint32_t>(quoted_text_.size()),
                           static_cast<std::uint32_t>(token.size())};
        if (!quoted_.push_back(entry) || !quoted_text_.append(token.data(), token.size())) return false;
      }
      if (several) twice_quoted_ = quoted_.size();
    }
    return true;
  }

  std::size_t vocabulary_ = 0, twice_quoted_ = 0;
  Buffer<Node> nodes_;
  Buffer<std::int32_t> ids_;
  FreeText free_[5];  // raw; string, key; the same in ASCII
  Buffer<std::uint64_t> string_by_id_, string_by_rank_;
  Buffer<Quoted> quoted_;
  Buffer<char> quoted_text_;
};

}  // namespace constraint
DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CONSTRAINT_TOKEN_TRIE_HPP
