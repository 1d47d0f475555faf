// Saving and loading a session: definitions of Session::save and Session::load.
//
// A file holds what a fork would share: the conversation, the tokens in the cache with their keys and values, and the
// pictures they came from; an answer in work is left out. It is for the same weights, preprocessing and kind of cache,
// which are compared, on a machine of the same byte order.
//
//   "DSVLSAVE", version, identity of the model, kind of cache
//   system text, keep_generated_ids
//   pictures   count, then hash and rows of each
//   turns      count, then role and segments of each (kind, text or ids)
//   cache      count of tokens, their entries, the pages (unused parts zeroed)
//   checksum
//
// Nothing in a file is believed: sizes are compared with what is left of it and with the session's limits before they
// are used. Keys and values may be any numbers; they can make nonsense of the answers and nothing else.
#ifndef DSVL_CHAT_SAVED_IMPL_HPP
#define DSVL_CHAT_SAVED_IMPL_HPP

#include "../base/host_macros_push.hpp"

#include <bit>

#include "../io/file_writer.hpp"
#include "session_impl.hpp"

DSVL_BEGIN_NAMESPACE

namespace detail {

/// Plain numbers and runs of bytes, appended to a file, with a checksum over all.
class SavedWriter {
 public:
  explicit SavedWriter(FileWriter& file) noexcept : file_(file) {}

  void put(std::span<const std::byte> bytes) noexcept {
    if (bytes.empty()) return;  // an empty run has no address, which the system's writer must not get
    add_to(checksum_, bytes);
    file_.write(bytes);
  }
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void value(const T& x) noexcept {
    put(std::as_bytes(std::span<const T, 1>(&x, 1)));
  }
  void size(std::size_t n) noexcept { value(static_cast<std::uint64_t>(n)); }
  template <class T>
  void run(std::span<const T> values) noexcept {
    size(values.size());
    put(std::as_bytes(values));
  }
  void text(std::string_view s) noexcept { run(std::span<const char>(s.data(), s.size())); }
  void finish() noexcept {
    const ContentHash sum = checksum_;
    value(sum);
  }

  static void add_to(ContentHash& checksum, std::span<const std::byte> bytes) noexcept {
    std::uint64_t word = 0;
    while (!bytes.empty()) {
      const std::size_t n = std::min<std::size_t>(bytes.size(), sizeof word);
      word = 0;
      std::memcpy(&word, bytes.data(), n);
      checksum.add(word ^ std::uint64_t{n} << 56);
      bytes = bytes.subspan(n);
    }
  }

 private:
  FileWriter& file_;
  ContentHash checksum_;
};

/// The same backwards; anything that is not there makes everything after it fail.
class SavedReader {
 public:
  explicit SavedReader(std::span<const std::byte> bytes) noexcept : left_(bytes) {}

  [[nodiscard]] std::span<const std::byte> take(std::size_t n) noexcept {
    if (n > left_.size()) return good_ = false, left_ = {}, std::span<const std::byte>();
    const auto out = left_.first(n);
    left_ = left_.subspan(n);
    SavedWriter::add_to(checksum_, out);
    return out;
  }
  template <class T>
    requires std::is_trivially_copyable_v<T>
  T value() noexcept {
    T out{};
    if (const auto bytes = take(sizeof out); good_) std::memcpy(&out, bytes.data(), sizeof out);
    return out;
  }
  /// A count of things that take at least `each` bytes: no more than the rest of the file can hold.
  [[nodiscard]] std::size_t size(std::size_t each) noexcept {
    const auto n = value<std::uint64_t>();
    if (n > left_.size() / each) return good_ = false, std::size_t{0};
    return static_cast<std::size_t>(n);
  }
  [[nodiscard]] std::string_view text() noexcept {
    const auto bytes = take(size(1));
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  /// Whether all was there, and the checksum is right, and nothing follows.
  [[nodiscard]] bool finish() noexcept {
    const ContentHash sum = checksum_;
    return value<ContentHash>() == sum && good_ && left_.empty();
  }
  [[nodiscard]] bool good() const noexcept { return good_; }

 private:
  std::span<const std::byte> left_;
  bool good_ = true;
  ContentHash checksum_;
};

/// What a saved cache is good for: these weights (their names, shapes and a sample of their bytes), this preprocessing,
/// this layout of the cache, products like these.
DSVL_COLD
inline ContentHash identity(const ModelState& model, const Limits& limits) noexcept {
  ContentHash id;
  const auto number = [&](auto x) { id.add(static_cast<std::uint64_t>(x)); };
  const auto real = [&](float x) { id.add(std::bit_cast<std::uint32_t>(x)); };
  for (const TensorInfo& t : model.network->checkpoint.tensors()) {
    SavedWriter::add_to(id, std::as_bytes(std::span(t.name)));
    SavedWriter::add_to(id, std::as_bytes(std::span(t.dtype)));
    for (const Index d : t.dims()) number(d);
    const std::size_t some = std::min<std::size_t>(t.bytes, 64);
    for (const std::size_t at : {std::size_t{0}, (t.bytes - some) / 2, t.bytes - some})
      SavedWriter::add_to(id, {t.data + at, some});
  }
  const PreprocessConfig& p = model.config.preprocess;
  number(p.size_rule), number(p.min_side), number(p.low_source), id.add(std::bit_cast<std::uint64_t>(p.rescale));
  for (const ViewConfig* view : {&p.low, &p.high}) {
    number(view->side), number(view->filter);
    for (std::size_t c = 0; c < 3; ++c)
      number(view->background[c]), real(view->image_mean[c]), real(view->image_std[c]);
  }
  number(*limits.kv), number(limits.activations), number(model.config.layout), number(kKvBlock);
  return id;
}

/// Zeroes what is behind the first `used` tokens of a page.
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

}  // namespace detail

/// Friend of SessionState: reads and fills it.
class detail::SavedSession {
 public:
  static constexpr std::uint64_t kMagic = 0x45564153'4C565344ull;  // "DSVLSAVE", little-endian
  static constexpr std::uint32_t kVersion = 1;

