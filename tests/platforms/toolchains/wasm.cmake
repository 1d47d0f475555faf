# WebAssembly by emscripten, under node. With DSVL_WASM_THREADS=ON it has threads (workers that share memory). Programs
# read the machine's own files, through node.
execute_process(COMMAND em-config EMSCRIPTEN_ROOT OUTPUT_VARIABLE emscripten_root OUTPUT_STRIP_TRAILING_WHITESPACE)
include("${emscripten_root}/cmake/Modules/Platform/Emscripten.cmake")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES DSVL_WASM_THREADS)

# -g1 keeps white space, whose removal would want node's module acorn. One file, because this emscripten's programs fetch
# a second one as a page does, which with node from 18 on fails.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-O1 -g1 -sEXIT_RUNTIME=1 -sNODERAWFS=1 -sSINGLE_FILE=1")
# Tests of lanes have vectors outside of the units of kernels, too. Eigen takes their flags for an x86 processor.
set(CMAKE_CXX_FLAGS_INIT "-msimd128 -msse2 -DEIGEN_DONT_VECTORIZE")
if(DSVL_WASM_THREADS)
  set(CMAKE_C_FLAGS_INIT "-pthread")
  string(APPEND CMAKE_CXX_FLAGS_INIT " -pthread")
  # main() runs beside the page's thread, so that it may wait; workers are there before they are asked for. Memory that
  # is shared and grows would want node's module acorn.
  string(APPEND CMAKE_EXE_LINKER_FLAGS_INIT
         " -pthread -sPROXY_TO_PTHREAD=1 -sPTHREAD_POOL_SIZE=8 -sINITIAL_MEMORY=268435456")
else()
  string(APPEND CMAKE_EXE_LINKER_FLAGS_INIT " -sALLOW_MEMORY_GROWTH=1")
  # The functions are there, and start nothing: FindThreads need not ask for shared memory.
  set(THREADS_HAVE_PTHREAD_ARG OFF CACHE BOOL "")
endif()
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")
