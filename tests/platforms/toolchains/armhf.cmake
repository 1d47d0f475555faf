# Linux on 32-bit Arm, under qemu's user mode. The kernels are the scalar ones.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(GNU_TRIPLE arm-linux-gnueabihf)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-arm;-L;/usr/arm-linux-gnueabihf)
set(CMAKE_CXX_FLAGS_INIT -Wno-psabi) # a note about GCC before 7.1
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")
