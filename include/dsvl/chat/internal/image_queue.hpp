// ImageQueue: the pictures of one question on their way to embeddings.
//
//   decode the file, or take pixels -> hash -> known to the image cache?  yes: done
//                                                                         no:  borrow the encoder, encode, keep
//
// It works in slices, one picture after another. What it has done is listed in seen(), for the application.
#ifndef DSVL_CHAT_INTERNAL_IMAGE_QUEUE_HPP
#define DSVL_CHAT_INTERNAL_IMAGE_QUEUE_HPP

#include "../../base/host_macros_push.hpp"

#include <vector>

#include "../../engine/image_cache.hpp"
#include "describe_picture.hpp"

DSVL_BEGIN_NAMESPACE

/// The pictures of one question at a time. The queue is a user of every embedding that is done, until the session takes
/// them over or gives them up.
class ImageQueue {
 public:
  /// A queue over a cache; null when the session takes no pictures. Decoded pictures take memory from `from`.
  ImageQueue(std::shared_ptr<ImageCache> images, const ImageLimits& limits, const PictureDecoder& decoder,
             Allocator* from)
      : images_(std::move(images)), limits_(limits), decoder_(decoder), from_(from) {}
  ImageQueue(const ImageQueue&) = delete;
  ImageQueue& operator=(const ImageQueue&) = delete;
  /// Gives up what is under way.
  ~ImageQueue() { abandon(); }

  /// Declares room for the embeddings of `pictures` pictures, and for what is known of `most` pictures of one question.
  void carve(Arena& arena, Index pictures, Index most) noexcept {
    done_ = arena.buffer<ImageEmbedding*>("pictures", pictures);
    seen_ = arena.buffer<SeenPicture>("pictures seen", most);
  }
  /// Makes room for the list of pictures that wait, which is not in the slab.
  void reserve(Index pictures) { waiting_.reserve(static_cast<std::size_t>(pictures)); }

  /// Begins with the pictures of a question, and forgets those of the one before. What they point to must stay until
  /// the work is done.
  void begin(std::span<const Picture> pictures) {
    abandon();
    seen_.clear();
    waiting_.assign(pictures.begin(), pictures.end());
  }
  /// The pictures that were looked at since begin(), finished or not; valid until the next begin().
  [[nodiscard]] std::span<const SeenPicture> seen() const noexcept { return seen_.span(); }
  /// True while pictures are left to do.
  [[nodiscard]] bool busy() const noexcept { return next_ < waiting_.size(); }

  /// Goes on until all pictures are done or the deadline has passed; busy() tells which. Adds the seconds to `usage`.
  /// On an error everything is given up.
  ///
  /// Codes  those of read_image and decode_image; limit (too many pictures), out_of_memory, cancelled
  Status advance(Executor& executor, const Control& control, Usage& usage) {
    while (busy()) {
      if (const Status s = step(executor, control, usage); !s.ok()) return abandon(), s;
      if (control.late()) break;
    }
    return {};
  }

  /// The embeddings in the pictures' order, when all are done.
  [[nodiscard]] std::span<ImageEmbedding* const> embeddings() const noexcept { return done_.span(); }
  /// Makes the caller the user of embeddings(), and forgets them.
  void hand_over() noexcept {
    done_.clear();
    waiting_.clear();
    next_ = 0;
  }
  /// Gives up the picture that is being encoded, and releases the embeddings that are done. seen() stays.
  void abandon() noexcept {
    encoder_ = {};
    if (place_) images_->release(place_);
    for (ImageEmbedding* p : done_) images_->release(p);
    done_.clear();
    waiting_.clear();
    begin_next(0);
  }

 private:
  static constexpr Index kPixelsAtOnce = 1 << 17;       // pixels hashed in one piece: a tenth of a millisecond
  static constexpr Index kConvertedAtOnce = 1 << 14;    // pixels that are converted for it, which is slower
  static constexpr std::chrono::milliseconds kWait{1};  // for the encoder, before the deadline is looked at again

  /// Turns to picture number `next`, of which nothing is known.
  void begin_next(std::size_t next) noexcept {
    next_ = next;
    opened_ = false;
    place_ = nullptr;
    image_ = Image();
  }

  /// Does one piece of the work of the picture at hand: opens it, hashes some rows, looks it up, or goes on encoding
  /// it.
  Status step(Executor& executor, const Control& control, Usage& usage) {
    if (control.cancelled()) return fail(Code::cancelled, "cancelled before %s", name(stage()).data());
    if (!opened_) return open(control, usage);
    if (!hasher_.done()) {
      const auto began = Clock::now();
      hasher_.advance(reads_in_place(pixels_) ? kPixelsAtOnce : kConvertedAtOnce);
      usage.decode_image += seconds_since(began);
      return {};
    }
    return encoder_ ? encode(executor, control, usage) : recognise(control);
  }
  /// The stage that a cancellation names.
  [[nodiscard]] Stage stage() const noexcept { return opened_ ? Stage::preprocess : Stage::decode_image; }