  DSVL_COLD
  static Status save(const SessionState& s, const std::filesystem::path& path, const SaveOptions& options) {
    FileWriter file(path, {options.sync, s.options_.host.log});
    DSVL_CHECK_STATUS(file.status());
    SavedWriter to(file);
    const DecoderDims& dims = s.model_->config.decoder;
    to.value(kMagic), to.value(kVersion), to.value(detail::identity(*s.model_, s.options_.limits));
    to.text(s.options_.system), to.value(static_cast<std::uint32_t>(s.options_.keep_generated_ids));

    const std::size_t turns = 2 * s.turns(), pictures = s.conversation_.pictures(turns);
    to.size(pictures);
    for (std::size_t p = 0; p < pictures; ++p) {
      to.value(s.pictures_[p]->hash);
      to.put(std::as_bytes(std::span(s.pictures_[p]->rows, static_cast<std::size_t>(s.gallery_->picture_floats()))));
    }
    to.size(turns);
    for (std::size_t t = 0; t < turns; ++t) {
      to.size(s.conversation_.content(t).size());
      for (const Segment& part : s.conversation_.content(t)) {
        to.value(part.kind);
        to.text(part.text);
        to.run(part.ids);
      }
    }
    const Cache& cache = s.engine_.cache();
    const Index tokens =
        s.phase_ == SessionState::Phase::over ? cache.size() : std::min<Index>(cache.size(), s.position_);
    to.run(cache.entries().first(static_cast<std::size_t>(tokens)));
    Buffer<std::byte> page(s.options_.host.allocator);
    if (!page.resize(cache.pool()->page_bytes())) return fail(Code::out_of_memory, "no memory to save a session");
    for (Index p = 0; p * kKvBlock < tokens && !file.failed(); ++p) {
      std::memcpy(page.data(), cache.page_bytes(p).data(), page.size());
      const Index used = std::min<Index>(kKvBlock, tokens - p * kKvBlock);
      if (used < kKvBlock) detail::clear_rest(dims, *s.options_.limits.kv, page.span(), used);
      to.put(page.span());
    }
    to.finish();
    return file.commit();
  }

  static Result<std::shared_ptr<SessionState>> load(const std::shared_ptr<const ModelState>& model,
                                                    SessionOptions options, std::span<const std::byte> bytes,
                                                    const std::string& what) {
    const auto broken = [&](const char* why) { return fail(Code::bad_file, "%s: %s", Printable(what).text(), why); };
    SavedReader from(bytes);
    if (from.value<std::uint64_t>() != kMagic) return broken("is not a saved session");
    if (const auto version = from.value<std::uint32_t>(); from.good() && version != kVersion)
      return fail(Code::unsupported, "%s: has version %u, this library reads version %u", Printable(what).text(),
                  version, kVersion);
    const auto id = from.value<ContentHash>();
    if (!from.good()) return broken("is truncated or damaged");
    if (id != detail::identity(*model, options.limits))
      return fail(Code::unsupported, "%s: was saved with another model, or with other keys and values or activations",
                  Printable(what).text());
    options.system = std::string(from.text());
    options.keep_generated_ids = from.value<std::uint32_t>() != 0;
    DSVL_CHECK_STATUS(utf8::validate(options.system, "the saved system text"));
    auto s = std::make_shared<SessionState>(model, options);
    DSVL_CHECK_STATUS(s->open());
    DSVL_CHECK_STATUS(read_pictures(from, *s, what));
    DSVL_CHECK_STATUS(read_turns(from, *s, what));
    DSVL_CHECK_STATUS(read_cache(from, *s, what));
    if (!from.finish()) return broken("is truncated or damaged");
    return s;
  }

 private:
  static Status too_much(const std::string& what, const char* of) {
    return fail(Code::limit, "%s: has more %s than the session's limits allow", Printable(what).text(), of);
  }

