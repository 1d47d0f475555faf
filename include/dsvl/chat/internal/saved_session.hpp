// Saving and loading a session: a Snapshot as a file, and the definitions of Session::save and Session::load.
//
//   "DSVLSAVE", version
//   sections   tag, whether a reader has to know it, count of bytes; then the contents:
//     identity   hash of the model, its preprocessing and the format of keys and values: what the rest is good for
//     settings   system text, keep_generated_ids
//     pictures   count, then hash and rows of each
//     turns      count, then the parts of each (kind, text, ids)
//     cache      count of tokens, their keys, the pages (unused parts zeroed)
//   hash of everything in front of it
//
// A reader skips sections that it does not know and need not know, so later versions can add some. Version 1 (dsvl
// before sections) had the contents of these five one after another, and is still read.
//
// Nothing in a file is trusted: sizes are compared with what is left of it and with the session's limits before they
// are used. Keys and values may be any numbers; they can make nonsense of the answers and nothing else. The machine
// that reads must have the byte order of the one that wrote.
#ifndef DSVL_CHAT_INTERNAL_SAVED_SESSION_HPP
#define DSVL_CHAT_INTERNAL_SAVED_SESSION_HPP

#include "../../base/host_macros_push.hpp"

#include "model_identity.hpp"
#include "saved_bytes.hpp"
#include "session_calls.hpp"
#include "session_state.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

/// The identity of what a saved cache is good for: this model, this format of the cache, products like these. With
/// other weights, keys and values would be wrong without any error to see.
DSVL_COLD
inline ContentHash identity(const ModelState& model, const Limits& limits) noexcept {
  ContentHash id = model_identity(model);
  for (const auto choice : {static_cast<Index>(*limits.kv), static_cast<Index>(limits.activations),
                            static_cast<Index>(model.config.layout), kKvBlock})
    id.add(static_cast<std::uint64_t>(choice));
  return id;
}

/// Zeroes what is behind the first `used` tokens of a page. It could be left from a conversation that was forgotten,
/// and does not belong in a file.
DSVL_COLD
inline void clear_rest(const DecoderDims& d, KvFormat format, std::span<std::byte> page, Index used) noexcept {
  const Index head_dim = d.heads.head_dim, padded = round_up(head_dim, kKvPad), unused = kKvBlock - used;
  const Index block = kv_block_bytes<float>(format, head_dim), element = kv_element_bytes<float>(format);
  const auto zero = [](std::byte* from, Index bytes) { std::memset(from, 0, static_cast<std::size_t>(bytes)); };
  for (std::byte* at = page.data(); at + block <= page.data() + page.size(); at += block) {
    for (Index k = 0; k < head_dim; ++k) zero(at + (k * kKvBlock + used) * element, unused * element);
    zero(at + (head_dim * kKvBlock + used * padded) * element, unused * padded * element);
    if (format != KvFormat::q8) continue;
    for (const Index first : {used, kKvBlock + used}) zero(at + kv_scales_offset(head_dim) + 4 * first, 4 * unused);
  }
}

/// The sections, by the tags that stand in a file. A tag is never used for something else later.
enum class SavedSection : std::uint32_t { identity = 1, settings = 2, pictures = 3, turns = 4, cache = 5 };

inline constexpr std::uint64_t kSavedMagic = 0x45564153'4C565344ull;  ///< "DSVLSAVE", little-endian
/// The version that is written.
inline constexpr std::uint32_t kSavedVersion = 2;

// --- writing -------------------------------------------------------------------------------------

/// Writes a section. `contents(SavedWriter&)` runs twice: once to count, because the size stands in front, and once to
/// write.
template <class Contents>
void write_section(SavedWriter& to, SavedSection tag, Contents&& contents) noexcept {
  SavedWriter count;
  contents(count);
  to.value(static_cast<std::uint32_t>(tag)), to.value(std::uint32_t{1});  // readers have to know these five
  to.size(count.count());
  contents(to);
}