  /// Gets the pixels of the picture at hand, decoding it if it is a file, and describes it in seen().
  Status open(const Control& control, Usage& usage) {
    (void)seen_.push_back({});  // has room for as many as fit the prompt
    const Picture::Source& source = waiting_[next_].source();
    if (const Pixels* const given = std::get_if<Pixels>(&source)) {
      pixels_ = *given;
    } else {
      control.progress(Stage::decode_image, 0, 1);
      const auto began = Clock::now();
      const Until until(control.cancel, control.ends);  // a file that is left half decoded begins anew
      DSVL_TRY(image, detail::read_picture(source, limits_, decoder_, from_, until));
      usage.decode_image += seconds_since(began);
      control.progress(Stage::decode_image, 1, 1);
      image_ = std::move(image);
      pixels_ = image_.pixels();
    }
    const std::optional<Rect>& part = waiting_[next_].part();
    DSVL_CHECK_STATUS(detail::describe_picture(images_->preprocessing(), part, pixels_, at_hand()));
    at_hand().orientation = image_.orientation;
    at_hand().turned = image_.orientation != 1 && limits_.apply_exif_orientation;
    at_hand().tokens = images_->picture_tokens();
    at_hand().grid = images_->picture_grid();
    hasher_ = PixelHasher(pixels_);
    opened_ = true;
    return {};
  }

  /// Looks the picture up by its hash. A known one is done; for another the encoder is borrowed and begun, when it is
  /// free. A call that is the last to work on it takes it from a session that was left in the middle of its picture on
  /// this thread, since nobody else would go on with it; that one begins again later. Otherwise it is tried again in
  /// the next slice.
  Status recognise(const Control& control) {
    ImageEmbedding* const known = images_->find(hasher_.hash());
    at_hand().recognised = known != nullptr;
    if (known) return add(known);
    const bool last = control.deadline >= control.ends;
    EncoderLease encoder =
        images_->borrow_encoder(std::min<Clock::duration>(kWait, control.deadline - Clock::now()), last);
    if (!encoder) return {};  // tried again; until then another session may have encoded the same picture
    // The session that had the encoder until now may have encoded the same picture.
    if (ImageEmbedding* const meanwhile = images_->find(hasher_.hash())) {
      at_hand().recognised = true;
      return add(meanwhile);
    }
    place_ = images_->take();
    if (!place_)
      return fail(Code::limit,
                  "one picture too many: %td different ones are kept at a time (Limits::pictures)",
                  images_->most());
    encoder_ = std::move(encoder);
    DSVL_CHECK_STATUS(encoder_->begin(pixels_));
    encoder_.pause();
    return {};
  }

  /// Goes on encoding. When the rows are there, they are put into the cache and the encoder is given back.
  Status encode(Executor& executor, const Control& control, Usage& usage) {
    if (!encoder_.resume()) return images_->release(std::exchange(place_, nullptr)), Status();  // from the beginning
    DSVL_CHECK_STATUS(encoder_->advance(executor, control, usage));
    if (encoder_->busy()) return encoder_.pause(), Status();
    const View<const float> rows = encoder_->rows();
    images_->put(place_, hasher_.hash(),
                 std::as_bytes(std::span(rows.data, static_cast<std::size_t>(rows.rows * rows.cols))));
    encoder_ = {};
    return add(std::exchange(place_, nullptr));
  }

  /// Makes an embedding the result of the picture at hand, and turns to the next picture.
  Status add(ImageEmbedding* picture) noexcept {
    if (!done_.push_back(picture)) {
      images_->release(picture);
      return fail(Code::out_of_memory, "no memory for a list of pictures");
    }
    at_hand().done = true;
    begin_next(next_ + 1);
    return {};
  }

  /// The description of the picture at hand.
  [[nodiscard]] SeenPicture& at_hand() noexcept { return seen_[seen_.size() - 1]; }

  std::shared_ptr<ImageCache> images_;  // shared with forks; null: no pictures
  ImageLimits limits_;                  // for picture files
  PictureDecoder decoder_;              // the application's, for other kinds of files
  Allocator* from_;                     // memory of decoded pictures
  std::vector<Picture> waiting_;        // all pictures of the question
  Buffer<ImageEmbedding*> done_;        // of the pictures in front of next_
  Buffer<SeenPicture> seen_;            // one for each that was opened
  std::size_t next_ = 0;                // number of the picture at hand

  // The picture at hand.
  bool opened_ = false;              // pixels_ are there
  Image image_;                      // owns the pixels of a file
  Pixels pixels_;                    // of image_, or the caller's
  PixelHasher hasher_;               // reads them a piece at a time
  ImageEmbedding* place_ = nullptr;  // of the cache, where its rows will be; null while it is not encoded
  EncoderLease encoder_;             // held while it is being encoded
};

DSVL_END_NAMESPACE

#include "../../base/host_macros_pop.hpp"

#endif  // DSVL_CHAT_INTERNAL_IMAGE_QUEUE_HPP
