// The attentions of the released models: SigLIP's, SAM's windows and whole maps, the decoder's over each kind of cache.
#ifndef DSVL_BENCHMARKS_ATTENTIONS_HPP
#define DSVL_BENCHMARKS_ATTENTIONS_HPP

#include <cmath>
#include <dsvl/nn/map_attention.hpp>
#include <dsvl/run/runner.hpp>

#include "bench.hpp"
#include "noise.hpp"

namespace bench {

using namespace dsvl;

struct AttentionCase {
  const char* name;
  HeadShape shape;
  Index queries, keys;      ///< of one sequence; the last query sees the last key
  bool causal;
  KvFormat format;
  Windows windows;          ///< of a map with relative positions; none where empty
};
inline constexpr AttentionCase kAttentions[] = {
    {"siglip, 16 heads of 64", {16, 16, 64}, 576, 576, false, KvFormat::full, {}},
    {"sam window, 12 heads of 64", {12, 12, 64}, 4900, 196, false, KvFormat::full, {{64, 64}, 14}},
    {"sam global, 12 heads of 64", {12, 12, 64}, 4096, 4096, false, KvFormat::full, {{64, 64}, 0}},
    {"1.3B prompt, f32 cache", {16, 16, 128}, 640, 640, true, KvFormat::full, {}},
    {"1.3B prompt, bf16 cache", {16, 16, 128}, 640, 640, true, KvFormat::bf16, {}},
    {"1.3B prompt, q8 cache", {16, 16, 128}, 640, 640, true, KvFormat::q8, {}},
    {"7B prompt, bf16 cache", {32, 32, 128}, 640, 640, true, KvFormat::bf16, {}},
    {"1.3B token at 4096, f32 cache", {16, 16, 128}, 1, 4096, true, KvFormat::full, {}},
    {"1.3B token at 4096, bf16 cache", {16, 16, 128}, 1, 4096, true, KvFormat::bf16, {}},
    {"1.3B token at 4096, q8 cache", {16, 16, 128}, 1, 4096, true, KvFormat::q8, {}},
};

/// One of them, with memory of its own.
class Attentions {
 public:
  Attentions(const AttentionCase& c, Executor& executor) : case_(c), executor_(executor) {}

  /// One line; false where the result is wrong.
  bool time(Report& report) {
    const AttentionCase& c = case_;
    if (!carve_slab(memory_, [&](Arena& arena) { carve(arena); })) return std::fprintf(stderr, "%s: no memory\n", c.name), false;
    Noise noise(3);
    for (View<float>* m : {&q_, &k_, &v_})
      for (Index r = 0; r < m->rows; ++r)
        for (Index i = 0; i < m->cols; ++i) m->row(r)[i] = noise.next();
    for (float* table : {rel_pos_h_, rel_pos_w_})
      for (Index i = 0; table && i < table_size(); ++i) table[i] = 0.1f * noise.next();
    Immediate<float> on(active_kernels<float>(), &executor_);
    const KvBlocks blocks{table_, 0, block_bytes(), c.format};
    if (mapped()) store_kv_sequences(on, View<const float>(k_), View<const float>(v_), c.shape, c.keys, blocks);
    else store_kv(on, View<const float>(k_), View<const float>(v_), c.shape, nullptr, blocks);
    std::vector<SequenceRow> places;
    for (Index i = c.keys - c.queries; i < c.keys; ++i) places.push_back({table_, i});
    const SequenceRows rows{places.data(), c.keys};
    const double took = seconds(7, [&] {
      if (mapped()) map_attention(on, View<const float>(q_), c.shape, c.windows, {rel_pos_h_, rel_pos_w_}, blocks, y_);
      else if (c.causal) causal_attention(on, View<const float>(q_), c.shape, blocks, &rows, y_);
      else attention(on, View<const float>(q_), c.shape, blocks, c.keys, y_);
    });
    const double queries = static_cast<double>(c.queries), keys = static_cast<double>(c.keys);
    const double pairs = queries * (c.causal ? keys - (queries - 1) / 2 : keys);
    const double read = static_cast<double>(k_.rows / kKvBlock * c.shape.kv_heads * block_bytes());
    report.add({std::string("attention, ") + c.name, took, 4.0 * pairs * static_cast<double>(c.shape.width()),
                c.queries == 1 ? read : 0});
    const double error = worst_error();
    const double allowed = c.format == KvFormat::full ? 1e-5 : c.format == KvFormat::bf16 ? 1e-2 : 2e-2;
    if (error < allowed) return true;
    std::fprintf(stderr, "%s: differs from the definition by %.1e\n", c.name, error);
    return false;
  }