/// Writes the turns with their parts. Roles alternate, so they are not written.
DSVL_COLD inline void write_turns(SavedWriter& to, const Snapshot& from) noexcept {
  to.size(from.turns.size());
  for (const Snapshot::SavedTurn& turn : from.turns) {
    to.size(turn.count);
    for (const Segment& part : from.content(turn)) {
      to.value(part.kind);
      to.text(part.text);
      to.run(part.ids);
    }
  }
}

/// Writes the keys and the pages of the tokens that the snapshot keeps. `page` is room for one page: each is copied
/// there, so that the unused part of the last can be zeroed.
DSVL_COLD
inline void write_cache(SavedWriter& to, const Snapshot& from, const DecoderDims& dims, KvFormat format,
                        std::span<std::byte> page) noexcept {
  to.run(from.keys);
  const Index tokens = std::ssize(from.keys);
  for (Index p = 0; p * kKvBlock < tokens && !to.failed(); ++p) {
    const Index used = std::min<Index>(kKvBlock, tokens - p * kKvBlock);
    if (!to.counting()) {
      std::memcpy(page.data(), from.cache->page_bytes(p).data(), page.size());
      if (used < kKvBlock) clear_rest(dims, format, page, used);
    }
    to.put(page);
  }
}

/// Writes a snapshot of the session to a file, which is there whole or not at all.
///
/// Codes  io, out_of_memory
DSVL_COLD
inline Status save_session(const SessionState& session, const std::filesystem::path& path,
                           const SaveOptions& options) {
  const SessionOptions& chosen = session.options();
  const DecoderDims& dims = session.model().config.decoder;
  FileWriter file(path, {options.sync, chosen.host.log});
  DSVL_CHECK_STATUS(file.status());
  DSVL_TRY(state, session.snapshot());
  Buffer<std::byte> page(chosen.host.allocator);
  if (!page.resize(state.cache->pool()->page_bytes()))
    return fail(Code::out_of_memory, "no memory to save a session");
  SavedWriter to(file);
  to.value(kSavedMagic), to.value(kSavedVersion);
  write_section(to, SavedSection::identity,
                [&](SavedWriter& w) { w.value(identity(session.model(), chosen.limits)); });
  write_section(to, SavedSection::settings, [&](SavedWriter& w) {
    w.text(chosen.system);
    w.value(static_cast<std::uint32_t>(chosen.keep_generated_ids));
  });
  write_section(to, SavedSection::pictures, [&](SavedWriter& w) {
    w.size(state.pictures.size());
    for (const Snapshot::SavedPicture& p : state.pictures) w.value(p.hash), w.put(p.rows);
  });
  write_section(to, SavedSection::turns, [&](SavedWriter& w) { write_turns(w, state); });
  write_section(to, SavedSection::cache,
                [&](SavedWriter& w) { write_cache(w, state, dims, *chosen.limits.kv, page.span()); });
  const ContentHash hash = to.hash();
  to.value(hash);
  return file.commit();
}

// --- reading -------------------------------------------------------------------------------------

/// Reads a file into a Snapshot that views it. Errors name the file.
class SavedFile {
 public:
  /// `what` is the file's name, for messages. All references must outlive this object.
  SavedFile(const ModelState& model, const Limits& limits, std::string_view what, Allocator* from) noexcept
      : model_(model), limits_(limits), what_(what), state_(from), id_counts_(from) {}

  /// Reads and checks everything. The bytes must outlive the snapshot.
  ///
  /// Codes  bad_file (no saved session, damaged), unsupported (another version or model), bad_text, out_of_memory
  Status read(std::span<const std::byte> bytes) {
    SavedReader from(bytes);
    if (from.value<std::uint64_t>() != kSavedMagic) return broken("is not a saved session");
    const auto version = from.value<std::uint32_t>();
    if (!from.good()) return damaged();
    if (version == 1) return read_version_1(bytes);
    if (version != kSavedVersion)
      return fail(Code::unsupported, "%s: has version %u, this library reads versions 1 and %u",
                  Printable(what_).text(), version, kSavedVersion);
    return read_sections(bytes, from);
  }

