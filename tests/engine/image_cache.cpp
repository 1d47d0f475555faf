// The cache of embeddings: which are found, which make room, and that one borrower at a time has the encoder.
#include <dsvl/engine/image_cache.hpp>
#include <thread>

#include "../chat/demo.hpp"

using namespace dsvl;

namespace {

/// Room for two pictures.
struct Two {
  Limits limits;
  ImageCache cache;
  std::vector<std::byte> rows;

  Two() : limits(of_two()), cache(test::tiny_model().network(), test::tiny_model().config().preprocess, limits, 1, nullptr) {
    REQUIRE(cache.open());
    rows.resize(static_cast<std::size_t>(cache.picture_floats()) * sizeof(float));
  }
  static Limits of_two() {
    Limits limits;
    limits.pictures = 2;
    limits.picture_side = 64;
    return limits;
  }
  static ContentHash hash(std::uint64_t n) { return {n, n}; }

  /// A new embedding, all of whose bytes are `n`; null when there is no place.
  ImageEmbedding* add(unsigned char n) {
    ImageEmbedding* const place = cache.take();
    if (!place) return nullptr;
    std::fill(rows.begin(), rows.end(), std::byte{n});
    cache.put(place, hash(n), rows);
    return place;
  }
};

}  // namespace

TEST_CASE("an embedding is found by its hash, once its rows are there, and keeps its bytes") {
  Two two;
  CHECK(two.cache.find(Two::hash(1)) == nullptr);
  ImageEmbedding* const place = two.cache.take();
  REQUIRE(place);
  CHECK(two.cache.find(Two::hash(1)) == nullptr);
  std::fill(two.rows.begin(), two.rows.end(), std::byte{1});
  two.cache.put(place, Two::hash(1), two.rows);
  CHECK(two.cache.find(Two::hash(1)) == place);
  CHECK(two.cache.find(Two::hash(2)) == nullptr);
  const auto bytes = two.cache.bytes_of(*place);
  CHECK(std::equal(bytes.begin(), bytes.end(), two.rows.begin(), two.rows.end()));
}

TEST_CASE("the embedding that was released first makes room, and none that has a user") {
  Two two;
  ImageEmbedding *const a = two.add(1), *const b = two.add(2);
  REQUIRE((a && b));
  CHECK(two.add(3) == nullptr);  // both have a user
  two.cache.release(b);
  two.cache.release(a);
  CHECK(two.cache.find(Two::hash(2)) == b);  // and has a user again
  ImageEmbedding* const c = two.add(3);
  CHECK(c == a);
  CHECK(two.cache.find(Two::hash(1)) == nullptr);
  two.cache.retain(c);
  two.cache.release(c);
  two.cache.release(b);
  CHECK(two.add(4) == b);  // c still has a user
  CHECK(two.cache.find(Two::hash(3)) == c);
}

TEST_CASE("one borrower has the encoder until its lease ends or is moved away") {
  using namespace std::chrono_literals;
  Two two;
  EncoderLease lease = two.cache.borrow_encoder(0ms);
  REQUIRE(lease);
  CHECK_FALSE(two.cache.borrow_encoder(1ms));
  EncoderLease other = std::move(lease);
  CHECK_FALSE(lease);  // NOLINT: a lease that was moved from is empty
  CHECK_FALSE(two.cache.borrow_encoder(0ms));
  const auto image = read_image(test::tiny_vl() / "demo" / "002.png");
  REQUIRE(image);
  REQUIRE(other->begin(image->pixels()).ok());
  CHECK(other->busy());
  other = {};
  EncoderLease next = two.cache.borrow_encoder(0ms);
  REQUIRE(next);
  CHECK_FALSE(next->busy());  // what the lease before had begun was given up
}

TEST_CASE("an encoder that its holder left on this thread can be taken over, and the holder finds out") {
  using namespace std::chrono_literals;
  Two two;
  EncoderLease lease = two.cache.borrow_encoder(0ms);
  REQUIRE(lease);
  CHECK_FALSE(two.cache.borrow_encoder(0ms, true));  // it is in use
  const auto image = read_image(test::tiny_vl() / "demo" / "002.png");
  REQUIRE(image);
  REQUIRE(lease->begin(image->pixels()).ok());
  lease.pause();
  CHECK_FALSE(two.cache.borrow_encoder(0ms));  // the holder may go on
  CHECK(lease.resume());
  CHECK(lease->busy());
  lease.pause();
  std::thread([&] { CHECK_FALSE(two.cache.borrow_encoder(0ms, true)); }).join();  // there the holder may go on meanwhile
  {
    const EncoderLease taken = two.cache.borrow_encoder(0ms, true);
    REQUIRE(taken);
    CHECK_FALSE(taken->busy());
    CHECK_FALSE(lease.resume());
    CHECK_FALSE(lease);
  }
  CHECK(two.cache.borrow_encoder(0ms));
}
