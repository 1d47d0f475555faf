# Windows on x86-64 by mingw-w64, under wine.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(GNU_TRIPLE x86_64-w64-mingw32)
set(GNU_SUFFIX -posix) # std::thread needs winpthreads
set(CMAKE_CROSSCOMPILING_EMULATOR "${CMAKE_CURRENT_LIST_DIR}/../wine.sh")
set(CMAKE_EXE_LINKER_FLAGS_INIT -static) # no DLL has to be found
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")