  /// The snapshot, once read() was ok.
  [[nodiscard]] const Snapshot& state() const noexcept { return state_; }
  /// The system text, which the bytes own.
  [[nodiscard]] std::string_view system() const noexcept { return system_; }
  /// SessionOptions::keep_generated_ids of the session that was saved.
  [[nodiscard]] bool keep_generated_ids() const noexcept { return keep_generated_ids_; }

 private:
  /// The error for a file that is not what it should be.
  [[nodiscard]] Status broken(const char* why) const noexcept {
    return fail(Code::bad_file, "%s: %s", Printable(what_).text(), why);
  }
  /// The error for a file that ends too early, or whose hash is wrong.
  [[nodiscard]] Status damaged() const noexcept { return broken("is truncated or damaged"); }
  /// The error for a file that has more than the session may keep.
  [[nodiscard]] Status too_much(const char* of) const noexcept {
    return fail(Code::limit, "%s: has more %s than the session's limits allow", Printable(what_).text(), of);
  }
  /// The error for lists that do not fit into memory.
  [[nodiscard]] Status no_memory() const noexcept {
    return fail(Code::out_of_memory, "%s: no memory for the list of its turns", Printable(what_).text());
  }

  /// Reads a file without section headers: the five contents in their order, and a hash over the pieces.
  DSVL_COLD
  Status read_version_1(std::span<const std::byte> bytes) {
    SavedReader from(bytes, true);
    (void)from.take(sizeof kSavedMagic), (void)from.take(sizeof kSavedVersion);
    for (const SavedSection section : {SavedSection::identity, SavedSection::settings, SavedSection::pictures,
                                       SavedSection::turns, SavedSection::cache})
      DSVL_CHECK_STATUS(read_section(section, from));
    const ContentHash sum = from.hash_of_pieces();
    return from.value<ContentHash>() == sum && from.good() && from.left() == 0 ? check() : damaged();
  }

  /// Reads sections in any order after the identity, skips those that need not be known, and compares the hash.
  DSVL_COLD
  Status read_sections(std::span<const std::byte> bytes, SavedReader& from) {
    constexpr std::size_t kHash = sizeof(ContentHash);
    while (from.left() > kHash) {
      const auto tag = from.value<std::uint32_t>(), required = from.value<std::uint32_t>();
      SavedReader section(from.take(from.size(1)));
      if (!from.good()) return damaged();
      if (tag < static_cast<std::uint32_t>(SavedSection::identity) ||
          tag > static_cast<std::uint32_t>(SavedSection::cache)) {
        if (required == 0) continue;
        return fail(Code::unsupported, "%s: has a section %u, which this library does not know and must",
                    Printable(what_).text(), tag);
      }
      DSVL_CHECK_STATUS(read_section(static_cast<SavedSection>(tag), section));
      if (section.left() > 0) return damaged();
    }
    StreamHash hash;
    hash.add(bytes.first(bytes.size() - std::min<std::size_t>(from.left(), bytes.size())));
    return from.value<ContentHash>() == hash.value() && from.good() && from.left() == 0 ? check() : damaged();
  }

  /// Reads the contents of one section. Each may come once, and the identity comes first, so that the sizes of the rest
  /// are known to be this model's.
  Status read_section(SavedSection section, SavedReader& from) {
    const unsigned bit = 1u << static_cast<unsigned>(section);
    if ((seen_ & bit) != 0 || (seen_ == 0 && section != SavedSection::identity)) return damaged();
    seen_ |= bit;
    switch (section) {
      case SavedSection::identity: return read_identity(from);
      case SavedSection::settings: return read_settings(from);
      case SavedSection::pictures: return read_pictures(from);
      case SavedSection::turns: return read_turns(from);
      case SavedSection::cache: return read_cache(from);
    }
    return damaged();
  }

  /// Refuses a file of another model, and one whose keys and values have another format.
  ///
  /// Codes  unsupported, bad_file
  Status read_identity(SavedReader& from) {
    const auto id = from.value<ContentHash>();
    if (!from.good()) return damaged();
    if (id == identity(model_, limits_)) return {};
    return fail(Code::unsupported, "%s: was saved with another model, or with other keys and values or activations",
                Printable(what_).text());
  }

