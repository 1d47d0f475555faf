// Maps of attention against a direct softmax: averaged over heads and layers, of the last rows of a pass.
#include <dsvl/nn/attention_maps.hpp>

#include "../oracle.hpp"
#include "../sequence.hpp"

using namespace dsvl;
using test::Mat;
using test::Rows;

namespace {

/// The softmax weights of all heads of a causal layer, averaged: what the maps of one layer have to be.
Mat mean_weights(const Mat& q, const Mat& k, HeadShape shape) {
  Mat out(q.rows, k.rows);
  for (Index h = 0; h < shape.heads; ++h) {
    // The weights are what attention makes of an identity matrix for values.
    Mat identity(k.rows, k.rows);
    for (Index i = 0; i < k.rows; ++i) identity(i, i) = 1;
    const Mat one = test::attend(q.columns(h * shape.head_dim, shape.head_dim),
                                 k.columns(shape.kv_head(h) * shape.head_dim, shape.head_dim), identity, test::causal(0));
    for (std::size_t i = 0; i < out.v.size(); ++i) out.v[i] += one.v[i] / static_cast<double>(shape.heads);
  }
  return out;
}

}  // namespace

TEST_CASE("maps are the softmax weights averaged over heads and layers, of the last rows of passes of any length") {
  constexpr Index kTokens = 150, kLayers = 3;
  for (const HeadShape shape : {HeadShape{8, 2, 16}, {4, 4, 24}})
    for (const Index chunk : {kTokens, Index{40}, Index{1}})
      for (const Index kept : {1, 3}) {
        INFO("chunk " << chunk << ", " << kept << " rows kept");
        std::vector<Mat> q, k;
        Mat want(kTokens, kTokens);
        for (std::uint64_t l = 0; l < kLayers; ++l) {
          q.push_back(test::noise_mat(kTokens, shape.width(), 10 + l, 2));
          k.push_back(test::noise_mat(kTokens, shape.kv_width(), 20 + l, 2));
          const Mat layer = mean_weights(q.back(), k.back(), shape);
          for (std::size_t i = 0; i < want.v.size(); ++i) want.v[i] += layer.v[i] / kLayers;
        }
        test::with_kernels([&](const auto& kernels) {
          using T = test::scalar_of<decltype(kernels)>;
          Immediate<T> on(kernels);
          AttentionMaps<T> maps;
          Index first = 0, rows = 0;
          Buffer<std::byte> slab;
          KvSpace<T> spaces[kLayers];
          REQUIRE(carve_slab(slab, [&](Arena& arena) {
            maps.carve(arena, shape.heads, kept, kTokens, &first);
            for (KvSpace<T>& s : spaces) s.carve_table(arena, shape, 1, kTokens), s.carve_memory(arena);
          }));
          std::vector<Rows<T>> queries(q.begin(), q.end()), keys(k.begin(), k.end());
          Rows<T> y(kTokens, shape.width());
          on.rows({&rows});
          double worst = 0;
          for (Index start = 0; start < kTokens; start += rows) {
            rows = std::min<Index>(chunk, kTokens - start);
            first = std::max<Index>(0, rows - kept);
            for (std::size_t l = 0; l < kLayers; ++l) {
              const auto here = [&](Rows<T>& m) { return m.view().row_range(start, kTokens - start); };
              const test::Sequence places(start, rows, spaces[l].table);
              store_kv(on, here(keys[l]), here(keys[l]), shape, &places.rows, spaces[l].blocks());
              causal_attention(on, here(queries[l]), shape, spaces[l].blocks(), &places.rows, here(y), maps.weights);
              add_to_maps(on, &places.rows, static_cast<Index>(l), kLayers, maps);
            }
            for (Index i = first; i < rows; ++i)
              for (Index j = 0; j <= start + i; ++j)
                worst = std::max(worst, std::abs(static_cast<double>(maps.mean.row(i - first)[j]) - want(start + i, j)));
          }
          CHECK(on.status().ok());
          CHECK(worst < (sizeof(T) == 4 ? 1e-6 : 1e-14));
        });
      }
}
