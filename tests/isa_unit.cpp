// float_kernels() of the programs test_isa_*: the unit of one instruction set, TEST_ISA, so that the kernel tests see
// each on a machine that runs several. Where the processor does not run it, the program says so and ends with 77.
#include <dsvl/kernels/cpu.hpp>
#include <dsvl/kernels/dispatch.hpp>

#include <cstdio>
#include <cstdlib>

const dsvl::Kernels<float>& dsvl::kernels::float_kernels() noexcept {
  if (supported(Isa::TEST_ISA)) return kernels_of<Isa::TEST_ISA>();
  std::puts("this processor does not run these kernels");
  std::exit(77);
}