  /// Reads the system text and keep_generated_ids.
  Status read_settings(SavedReader& from) {
    system_ = from.text();
    keep_generated_ids_ = from.value<std::uint32_t>() != 0;
    if (!from.good()) return damaged();
    return utf8::validate(system_, "the saved system text");
  }

  /// Reads the embeddings of pictures, as views of the file.
  Status read_pictures(SavedReader& from) {
    const Index floats = model_.config.image_tokens() * model_.config.decoder.hidden;
    const auto bytes = static_cast<std::size_t>(floats) * sizeof(float);
    const std::size_t count = from.size(sizeof(ContentHash) + bytes);
    if (count > most()) return too_much("pictures");
    for (std::size_t p = 0; p < count && from.good(); ++p) {
      const auto hash = from.value<ContentHash>();
      if (!state_.pictures.push_back({hash, from.take(bytes), nullptr})) return no_memory();
    }
    return from.good() ? Status() : damaged();
  }

  /// Reads the turns; questions and answers alternate.
  Status read_turns(SavedReader& from) {
    const std::size_t turns = from.size(sizeof(std::uint64_t));
    for (std::size_t t = 0; t < turns; ++t) {
      const Role role = t % 2 == 0 ? Role::user : Role::assistant;
      const std::size_t parts = from.size(1 + 2 * sizeof(std::uint64_t));
      if (!from.good() || parts == 0) return damaged();
      if (turns > most() || parts > most() - state_.segments.size()) return too_much("turns");
      if (!state_.turns.push_back({role, state_.segments.size(), parts})) return no_memory();
      for (std::size_t i = 0; i < parts; ++i) DSVL_CHECK_STATUS(read_part(from));
    }
    return from.good() ? Status() : damaged();
  }
  /// Reads one part of a turn. Texts have to be UTF-8 and ids inside the vocabulary, as everywhere else.
  Status read_part(SavedReader& from) {
    Segment part;
    part.kind = from.value<Segment::Kind>();
    part.text = from.text();
    const std::size_t count = from.size(sizeof(std::int32_t));
    const auto ids = from.take(count * sizeof(std::int32_t));
    if (!from.good()) return damaged();
    DSVL_CHECK_STATUS(utf8::validate(part.text, "a saved turn"));
    const auto known = {Segment::Kind::text, Segment::Kind::image, Segment::Kind::tokens};
    if (std::find(known.begin(), known.end(), part.kind) == known.end()) return broken("is damaged");
    if (count > 0 && part.kind != Segment::Kind::tokens) return broken("is damaged");
    if (count > most() - state_.segment_ids.size()) return too_much("tokens");
    text_bytes_ += part.text.size();
    if (text_bytes_ > static_cast<std::size_t>(limits_.text_bytes)) return too_much("text");
    for (std::size_t at = 0; at < ids.size(); at += sizeof(std::int32_t)) {
      std::int32_t id = 0;
      std::memcpy(&id, ids.data() + at, sizeof id);
      if (id < 0 || id >= model_.config.decoder.vocab)
        return fail(Code::bad_file, "%s: has the token %d, outside the vocabulary", Printable(what_).text(), id);
      if (!state_.segment_ids.push_back(id)) return no_memory();
    }
    // The list of ids moves while it grows, so the parts' views of it are made when it is whole: in check().
    return id_counts_.push_back(count) && state_.segments.push_back(part) ? Status() : no_memory();
  }

