# Linux on 64-bit RISC-V, under qemu's user mode. The kernels are the scalar ones.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR riscv64)
set(GNU_TRIPLE riscv64-linux-gnu)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-riscv64;-L;/usr/riscv64-linux-gnu)
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")
