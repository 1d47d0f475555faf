// Attention over stored keys and values against a direct softmax: full, causal in chunks, grouped heads, bf16 store.
#include <dsvl/nn/attention.hpp>

#include "../oracle.hpp"
#include "../sequence.hpp"

using namespace dsvl;
using test::Mat;
using test::Rows;

namespace {

const auto kNoBias = [](Index, Index) { return 0.0; };

/// Blocks of keys and values for one sequence of up to `tokens`, filled with NaN.
template <class T>
struct Store {
  Buffer<std::byte> memory;
  std::vector<std::byte*> pages;
  KvBlocks blocks;

  Store(HeadShape shape, Index tokens, KvFormat format) {
    const Index block = kv_block_bytes<T>(format, shape.head_dim), page = block * shape.kv_heads + 64, n = ceil_div(tokens, kKvBlock);
    REQUIRE(memory.resize(static_cast<std::size_t>(page * n)));
    std::memset(memory.data(), 0xFF, memory.size());
    for (Index p = 0; p < n; ++p) pages.push_back(memory.data() + (n - 1 - p) * page);  // not in order: only the table counts
    blocks = {pages.data(), 64, block, format};
  }
};

Mat rounded(Mat x) {
  for (double& e : x.v) e = static_cast<double>(to_float(to_bf16(static_cast<float>(e))));
  return x;
}

}  // namespace

TEST_CASE("attention over all keys equals the direct softmax, for odd lengths and head sizes, in both stores") {
  struct Case { Index queries, keys; HeadShape shape; };
  for (const Case& c : {Case{16, 16, {4, 4, 12}}, {65, 130, {2, 2, 16}}, {3, 1, {1, 1, 5}}, {33, 64, {3, 3, 40}}, {7, 200, {8, 2, 20}}})
    for (const KvFormat format : {KvFormat::full, KvFormat::bf16}) {
      INFO(c.queries << " queries, " << c.keys << " keys, head_dim " << c.shape.head_dim);
      const Mat q = test::noise_mat(c.queries, c.shape.width(), 1, 2), k = test::noise_mat(c.keys, c.shape.kv_width(), 2, 2),
                v = test::noise_mat(c.keys, c.shape.kv_width(), 3);
      const bool round = format == KvFormat::bf16;
      const Mat want = test::attend_heads(q, round ? rounded(k) : k, round ? rounded(v) : v, c.shape.heads, c.shape.kv_heads, kNoBias);
      test::with_kernels([&](const auto& kernels) {
        using T = test::scalar_of<decltype(kernels)>;
        Immediate<T> on(kernels);
        Store<T> store(c.shape, c.keys, format);
        Rows<T> queries(q), keys(k), values(v), y(c.queries, c.shape.width());
        store_kv(on, keys, values, c.shape, nullptr, store.blocks);
        attention(on, queries, c.shape, store.blocks, c.keys, y);
        test::check_near(round ? "attention, bf16 store" : "attention", y.view(), want, test::kNear<T>);
        CHECK(y.padding_untouched());
        attention(on, queries, c.shape, store.blocks, c.keys, queries);  // y may be q
        CHECK(test::same_bits<T>(queries.view(), y.view()));
      });
    }
}

TEST_CASE("a bf16 store is told apart from a full one") {
  const Mat q = test::noise_mat(9, 32, 1, 2), k = test::noise_mat(9, 32, 2, 2), v = test::noise_mat(9, 32, 3);
  const Mat full = test::attend_heads(q, k, v, 2, 2, kNoBias), narrow = test::attend_heads(q, rounded(k), rounded(v), 2, 2, kNoBias);
  CHECK(test::relative_error(std::span<const double>(full.v), std::span<const double>(narrow.v)) > 1e-4);
}

TEST_CASE("causal attention in chunks, with grouped heads, equals the masked softmax over everything") {
  constexpr Index kTokens = 150;
  for (const HeadShape shape : {HeadShape{8, 2, 16}, {4, 4, 24}, {6, 1, 32}})
    for (const KvFormat format : {KvFormat::full, KvFormat::bf16}) {
      const bool round = format == KvFormat::bf16;
      const Mat q = test::noise_mat(kTokens, shape.width(), 1, 2), k = test::noise_mat(kTokens, shape.kv_width(), 2, 2),
                v = test::noise_mat(kTokens, shape.kv_width(), 3);
      const Mat want = test::attend_heads(q, round ? rounded(k) : k, round ? rounded(v) : v, shape.heads, shape.kv_heads, test::causal(0));
      test::with_kernels([&](const auto& kernels) {
        using T = test::scalar_of<decltype(kernels)>;
        Rows<T> queries(q), keys(k), values(v), first(kTokens, shape.width());
        for (const Index chunk : {kTokens, Index{1}, Index{7}, Index{64}, Index{65}}) {
          INFO("chunk " << chunk);
          Immediate<T> on(kernels);
          Store<T> store(shape, kTokens, format);
          Rows<T> y(kTokens, shape.width());
          Index start = 0, rows = 0;
          on.rows({&rows});
          for (; start < kTokens; start += rows) {
            rows = std::min<Index>(chunk, kTokens - start);
            const auto here = [&](Rows<T>& m) { return m.view().row_range(start, kTokens - start); };
            const test::Sequence places(start, rows, store.blocks.pages);
            store_kv(on, here(keys), here(values), shape, &places.rows, store.blocks);
            causal_attention(on, here(queries), shape, store.blocks, &places.rows, here(y));
          }
          if (chunk == kTokens) first = y;
          test::check_near("causal attention", y.view(), want, test::kNear<T>);
          CHECK(test::same_bits<T>(y.view(), first.view()));
        }
      });
    }
}

