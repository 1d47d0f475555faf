// A saved session of any bytes, with the model's identity and the checksum put right, which no fuzzer finds by itself: an
// error, or a session that goes on. What its keys and values say is its own affair, and so are its answers.
#include <dsvl/base/hash.hpp>
#include <dsvl/chat/internal/saved_bytes.hpp>
#include <dsvl/engine/page_pool.hpp>
#include <dsvl/model/config.hpp>

#include "model.hpp"

namespace fuzz_saved_session {
using namespace dsvl;

constexpr std::size_t kHead = 8 + 4, kSum = sizeof(ContentHash);

/// Follows a file as its reader does, to know what the checksum is over.
class Walk {
 public:
  explicit Walk(std::string_view file) noexcept : file_(file) {}
  std::string_view take(std::size_t n) noexcept {
    if (!good_ || n > file_.size() - at_) return good_ = false, std::string_view();
    const std::string_view out = file_.substr(at_, n);
    at_ += n;
    for (std::string_view left = out; !left.empty();) {
      std::uint64_t word = 0;
      const std::size_t some = std::min<std::size_t>(left.size(), 8);
      std::memcpy(&word, left.data(), some);
      sum_.add(word ^ std::uint64_t{some} << 56);
      left.remove_prefix(some);
    }
    return out;
  }
  template <class T>
  T value() noexcept {
    return fuzz::read<T>(take(sizeof(T)));
  }
  std::size_t size(std::size_t each) noexcept {
    const auto n = value<std::uint64_t>();
    if (n > (file_.size() - at_) / each) good_ = false;
    return good_ ? static_cast<std::size_t>(n) : 0;
  }
  [[nodiscard]] bool good() const noexcept { return good_; }
  [[nodiscard]] std::size_t at() const noexcept { return at_; }
  [[nodiscard]] const ContentHash& sum() const noexcept { return sum_; }

 private:
  std::string_view file_;
  std::size_t at_ = 0;
  bool good_ = true;
  ContentHash sum_;
};

/// The identity of our model, as a saved session has it.
const std::string& identity() {
  static const std::string good = fuzz::file("tests/data/older/session.dsvl").substr(kHead, kSum);
  return good;
}

/// A file of version 2 with that identity, where it has it, and the right hash at its end.
std::string sealed_sections(std::string file) {
  constexpr std::size_t kIdentity = kHead + 4 + 4 + 8;
  if (file.size() < kIdentity + 2 * kSum) return file;
  file.replace(kIdentity, kSum, identity());
  StreamHash hash;
  hash.add(fuzz::bytes_of(std::string_view(file).substr(0, file.size() - kSum)));
  const ContentHash sum = hash.value();
  file.replace(file.size() - kSum, kSum, reinterpret_cast<const char*>(&sum), kSum);
  return file;
}

/// A file of version 1 with that identity and, as far as it can be followed, the right checksum at its end.
std::string sealed(std::string file) {
  if (file.size() > kHead && file[8] == 2) return sealed_sections(std::move(file));
  if (file.size() >= kHead + kSum) file.replace(kHead, kSum, identity());
  const ModelConfig& config = fuzz::model().config();
  const DecoderDims& d = config.decoder;
  const auto rows = static_cast<std::size_t>(config.image_tokens() * d.hidden) * sizeof(float);
  const auto page = static_cast<std::size_t>(kv_block_bytes<float>(KvFormat::q8, d.heads.head_dim) * d.heads.kv_heads * d.layers);
  Walk walk(file);
  walk.value<std::uint64_t>(), walk.value<std::uint32_t>(), walk.value<ContentHash>();
  walk.take(walk.size(1)), walk.value<std::uint32_t>();
  for (std::size_t n = walk.size(sizeof(ContentHash) + rows); n > 0 && walk.good(); --n)
    walk.value<ContentHash>(), walk.take(rows);
  for (std::size_t turns = walk.size(8); turns > 0 && walk.good(); --turns)
    for (std::size_t parts = walk.size(17); parts > 0 && walk.good(); --parts) {
      walk.value<std::uint8_t>(), walk.take(walk.size(1));
      walk.take(walk.size(4) * 4);
    }
  const std::size_t tokens = walk.size(sizeof(TokenKey));
  walk.take(tokens * sizeof(TokenKey));
  for (std::size_t p = 0; p * kKvBlock < tokens && walk.good(); ++p) walk.take(page);
  if (!walk.good()) return file;
  const ContentHash sum = walk.sum();
  file.resize(walk.at());
  file.append(reinterpret_cast<const char*>(&sum), sizeof sum);
  return file;
}

void run(fuzz::Input in) {
  const bool ask = in.size() % 4 != 0;
  const std::string file = sealed(std::string(in.rest()));
  fuzz::Memory memory;
  SessionOptions options;
  options.host.allocator = &memory;
  options.limits.context = 128;
  options.limits.kv = KvFormat::q8;
  options.limits.pictures = 3;
  options.limits.picture_side = 32;
  auto session = Session::load(fuzz::model(), fuzz::bytes_of(file), options);
  if (!session) return fuzz::check_error(session.error());
  const std::size_t turns = session->turns();
  FUZZ_CHECK(session->context() == 128 && turns <= 64);
  if (!ask) return;
  GenerateOptions few;
  few.max_tokens = 3;
  {
    Answer answer = session->ask("And?", few);
    while (answer.next()) {}
    FUZZ_CHECK(answer.finish() != Finish::none);
    if (answer.finish() == Finish::error) fuzz::check_error(answer.status());
    FUZZ_CHECK(session->turns() == turns + (answer.finish() == Finish::error ? 0 : 1));
  }
  auto fork = session->fork();
  if (fork) FUZZ_CHECK(fork->turns() == session->turns());
  FUZZ_CHECK(session->rewind(turns / 2).ok() && session->turns() == turns / 2);
  Answer again = session->ask(fuzz::pixels(1), "What?", few);
  while (again.next()) {}
  FUZZ_CHECK(again.finish() != Finish::none);
}

}  // namespace fuzz_saved_session

DSVL_FUZZ_TARGET(saved_session)
