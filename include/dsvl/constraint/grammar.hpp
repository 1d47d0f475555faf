// Grammar: a constraint as tables that a matcher runs: rules over bytes that call each other, and automata of texts.
//
// It is a recursive transition network. Every state lies on a way to the end, so whoever follows edges never gets
// stuck. It is immutable, and any number of matchers may run it at the same time.
#ifndef DSVL_CONSTRAINT_GRAMMAR_HPP
#define DSVL_CONSTRAINT_GRAMMAR_HPP

#include <cstdint>

#include "../base/buffer.hpp"

DSVL_BEGIN_NAMESPACE
namespace constraint {

/// How the characters of a text are spelled as bytes.
enum class Spelling : std::uint8_t {
  raw,     ///< UTF-8
  string,  ///< inside a JSON string, up to its closing quote
  key,     ///< likewise, but what need not be escaped is not, unless it is not ASCII: names, and given texts
};

/// A way from one state to another.
struct Edge {
  /// What is passed on the way.
  enum class Kind : std::uint8_t {
    byte,    ///< a byte of low..high
    jump,    ///< nothing
    call,    ///< what the rule that begins in `callee` accepts
    text,    ///< what the automaton that begins in text state `callee` accepts, in a spelling
    indent,  ///< a line break, and two spaces for each level, `callee` more than the rule's own
  };
  Kind kind = Kind::byte;             ///< which of them
  std::uint8_t low = 0, high = 0;     ///< of a byte; of a call, low is 1 if it goes one level deeper
  Spelling spelling = Spelling::raw;  ///< of a text
  std::uint32_t to = 0;               ///< the state behind it
  std::uint32_t callee = 0;           ///< see Kind
};

/// A state of a rule.
struct GrammarState {
  std::uint32_t first = 0;     ///< its edges are first..first + count - 1
  std::uint16_t count = 0;     ///< number of edges
  std::uint16_t need = 0;      ///< frames that the flattest way to the rule's end puts on the stack
  bool accepting = false;      ///< the rule may end here
};

/// An automaton of texts; see CharacterAutomaton.
struct TextAutomaton {
  std::uint32_t first = 0;                    ///< its state 0 among all text states
  std::uint32_t classes = 0;                  ///< classes of characters
  std::uint32_t next = 0;                     ///< where its transitions begin
  std::uint32_t starts = 0, intervals = 0;    ///< where its intervals begin, and their number
  std::uint16_t ascii[128] = {};              ///< classes of the first characters
};

inline constexpr std::uint16_t kForever = 0xFFFF;  ///< without end
inline constexpr std::uint16_t kFewWords = 256;    ///< more texts than these are not counted

/// A state of an automaton of texts. What it says about characters by their bits (CharacterBits) spares masks work.
struct TextState {
  std::uint64_t loop = 0;           ///< characters that all lead back to this state
  std::uint64_t open = 0;           ///< characters that all lead on
  std::uint32_t automaton = 0;      ///< which it belongs to
  std::uint16_t run = 0;            ///< so many characters of `open` may follow each other
  std::uint16_t accepts = 0;        ///< fewer of them lead to accepting states only
  std::uint16_t refuses = 0;        ///< fewer of them lead to no accepting state
  bool accepting = false;           ///< the text may end here
  /// Any `run` characters may follow and no more, and the text may end behind `refuses` or more of them.
  bool counts = false;
  /// In an object's names: so many texts lead from here to an end; kForever for more than kFewWords.
  std::uint16_t words = kForever;
};

/// All tables of a constraint.
struct Grammar {
  Buffer<Edge> edges;                  ///< of all states
  Buffer<GrammarState> states;         ///< state 0 is behind the whole
  Buffer<TextAutomaton> texts;         ///< automata
  Buffer<TextState> text_states;       ///< their states
  Buffer<std::uint32_t> next;          ///< their transitions: text states, or kDead
  Buffer<char32_t> starts;             ///< first code points of their intervals
  Buffer<std::uint16_t> classes;       ///< classes of these intervals
  std::uint32_t start = 0;             ///< the first state of the first rule
  bool ascii = false;                  ///< strings are written in ASCII
  std::uint64_t id = 0;                ///< a hash of the tables: grammars that share one are equal
  bool distinct_keys = false;          ///< there are objects whose names have to be remembered
  bool scarce_keys = false;            ///< names of these may run out, at least behind some beginnings

  /// Bytes of all tables.
  [[nodiscard]] std::size_t bytes() const noexcept {
    return edges.size() * sizeof(Edge) + states.size() * sizeof(GrammarState) + texts.size() * sizeof(TextAutomaton) +
           text_states.size() * sizeof(TextState) + next.size() * 4 + starts.size() * 4 + classes.size() * 2;
  }
};

}  // namespace constraint
DSVL_END_NAMESPACE

#endif  // DSVL_CONSTRAINT_GRAMMAR_HPP
