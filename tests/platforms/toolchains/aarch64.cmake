# Linux on 64-bit Arm, under qemu's user mode. QEMU_CPU in the environment says which processor it plays.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(GNU_TRIPLE aarch64-linux-gnu)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64;-L;/usr/aarch64-linux-gnu)
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")
