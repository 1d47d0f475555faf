// Album: the pictures a session has seen, encoded once and recognised by what they show.
//
// When it is full, a picture goes that nobody points to any more: what an abandoned turn or a completion brought along.
#ifndef DSVL_CHAT_ALBUM_HPP
#define DSVL_CHAT_ALBUM_HPP

#include <algorithm>
#include <memory>
#include <vector>

#include "../base/hash.hpp"
#include "../io/image.hpp"
#include "engine.hpp"
#include "picture.hpp"

DSVL_BEGIN_NAMESPACE

/// One picture as the decoder takes it.
struct EncodedPicture {
  ContentHash hash;
  Buffer<float> rows;  ///< (image tokens, hidden)
  Index hidden = 0;
  [[nodiscard]] const float* row(Index i) const noexcept { return rows.data() + i * hidden; }
};

class Album {
 public:
  Album(const ImageLimits& limits, Index most, Allocator* from) noexcept : limits_(limits), most_(most), from_(from) {}

  /// What of the album may not go: the conversation's pictures, and those of the call that is being prepared.
  struct InUse {
    std::span<const EncodedPicture* const> conversation, call;
    [[nodiscard]] bool has(const EncodedPicture* p) const noexcept {
      return std::find(conversation.begin(), conversation.end(), p) != conversation.end() ||
             std::find(call.begin(), call.end(), p) != call.end();
    }
  };

  /// The encoded picture; decodes, resizes and encodes only what it has not seen. Adds the seconds to `usage`.
  /// Codes: those of read_image and decode_image; limit (too many pictures), out_of_memory, cancelled.
  Result<const EncodedPicture*> add(const Picture& picture, const InUse& in_use, Index tokens, Index hidden,
                                    Engine& engine, const Control& control, Usage& usage) {
    if (const Pixels* const pixels = std::get_if<Pixels>(&picture.source()))
      return add_pixels(*pixels, in_use, tokens, hidden, engine, control, usage);
    if (control.cancel && control.cancel->cancelled())
      return fail(Code::cancelled, "cancelled before %s", name(Stage::decode_image).data());
    control.progress(Stage::decode_image, 0, 1);
    const auto began = Clock::now();
    const auto* const path = std::get_if<std::filesystem::path>(&picture.source());
    if (path && path->empty()) return fail(Code::bad_argument, "the path of a picture is empty");
    auto image = path ? read_image(*path, limits_, from_)
                      : decode_image(std::get<std::span<const std::byte>>(picture.source()), limits_, from_);
    if (!image) return image.error();
    usage.decode_image += seconds_since(began);
    control.progress(Stage::decode_image, 1, 1);
    return add_pixels(image->pixels(), in_use, tokens, hidden, engine, control, usage);
  }

  void clear() noexcept { pictures_.clear(); }

  static double seconds_since(Clock::time_point began) noexcept {
    return std::chrono::duration<double>(Clock::now() - began).count();
  }

 private:
  Result<const EncodedPicture*> add_pixels(const Pixels& pixels, const InUse& in_use, Index tokens, Index hidden,
                                           Engine& engine, const Control& control, Usage& usage) {
    DSVL_CHECK_STATUS(detail::check(pixels));
    const ContentHash hash = hash_pixels(pixels);
    for (const auto& known : pictures_)
      if (known->hash == hash) return known.get();
    if (static_cast<Index>(pictures_.size()) >= most_) {
      const auto unused = std::find_if(pictures_.begin(), pictures_.end(),
                                       [&](const auto& p) { return !in_use.has(p.get()); });
      if (unused == pictures_.end())
        return fail(Code::limit, "one picture too many: the session's limits allow %td different ones", most_);
      pictures_.erase(unused);
    }
    auto fresh = std::make_unique<EncodedPicture>(EncodedPicture{hash, Buffer<float>(from_), hidden});
    if (!fresh->rows.resize(static_cast<std::size_t>(tokens * hidden)))
      return fail(Code::out_of_memory, "no memory for the embedding of a picture");
    auto began = Clock::now();
    DSVL_CHECK_STATUS(engine.preprocess(pixels, control));
    usage.preprocess += seconds_since(began);
    began = Clock::now();
    DSVL_CHECK_STATUS(engine.encode({fresh->rows.data(), tokens, hidden}, control));
    usage.encode += seconds_since(began);
    pictures_.push_back(std::move(fresh));
    return pictures_.back().get();
  }

  ImageLimits limits_;
  Index most_;
  Allocator* from_;
  std::vector<std::unique_ptr<EncodedPicture>> pictures_;
};

DSVL_END_NAMESPACE

#endif  // DSVL_CHAT_ALBUM_HPP