 private:
  [[nodiscard]] bool mapped() const { return case_.windows.map.tokens() > 0; }
  [[nodiscard]] Index sequences() const { return mapped() ? case_.windows.count() : 1; }
  [[nodiscard]] Index block_bytes() const { return kv_block_bytes<float>(case_.format, case_.shape.head_dim); }
  [[nodiscard]] Index table_size() const { return (2 * case_.windows.window().height - 1) * case_.shape.head_dim; }

  void carve(Arena& arena) {
    const AttentionCase& c = case_;
    const Index stored = sequences() * c.keys, pages = sequences() * ceil_div(c.keys, kKvBlock);
    const Index page = c.shape.kv_heads * block_bytes();
    q_ = arena.spread_view<float>("q", c.queries, c.shape.width());
    y_ = arena.spread_view<float>("y", c.queries, c.shape.width());
    k_ = arena.spread_view<float>("k", stored, c.shape.kv_width());
    v_ = arena.spread_view<float>("v", stored, c.shape.kv_width());
    if (mapped()) {
      rel_pos_h_ = arena.array<float>("relative y", table_size());
      rel_pos_w_ = arena.array<float>("relative x", table_size());
    }
    table_ = arena.array<std::byte*>("pages", pages);
    std::byte* const bytes = arena.array<std::byte>("keys and values", pages * page);
    for (Index p = 0; p < pages && !arena.measuring(); ++p) table_[p] = bytes + p * page;
  }

  /// Some queries of some heads by the definition, in double. Largest difference, relative to the size of values.
  [[nodiscard]] double worst_error() const {
    const AttentionCase& c = case_;
    double worst = 0;
    for (const Index r : {Index{0}, c.queries / 2, c.queries - 1})
      for (const Index head : {Index{0}, c.shape.heads - 1}) {
        const std::vector<double> want = by_definition(r, head);
        for (Index d = 0; d < c.shape.head_dim; ++d)
          worst = std::max<double>(worst, std::fabs(want[static_cast<std::size_t>(d)] -
                                                    static_cast<double>(y_.row(r)[head * c.shape.head_dim + d])));
      }
    return worst;
  }
  [[nodiscard]] std::vector<double> by_definition(Index r, Index head) const {
    const AttentionCase& c = case_;
    const Index dim = c.shape.head_dim, at = head * dim, kv_at = c.shape.kv_head(head) * dim;
    const Index first = mapped() ? r / c.keys * c.keys : 0, side = c.windows.window().width, in = r - first;
    const Index seen = c.causal ? c.keys - c.queries + r + 1 : c.keys;
    const auto dot = [&](const float* other) {
      double sum = 0;
      for (Index d = 0; d < dim; ++d) sum += static_cast<double>(q_.row(r)[at + d]) * static_cast<double>(other[d]);
      return sum;
    };
    std::vector<double> out(static_cast<std::size_t>(dim));
    double total = 0;
    for (Index j = 0; j < seen; ++j) {
      double score = dot(k_.row(first + j) + kv_at) / std::sqrt(static_cast<double>(dim));
      if (mapped())
        score += dot(rel_pos_h_ + (j / side - in / side + side - 1) * dim) +
                 dot(rel_pos_w_ + (j % side - in % side + side - 1) * dim);
      const double weight = std::exp(score);  // scores are small here
      total += weight;
      for (Index d = 0; d < dim; ++d)
        out[static_cast<std::size_t>(d)] += weight * static_cast<double>(v_.row(first + j)[kv_at + d]);
    }
    for (double& value : out) value /= total;
    return out;
  }

  AttentionCase case_;
  Executor& executor_;
  Buffer<std::byte> memory_;
  View<float> q_, k_, v_, y_;
  float *rel_pos_h_ = nullptr, *rel_pos_w_ = nullptr;
  std::byte** table_ = nullptr;
};

}  // namespace bench

#endif  // DSVL_BENCHMARKS_ATTENTIONS_HPP
