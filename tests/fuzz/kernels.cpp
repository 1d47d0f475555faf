// Kernels at any shape against the scalar reference: one product, norm, activation, rotation, gathering or attention for
// each input. What lies around the operands is NaN, and what lies around the results must stay as it is.
#include <dsvl/base/half.hpp>
#include <dsvl/kernels/dispatch.hpp>
#include <dsvl/kernels/weights/quantize.hpp>

#include <limits>

#include "../support.hpp"
#include "target.hpp"

namespace fuzz_kernels {
using namespace dsvl;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr std::size_t kMargin = 19;

/// Numbers with a margin of others on both sides, at any alignment of a float; what is written into the margin is seen.
class Guarded {
 public:
  explicit Guarded(std::vector<float> values, float around = kNan)
      : all_(values.size() + 2 * kMargin, around), size_(values.size()) {
    std::copy(values.begin(), values.end(), data());
  }
  float* data() { return all_.data() + kMargin; }
  std::vector<float> values() const {
    for (std::size_t i = 0; i < kMargin; ++i) FUZZ_CHECK(std::isnan(all_[i]) && std::isnan(all_[all_.size() - 1 - i]));
    return {all_.begin() + kMargin, all_.end() - kMargin};
  }

 private:
  std::vector<float> all_;
  std::size_t size_;
};

std::vector<float> numbers(Index n, std::uint64_t seed) { return test::noise(static_cast<std::size_t>(n), seed); }
/// At an address that kernels want for their scratch.
float* scratch(Index n) {
  static std::vector<float> memory;
  memory.assign(static_cast<std::size_t>(n) + 16, kNan);
  const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
  return memory.data() + ((address + 63) / 64 * 64 - address) / sizeof(float);
}

void agree(const std::vector<float>& got, const std::vector<float>& want, double within) {
  FUZZ_CHECK(test::relative_error(std::span<const float>(got), std::span<const float>(want)) <= within);
}

/// Runs `work(kernels, y)` with both tables on the same numbers.
template <class Work>
void both(const std::vector<float>& before, double within, Work work) {
  Guarded got(before), want(before);
  work(float_kernels(), got.data());
  work(reference_kernels<float>(), want.data());
  agree(got.values(), want.values(), within);
}

/// (rows, cols) weights in any format, the quantised ones in groups of rows.
std::vector<std::byte> weights(Format format, Index rows, Index cols, std::uint64_t seed) {
  const std::vector<float> values = numbers(rows * cols, seed);
  std::vector<std::byte> out(static_cast<std::size_t>(rows * row_bytes(format, cols)));
  if (quantized(format)) {
    for (Index r = 0; r < rows; r += kGroupRows)
      kernels::encode_group(format, values.data() + r * cols, cols, cols, out.data() + r * row_bytes(format, cols));
    return out;
  }
  std::byte* to = out.data();
  for (const float x : values) {
    const std::uint16_t half = format == Format::bf16 ? to_bf16(x).bits : to_f16(x).bits;
    if (format == Format::f32) std::memcpy(to, &x, 4);
    else std::memcpy(to, &half, 2);
    to += row_bytes(format, 1);
  }
  return out;
}

void product(fuzz::Input& in) {
  const auto format = static_cast<Format>(in.byte() % kFormats);
  const StoredBlock stored = stored_block(format);
  const Index rows = 1 + static_cast<Index>(in.number(9));
  const Index cols = stored.cols * (1 + static_cast<Index>(in.number(stored.cols == 1 ? 300 : stored.cols == 32 ? 20 : 3)));
  const Index outputs = stored.rows * (1 + static_cast<Index>(in.number(stored.rows == 1 ? 80 : 6)));
  const bool add = in.flag(), biased = in.flag(), round = in.flag();
  const ActivationFormat x_format =
      activation_format(round ? ActivationPrecision::bf16 : ActivationPrecision::f32, format, cols);
  const Index stride = quantized_row_bytes(x_format, cols);
  const std::vector<std::byte> w = weights(format, outputs, cols, in.byte());
  Guarded x(numbers(rows * cols, 5)), bias(numbers(outputs, 6));
  std::vector<std::byte> quantized(static_cast<std::size_t>(rows * stride + 64)), plain = quantized;
  for (Index r = 0; x_format != ActivationFormat::f32 && r < rows; ++r) {
    float_kernels().quantize_activations(x_format, x.data() + r * cols, cols, quantized.data() + r * stride);
    reference_kernels<float>().quantize_activations(x_format, x.data() + r * cols, cols, plain.data() + r * stride);
  }
  FUZZ_CHECK(quantized == plain);
  LinearTile<float> t;
  t.x = x.data(), t.x_stride = cols, t.rows = rows, t.w = w.data(), t.format = format, t.outputs = outputs, t.cols = cols;
  t.bias = biased ? bias.data() : nullptr, t.y_stride = outputs, t.add = add;
  t.x_format = x_format, t.quantized_x = quantized.data(), t.quantized_x_stride = stride;
  both(numbers(rows * outputs, 7), 1e-5, [&](const Kernels<float>& k, float* y) {
    t.y = y;
    k.linear(t, scratch(kLinearScratch));
  });
}

void norm(fuzz::Input& in) {
  const Index rows = 1 + static_cast<Index>(in.number(4)), cols = 1 + static_cast<Index>(in.number(600));
  const bool in_place = in.flag(), rms = in.flag();
  Guarded x(numbers(rows * cols, in.byte())), weight(numbers(cols, 2)), bias(numbers(cols, 3));
  both(x.values(), cols == 1 ? 1e-2 : 1e-4, [&](const Kernels<float>& k, float* y) {
    NormTile<float> t;
    t.x = in_place ? y : x.data(), t.x_stride = t.y_stride = t.cols = cols, t.rows = rows, t.y = y;
    t.weight = weight.data(), t.bias = bias.data(), t.eps = 1e-5f;
    rms ? k.rms_norm(t) : k.layer_norm(t);
  });
}

void elementwise(fuzz::Input& in) {
  const std::uint8_t which = in.byte();
  const Index n = static_cast<Index>(in.number(300));
  std::vector<float> values = numbers(n, in.byte());
  const float scale = static_cast<float>(in.byte()) / 8;
  for (float& v : values) v *= scale;
  // Of a number far below zero an activation leaves next to nothing, which is the rounding of 1 + tanh or 1 + erf. That
  // is an error beside the number itself, so a copy of the numbers, which stays as it is, is compared along.
  const std::vector<float> copy = values;
  values.insert(values.end(), copy.begin(), copy.end());
  Guarded up(numbers(n, 9));
  both(values, 1e-5, [&](const Kernels<float>& k, float* y) {
    switch (which % 4) {
      case 0: k.gelu_erf(y, n); break;
      case 1: k.gelu_tanh(y, n); break;
      case 2: k.silu_mul(y, up.data(), n); break;
      case 3: k.add_scaled(up.data(), 0.5f, y, n); break;
    }
  });
}

void rotate(fuzz::Input& in) {
  const Index heads = 1 + static_cast<Index>(in.number(4)), half = 1 + static_cast<Index>(in.number(70));
  Guarded cos(numbers(half, 3)), sin(numbers(half, 4));
  both(numbers(heads * 2 * half, in.byte()), 1e-6,
       [&](const Kernels<float>& k, float* y) { k.rope(y, heads, 2 * half, cos.data(), sin.data()); });
}

void unpack(fuzz::Input& in) {
  const auto format = static_cast<Format>(in.byte() % kFormats);
  const StoredBlock stored = stored_block(format);
  const Index cols = stored.cols * (1 + static_cast<Index>(in.number(stored.cols == 1 ? 100 : 3)));
  const Index n = static_cast<Index>(in.number(static_cast<std::size_t>(cols)));
  const bool add = in.flag();
  const std::vector<std::byte> w = weights(format, stored.rows, cols, in.byte());
  const WeightRow row{format, w.data(), static_cast<Index>(in.number(static_cast<std::size_t>(stored.rows - 1)))};
  both(numbers(n, 8), 1e-6, [&](const Kernels<float>& k, float* y) { add ? k.add_unpacked(row, y, n) : k.unpack(row, y, n); });
}

void unfold(fuzz::Input& in) {
  UnfoldTile<float> t;
  t.channels = 1 + static_cast<Index>(in.number(20));
  t.height = 1 + static_cast<Index>(in.number(8)), t.width = 1 + static_cast<Index>(in.number(8));
  t.size = 1 + static_cast<Index>(in.number(3)), t.step = 1 + static_cast<Index>(in.number(3));
  t.padding = static_cast<Index>(in.number(static_cast<std::size_t>(t.size - 1)));
  const Index high = t.height + 2 * t.padding - t.size, wide = t.width + 2 * t.padding - t.size;
  if (high < 0 || wide < 0) return;
  const bool last = in.flag();
  t.channel_stride = last ? 1 : t.height * t.width;
  t.row_stride = last ? t.width * t.channels : t.width, t.pixel_stride = last ? t.channels : 1;
  t.out_width = wide / t.step + 1;
  const Index pixels = t.out_width * (high / t.step + 1), cols = t.channels * t.size * t.size;
  t.first = static_cast<Index>(in.number(static_cast<std::size_t>(pixels - 1)));
  t.count = 1 + static_cast<Index>(in.number(static_cast<std::size_t>(pixels - t.first - 1)));
  t.y_stride = cols;
  Guarded map(numbers(t.channels * t.height * t.width, in.byte()));
  t.map = map.data();
  both(numbers(t.count * cols, 1), 0, [&](const Kernels<float>& k, float* y) {
    t.y = y;
    k.unfold(t);
  });
}

void resize(fuzz::Input& in) {
  ResizeTile<float> t;
  const auto side = [&] { return 1 + static_cast<Index>(in.number(9)); };
  t.from = {side(), side()}, t.to = {side(), side()}, t.channels = 1 + static_cast<Index>(in.number(20));
  t.first = static_cast<Index>(in.number(static_cast<std::size_t>(t.to.height - 1)));
  t.count = 1 + static_cast<Index>(in.number(static_cast<std::size_t>(t.to.height - t.first - 1)));
  Guarded map(numbers(t.from.tokens() * t.channels, in.byte()));
  t.map = map.data();
  both(numbers(t.to.tokens() * t.channels, 1), 1e-5, [&](const Kernels<float>& k, float* y) {
    t.y = y;
    k.resize(t);
  });
}

void attend(fuzz::Input& in) {
  const auto format = static_cast<KvFormat>(in.byte() % 3);
  const Index rows = 1 + static_cast<Index>(in.number(20)), head_dim = 1 + static_cast<Index>(in.number(70));
  const Index step = in.byte() % 2, keys = 1 + (rows - 1) * step + static_cast<Index>(in.number(150));
  const Index map_width = in.flag() ? 1 + static_cast<Index>(in.number(12)) : 0, place = 3;
  const Index height = map_width ? ceil_div(std::max<Index>(keys, rows + place), map_width) : 1;
  const Index stride = 2 * std::max<Index>(height, map_width), block = kv_block_bytes<float>(format, head_dim);
  const std::vector<float> all = numbers((2 * keys + rows) * head_dim, in.byte());
  std::vector<std::vector<std::byte>> pages[2];
  for (int table = 0; table < 2; ++table) {
    pages[table].assign(static_cast<std::size_t>(ceil_div(keys, kKvBlock)),
                        std::vector<std::byte>(static_cast<std::size_t>(block), std::byte{0xFF}));
    const Kernels<float>& k = table == 0 ? float_kernels() : reference_kernels<float>();
    for (Index j = 0, n = 0; j < keys; j += n) {
      n = std::min<Index>({1 + (j * 7) % 5, keys - j, kKvBlock - j % kKvBlock});
      KvTile<float> t;
      t.k = all.data() + 2 * j * head_dim, t.v = t.k + head_dim, t.k_stride = t.v_stride = 2 * head_dim, t.rows = n;
      t.head_dim = head_dim, t.format = format, t.slot = j % kKvBlock;
      t.block = pages[table][static_cast<std::size_t>(j / kKvBlock)].data();
      k.store_kv(t);
    }
  }
  FUZZ_CHECK(pages[0] == pages[1]);
  std::vector<std::byte*> table;
  for (auto& page : pages[0]) table.push_back(page.data());
  std::vector<SequenceRow> places;
  for (Index r = 0; r < rows; ++r) places.push_back({table.data(), keys - rows + r});
  Guarded by(numbers(rows * stride, 21)), bx(numbers(rows * stride, 22));
  AttendTile<float> t;
  t.q = all.data() + 2 * keys * head_dim, t.q_stride = t.y_stride = t.head_dim = head_dim, t.rows = rows;
  t.scale = 1 / std::sqrt(static_cast<float>(head_dim)), t.pages = table.data(), t.format = format;
  t.keys = keys, t.places = step == 1 ? places.data() : nullptr;
  if (map_width > 0) {
    t.bias_y = by.data() + height - 1, t.bias_x = bx.data() + map_width - 1;
    t.bias_stride = stride, t.map_width = map_width, t.place = place;
  }
  both(numbers(rows * head_dim, 1), 1e-4, [&](const Kernels<float>& k, float* y) {
    t.y = y;
    k.attend(t, scratch(attend_scratch(rows, head_dim)));
  });
}

void run(fuzz::Input in) {
  switch (in.byte() % 8) {
    case 0: return product(in);
    case 1: return norm(in);
    case 2: return elementwise(in);
    case 3: return rotate(in);
    case 4: return unpack(in);
    case 5: return unfold(in);
    case 6: return resize(in);
    case 7: return attend(in);
  }
}

}  // namespace fuzz_kernels

DSVL_FUZZ_TARGET(kernels)
