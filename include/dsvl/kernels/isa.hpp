// Isa: the instruction sets that kernels are compiled for, made from the rows of DSVL_ISAS (base/config.hpp).
#ifndef DSVL_KERNELS_ISA_HPP
#define DSVL_KERNELS_ISA_HPP

#include "table.hpp"

DSVL_BEGIN_NAMESPACE

/// An enumerator for each row, in order. Isa::DSVL_ISA is that of this translation unit. Where a processor runs
/// several, a later one is better.
enum class Isa : unsigned char {
#define DSVL_ISA_ENUMERATOR(name, ...) name,
  DSVL_ISAS(DSVL_ISA_ENUMERATOR)
#undef DSVL_ISA_ENUMERATOR
};

/// The row's text, for reports: Kernels::name.
constexpr const char* name(Isa isa) noexcept {
  switch (isa) {
#define DSVL_ISA_TEXT(name, text, ...) \
  case Isa::name: return text;
    DSVL_ISAS(DSVL_ISA_TEXT)
#undef DSVL_ISA_TEXT
  }
  return "unknown";
}

/// The kernels of an instruction set's own unit (unit.hpp). Only such a unit defines it: any other name is an error of
/// the linker.
template <Isa isa>
const Kernels<float>& kernels_of() noexcept;

DSVL_END_NAMESPACE

#endif  // DSVL_KERNELS_ISA_HPP
