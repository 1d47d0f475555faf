// The aligner of every kind and depth against its formula.
#include <dsvl/model/aligner.hpp>

#include "../oracle.hpp"

using namespace dsvl;
using test::Mat;
using test::Rows;

TEST_CASE("every kind of aligner at depth 1 to 3 equals its formula") {
  constexpr Index kTokens = 9;
  for (const AlignerKind kind : {AlignerKind::identity, AlignerKind::linear, AlignerKind::mlp_gelu, AlignerKind::low_high_hybrid_split_mlp_gelu})
    for (Index depth = 1; depth <= 3; ++depth) {
      const bool identity = kind == AlignerKind::identity, split = kind == AlignerKind::low_high_hybrid_split_mlp_gelu;
      const bool deep = split || kind == AlignerKind::mlp_gelu;
      INFO("kind " << static_cast<int>(kind) << ", depth " << depth);
      Aligner aligner;
      aligner.dims = {.kind = kind, .depth = depth, .low = identity ? 22 : 14, .high = 10, .hidden = 22};
      test::Weights w(1, Format::bf16);
      aligner.visit(w);
      const Mat low = test::noise_mat(kTokens, aligner.dims.low, 2), high = test::noise_mat(kTokens, 10, 3);
      Mat want = low;
      if (kind == AlignerKind::linear) want = test::linear(low, w["linear.weight"], w["linear.bias"]);
      if (kind == AlignerKind::mlp_gelu) want = test::linear(low, w["mlp.0.weight"], w["mlp.0.bias"]);
      if (split) {
        want = Mat(kTokens, 22);
        const Mat a = test::linear(high, w["high.weight"], w["high.bias"]), b = test::linear(low, w["low.weight"], w["low.bias"]);
        for (Index t = 0; t < kTokens; ++t)
          for (Index c = 0; c < 22; ++c) want(t, c) = c < 11 ? a(t, c) : b(t, c - 11);
      }
      for (Index i = 1; deep && i < depth; ++i) {
        const std::string at = (split ? "split." + std::to_string(i - 1) : "mlp." + std::to_string(i)) + ".";
        want = test::linear(test::each(want, test::gelu_erf), w[at + "weight"], w[at + "bias"]);
      }
      test::with_kernels([&](const auto& kernels) {
        using T = test::scalar_of<decltype(kernels)>;
        Aligner::Buffers<T> buffers;
        const auto memory = test::slab([&](Arena& a) { buffers.carve(a, aligner.dims, kTokens); });
        Immediate<T> on(kernels);
        Rows<T> x_low(low), x_high(high), y(kTokens, 22);
        aligner.forward(on, x_low, x_high, buffers, y);
        test::check_near("aligner", y.view(), want, test::kNear<T>);
        CHECK((y.padding_untouched() && on.status().ok()));
      });
    }
}
