// Rows of tables: tokens, pictures in between, positions, copies.
#include <dsvl/nn/embedding.hpp>

#include "../oracle.hpp"

using namespace dsvl;
using test::Mat;
using test::Rows;

TEST_CASE("embed takes a token's row of the table, or the picture's row where there is one") {
  for (const Format format : {Format::f32, Format::bf16, Format::f16}) {
    test::Weights w(2, format);
    Embedding table;
    table.visit(w, Index{50}, Index{19});
    const Mat picture = test::noise_mat(2, 19, 5);
    test::with_kernels([&](const auto& kernels) {
      using T = test::scalar_of<decltype(kernels)>;
      Rows<T> rows(picture), y(5, 19);
      const TokenInput<T> inputs[] = {{49, nullptr}, {7, rows.view().row(1)}, {0, nullptr}, {0, rows.view().row(0)}, {24, nullptr}};
      Immediate<T> on(kernels);
      embed(on, inputs, table, y);
      for (Index i = 0; i < 5; ++i)
        for (Index c = 0; c < 19; ++c) {
          const double want = i == 1 ? picture(1, c) : i == 3 ? picture(0, c) : w["weight"](inputs[i].id, c);
          CHECK(static_cast<double>(y.view().row(i)[c]) == want);
        }
      CHECK(y.padding_untouched());
      const Index live = 2;
      Rows<T> some(5, 19);
      on.rows({&live});
      embed(on, inputs, table, some);
      CHECK(std::isnan(some.view().row(2)[0]));
    });
  }
}

TEST_CASE("add_positions adds row t of the table to row t") {
  test::Weights w(2, Format::bf16);
  Embedding table;
  w.matrix("position", table.weight, 9, 21);
  const Mat x = test::noise_mat(9, 21, 5), want = test::plus(x, w["position"]);
  test::with_kernels([&](const auto& kernels) {
    using T = test::scalar_of<decltype(kernels)>;
    Immediate<T> on(kernels);
    Rows<T> y(x);
    add_positions(on, table, y);
    test::check_near("positions", y.view(), want, test::kNear<T>);
  });
}

TEST_CASE("copy_rows starts where it is told when it runs") {
  const Mat x = test::noise_mat(9, 21, 5);
  Rows<float> in(x), y(3, 21);
  Immediate<float> on(active_kernels<float>());
  for (Index first : {0, 1, 6}) {
    copy_rows(on, in, &first, y);
    CHECK(test::same_bits<float>(y.view(), in.view().row_range(first, 3)));
  }
  copy_rows(on, in, nullptr, y);
  CHECK(test::same_bits<float>(y.view(), in.view().row_range(0, 3)));
}
