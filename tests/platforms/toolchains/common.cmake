# What the toolchain files of this folder share: the headers that dsvl stands on, and for GCC (GNU_TRIPLE-g++GNU_SUFFIX) the
# names of the compiler and the root of its libraries.
#
# dsvl's dependencies are headers that fit every processor; DSVL_PLATFORM_HEADERS is a folder with nothing else in it, so
# that the build machine's own headers stay out of sight. tests/platforms/run.sh makes it.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES DSVL_PLATFORM_HEADERS)
foreach(name IN ITEMS XSIMD JSON STB DOCTEST)
  set(DSVL_${name}_INCLUDE_DIR "${DSVL_PLATFORM_HEADERS}" CACHE PATH "")
endforeach()
set(DSVL_EIGEN_INCLUDE_DIR "${DSVL_PLATFORM_HEADERS}/eigen3" CACHE PATH "")

if(GNU_TRIPLE)
  set(CMAKE_C_COMPILER "${GNU_TRIPLE}-gcc${GNU_SUFFIX}")
  set(CMAKE_CXX_COMPILER "${GNU_TRIPLE}-g++${GNU_SUFFIX}")
  set(CMAKE_FIND_ROOT_PATH "/usr/${GNU_TRIPLE}")
endif()
foreach(kind IN ITEMS LIBRARY INCLUDE PACKAGE)
  set(CMAKE_FIND_ROOT_PATH_MODE_${kind} ONLY)
endforeach()
# Emulated tests are bound by the emulator, not by the optimiser: this compiles in half the time of -O2.
set(CMAKE_CXX_FLAGS_RELEASE "-O1 -DNDEBUG" CACHE STRING "")
