#include <doctest/doctest.h>

#include <dsvl/kernels/cpu.hpp>

using namespace dsvl;

namespace {

constexpr CpuFeatures haswell() {
  CpuFeatures cpu;
  cpu.sse2 = cpu.sse4_2 = cpu.popcnt = cpu.ymm_saved = cpu.avx = cpu.avx2 = cpu.fma = cpu.f16c = true;
  return cpu;
}

}  // namespace

TEST_CASE("an instruction set is supported where its own needs and those of all that it extends are met") {
  constexpr CpuFeatures cpu = haswell();
  for (const Isa isa : {Isa::generic, Isa::sse2, Isa::sse4_2, Isa::avx, Isa::avx2, Isa::avx2_fma}) {
    CAPTURE(name(isa));
    CHECK(supported(isa, cpu));
  }
  for (const Isa isa : {Isa::avx2_fma_vnni, Isa::avx512, Isa::avx512_vnni_bf16, Isa::neon64, Isa::neon64_dot}) {
    CAPTURE(name(isa));
    CHECK_FALSE(supported(isa, cpu));
  }
  CpuFeatures no_vnni = cpu;
  no_vnni.zmm_saved = no_vnni.avx512 = no_vnni.avx512_bf16 = true;
  CHECK(supported(Isa::avx512_bf16, no_vnni));
  CHECK_FALSE(supported(Isa::avx512_vnni, no_vnni));
  CHECK_FALSE(supported(Isa::avx512_vnni_bf16, no_vnni));
}

TEST_CASE("registers that the operating system does not save are not used") {
  CpuFeatures cpu = haswell();
  cpu.avx512 = cpu.zmm_saved = true;
  CHECK(supported(Isa::avx512, cpu));
  cpu.zmm_saved = false;
  CHECK_FALSE(supported(Isa::avx512, cpu));
  CHECK(supported(Isa::avx2_fma, cpu));
  cpu.ymm_saved = false;
  CHECK_FALSE(supported(Isa::avx, cpu));
  CHECK(supported(Isa::sse4_2, cpu));
}

TEST_CASE("a processor without vectors runs the scalar kernels") {
  CHECK(supported(Isa::generic, CpuFeatures{}));
  CHECK_FALSE(supported(Isa::sse2, CpuFeatures{}));
  CHECK(supported(Isa::generic));
}