  /// Reads the keys, which are copied because of their alignment, and the pages as a view of the file.
  Status read_cache(SavedReader& from) {
    const std::size_t tokens = from.size(sizeof(TokenKey));
    const auto keys = from.take(tokens * sizeof(TokenKey));
    const DecoderDims& d = model_.config.decoder;
    const auto page = static_cast<std::size_t>(kv_page_bytes<float>(d.heads, d.layers, *limits_.kv));
    const std::size_t pages = tokens / static_cast<std::size_t>(kKvBlock) + (tokens % kKvBlock != 0);
    if (!from.good() || pages > from.left() / page) return damaged();
    if (tokens > most()) return too_much("tokens");
    state_.pages = from.take(pages * page);
    if (!state_.file_keys.resize(tokens)) return no_memory();
    if (tokens > 0) std::memcpy(static_cast<void*>(state_.file_keys.data()), keys.data(), keys.size());
    state_.keys = state_.file_keys.span();
    return {};
  }

  /// At most so many turns, parts, pictures or tokens are kept: each takes a token of the context at least, a few turns
  /// aside that have none left. So a file takes memory by the session's limits, and not by its own size.
  [[nodiscard]] std::size_t most() const noexcept { return static_cast<std::size_t>(limits_.context) + 2; }

  /// Completes the state when everything was read and the hash is right, and looks whether the sections go together.
  Status check() noexcept {
    // All five sections have come.
    if (seen_ != 0b111110) return damaged();
    std::size_t at = 0, places = 0;
    for (std::size_t i = 0; i < state_.segments.size(); ++i) {
      state_.segments[i].ids = state_.segment_ids.span().subspan(at, id_counts_[i]);
      at += id_counts_[i];
      places += state_.segments[i].kind == Segment::Kind::image;
    }
    if (state_.turns.size() % 2 == 0 && places == state_.pictures.size()) return {};
    return broken("its turns do not go with its pictures");
  }

  const ModelState& model_;          // sizes that the file must fit
  const Limits& limits_;             // of the session that will be opened
  std::string_view what_;            // the file's name
  Snapshot state_;                   // views the file, and owns lists
  Buffer<std::size_t> id_counts_;    // of each segment
  std::string_view system_;          // in the file
  bool keep_generated_ids_ = false;  // of the session that was saved
  std::size_t text_bytes_ = 0;       // of all parts so far
  unsigned seen_ = 0;                // a bit for each section that was read
};

/// Opens a session in the state of a saved file. `options` have complete limits; the file decides what it contains.
///
/// Codes  those of SavedFile::read, SessionState::open and SessionState::restore
DSVL_COLD
inline Result<std::shared_ptr<SessionState>> load_session(const Model& model, SessionOptions options,
                                                          std::span<const std::byte> bytes, const std::string& what) {
  const Limits& limits = options.limits;
  SavedFile file(*model.state(), limits, what, options.host.allocator);
  DSVL_CHECK_STATUS(file.read(bytes));
  options.system = std::string(file.system());
  options.keep_generated_ids = file.keep_generated_ids();
  auto session = std::make_shared<SessionState>(model.state(), options);
  DSVL_CHECK_STATUS(session->open());
  const Status restored = session->restore(file.state());
  if (restored.code() == Code::limit) return fail(Code::limit, "%s: %s", Printable(what).text(), restored.text());
  DSVL_CHECK_STATUS(restored);
  return session;
}

}  // namespace detail

DSVL_INLINE Status Session::save(const std::filesystem::path& file, const SaveOptions& options) const {
  DSVL_CHECK_STATUS(detail::check_there(state_));
  return detail::save_session(*state_, file, options);
}

DSVL_INLINE Result<Session> Session::load(const Model& model, std::span<const std::byte> saved,
                                          const SessionOptions& options) {
  DSVL_TRY(chosen, detail::chosen_options(model, options));
  DSVL_TRY(state, detail::load_session(model, std::move(chosen), saved, "saved session"));
  return Session(std::move(state));
}

DSVL_INLINE Result<Session> Session::load(const Model& model, const std::filesystem::path& file,
                                          const SessionOptions& options) {
  DSVL_TRY(chosen, detail::chosen_options(model, options));
  const std::string what = path_to_utf8(file);
  DSVL_TRY(mapped, MappedFile::open(file, what));
  DSVL_TRY(state, detail::load_session(model, std::move(chosen), {mapped.data(), mapped.size()}, what));
  return Session(std::move(state));
}

DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_SAVED_SESSION_HPP