TEST_CASE("rows of several sequences share a pass, and each has the bits that it has alone") {
  const HeadShape shape{4, 2, 16};
  struct Part { Index begin, count; };  // of a sequence in the pass; the first part has been computed before
  const Part parts[] = {{70, 33}, {0, 5}, {127, 1}, {128, 1}, {0, 1}, {60, 20}};
  Rows<float> queries(test::noise_mat(200, shape.width(), 1, 2)), keys(test::noise_mat(200, shape.kv_width(), 2, 2)),
      values(test::noise_mat(200, shape.kv_width(), 3));
  Immediate<float> on(active_kernels<float>());
  Index total = 0;
  for (const Part& p : parts) total += p.count;
  Rows<float> q(total, shape.width()), k(total, shape.kv_width()), v(total, shape.kv_width()), y(total, shape.width());
  Rows<float> alone(total, shape.width());
  std::vector<std::unique_ptr<Store<float>>> stores;
  std::vector<SequenceRow> table;
  SequenceRows rows;
  for (const Part& p : parts) {
    stores.push_back(std::make_unique<Store<float>>(shape, 200, KvFormat::full));
    const KvBlocks& blocks = stores.back()->blocks;
    const auto part = [&](Rows<float>& m, Index begin, Index count) { return m.view().row_range(begin, count); };
    const Index at = static_cast<Index>(table.size());
    if (p.begin > 0) store_kv(on, part(keys, 0, p.begin), part(values, 0, p.begin), shape, nullptr, blocks);
    const test::Sequence places(p.begin, p.count, blocks.pages);
    store_kv(on, part(keys, p.begin, p.count), part(values, p.begin, p.count), shape, &places.rows, blocks);
    causal_attention(on, part(queries, p.begin, p.count), shape, blocks, &places.rows, part(alone, at, p.count));
    for (Index i = 0; i < p.count; ++i) {
      std::copy_n(queries.view().row(p.begin + i), shape.width(), q.view().row(at + i));
      std::copy_n(keys.view().row(p.begin + i), shape.kv_width(), k.view().row(at + i));
      std::copy_n(values.view().row(p.begin + i), shape.kv_width(), v.view().row(at + i));
      table.push_back({blocks.pages, p.begin + i});
      rows.keys = std::max<Index>(rows.keys, p.begin + i + 1);
    }
  }
  rows.table = table.data();
  KvBlocks anywhere = stores[0]->blocks;
  anywhere.pages = nullptr;  // the places have them
  store_kv(on, k, v, shape, &rows, anywhere);
  causal_attention(on, q, shape, anywhere, &rows, y);
  CHECK(test::same_bits<float>(y.view(), alone.view()));
  CHECK(y.padding_untouched());
}

TEST_CASE("scores far outside exp's range do no harm") {
  const HeadShape shape{1, 1, 8};
  const Mat q = test::noise_mat(5, 8, 1, 60), k = test::noise_mat(80, 8, 2, 60), v = test::noise_mat(80, 8, 3);
  const Mat want = test::attend_heads(q, k, v, 1, 1, kNoBias);
  Immediate<float> on(active_kernels<float>());
  Store<float> store(shape, 80, KvFormat::full);
  Rows<float> queries(q), keys(k), values(v), y(5, 8);
  store_kv(on, keys, values, shape, nullptr, store.blocks);
  attention(on, queries, shape, store.blocks, 80, y);
  test::check_near("large scores", y.view(), want, 1e-5);  // scores of some thousands have few digits left
}

TEST_CASE("sequences of a KvSpace are kept apart") {
  const HeadShape shape{2, 2, 12};
  constexpr Index kSequences = 3, kTokens = 70;
  const Mat k = test::noise_mat(kSequences * kTokens, 24, 2), v = test::noise_mat(kSequences * kTokens, 24, 3), q = test::noise_mat(4, 24, 1);
  KvSpace<float> space;
  const auto memory = test::slab([&](Arena& a) {
    space.carve_table(a, shape, kSequences, kTokens);
    space.carve_memory(a);
  });
  Immediate<float> on(active_kernels<float>());
  Rows<float> keys(k), values(v), queries(q), y(4, 24);
  store_kv_sequences(on, keys, values, shape, kTokens, space.blocks());
  for (Index s = 0; s < kSequences; ++s) {
    KvBlocks one = space.blocks();
    one.pages += s * ceil_div(kTokens, kKvBlock);
    attention(on, queries, shape, one, kTokens, y);
    test::check_near("one of several sequences", y.view(),
                     test::attend_heads(q, k.lines(s * kTokens, kTokens), v.lines(s * kTokens, kTokens), 2, 2, kNoBias), 2e-6);
  }
}