  static Status read_pictures(SavedReader& from, SessionState& s, const std::string& what) {
    const Index floats = s.model_->config.image_tokens() * s.model_->config.decoder.hidden;
    const auto bytes = static_cast<std::size_t>(floats) * sizeof(float);
    const std::size_t count = from.size(sizeof(ContentHash) + bytes);
    if (count > 0 && !s.gallery_) return too_much(what, "pictures");
    for (std::size_t p = 0; p < count; ++p) {
      const auto hash = from.value<ContentHash>();
      const auto rows = from.take(bytes);
      if (!from.good()) return {};  // finish() says so
      EncodedPicture* place = s.gallery_->find(hash);
      if (!place) {
        place = s.gallery_->take();
        if (!place) return too_much(what, "pictures");
        s.gallery_->put(place, hash, rows);
      }
      if (!s.pictures_.push_back(place)) {
        s.gallery_->release(place);
        return too_much(what, "pictures");
      }
    }
    return {};
  }

  DSVL_COLD
  static Status read_turns(SavedReader& from, SessionState& s, const std::string& what) {
    const std::size_t turns = from.size(sizeof(std::uint64_t));
    for (std::size_t t = 0; t < turns; ++t) {
      const Role role = t % 2 == 0 ? Role::user : Role::assistant;
      const std::size_t parts = from.size(1 + 2 * sizeof(std::uint64_t));
      s.conversation_.begin_turn(role);
      for (std::size_t i = 0; i < parts; ++i) {
        const auto kind = from.value<Segment::Kind>();
        const std::string_view text = from.text();
        const auto ids = from.take(sizeof(std::int32_t) * from.size(sizeof(std::int32_t)));
        if (!from.good()) return {};
        DSVL_CHECK_STATUS(utf8::validate(text, "a saved turn"));
        switch (kind) {
          case Segment::Kind::text: s.conversation_.add_text(text); break;
          case Segment::Kind::image: s.conversation_.add_image(); break;
          case Segment::Kind::tokens: DSVL_CHECK_STATUS(add_ids(ids, s, what)); break;
          default: return fail(Code::bad_file, "%s: is damaged", Printable(what).text());
        }
      }
      DSVL_CHECK_STATUS(s.conversation_.end_turn());
    }
    if (turns % 2 != 0 || s.conversation_.pictures(turns) != s.pictures_.size())
      return fail(Code::bad_file, "%s: its turns do not go with its pictures", Printable(what).text());
    return {};
  }

  static Status add_ids(std::span<const std::byte> stored, SessionState& s, const std::string& what) {
    for (std::size_t at = 0; at < stored.size(); at += sizeof(std::int32_t)) {
      std::int32_t id = 0;
      std::memcpy(&id, stored.data() + at, sizeof id);
      if (id < 0 || id >= s.model_->config.decoder.vocab)
        return fail(Code::bad_file, "%s: has the token %d, outside the vocabulary", Printable(what).text(), id);
      s.conversation_.add_id(id);
    }
    return {};
  }

  static Status read_cache(SavedReader& from, SessionState& s, const std::string& what) {
    Cache& cache = s.engine_.cache();
    const std::size_t tokens = from.size(sizeof(Slot));
    if (static_cast<Index>(tokens) > cache.context()) return too_much(what, "tokens");
    const auto entries = from.take(tokens * sizeof(Slot));
    if (!from.good() || tokens == 0) return {};
    DSVL_CHECK_STATUS(cache.prepare(static_cast<Index>(tokens)));
    for (Index p = 0; p * kKvBlock < static_cast<Index>(tokens); ++p) {
      const std::span<std::byte> page = cache.page_bytes(p);
      const auto stored = from.take(page.size());
      if (!from.good()) return {};
      std::memcpy(page.data(), stored.data(), page.size());
    }
    (void)s.slots_.resize(tokens);
    std::memcpy(static_cast<void*>(s.slots_.data()), entries.data(), entries.size());
    cache.append(s.slots_.span());
    return {};
  }
};

DSVL_INLINE Status Session::save(const std::filesystem::path& file, const SaveOptions& options) const {
  DSVL_CHECK_STATUS(detail::check_there(state_));
  return detail::SavedSession::save(*state_, file, options);
}

DSVL_INLINE Result<Session> Session::load(const Model& model, std::span<const std::byte> saved,
                                          const SessionOptions& options) {
  DSVL_TRY(chosen, detail::chosen_options(model, options));
  DSVL_TRY(state, detail::SavedSession::load(model.state(), chosen, saved, "saved session"));
  return Session(std::move(state));
}

DSVL_INLINE Result<Session> Session::load(const Model& model, const std::filesystem::path& file,
                                          const SessionOptions& options) {
  DSVL_TRY(chosen, detail::chosen_options(model, options));
  const std::string what = path_to_utf8(file);
  DSVL_TRY(mapped, MappedFile::open(file, what));
  DSVL_TRY(state, detail::SavedSession::load(model.state(), chosen, {mapped.data(), mapped.size()}, what));
  return Session(std::move(state));
}

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_SAVED_IMPL_HPP
