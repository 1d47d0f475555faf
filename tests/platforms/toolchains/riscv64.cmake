# Linux on 64-bit RISC-V, under qemu's user mode. The kernels are the scalar ones.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR riscv64)
set(GNU_TRIPLE riscv64-linux-gnu)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-riscv64;-L;/usr/riscv64-linux-gnu)
# GCC 12 takes a text of five characters for one that is read eight at a time.
set(CMAKE_CXX_FLAGS_INIT -Wno-stringop-overread)
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")
