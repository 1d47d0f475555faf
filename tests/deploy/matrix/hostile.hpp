// What a host includes before dsvl: X11's own headers where they are, the names of Qt's keywords and of windows.h.
// Standard headers come first, as they do there: they cannot stand such names.
#ifndef MATRIX_HOSTILE_HPP
#define MATRIX_HOSTILE_HPP

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <bitset>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <new>
#include <numeric>
#include <optional>
#include <random>
#include <ranges>
#include <regex>
#include <set>
#include <shared_mutex>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <valarray>
#include <variant>
#include <vector>
#include <version>
#if !defined(DSVL_HEADER_ONLY) || DSVL_HEADER_ONLY  // libraries cannot either
#include <nlohmann/json.hpp>
#include <xsimd/xsimd.hpp>
#endif
#if __has_include(<X11/Xlib.h>)
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#else
#define Status int
#define Bool int
#define True 1
#define False 0
#define None 0L
#define Always 2
#define Success 0
#define Above 0
#define Below 1
#define Complex 0
#endif
#define slots
#define signals public
#define emit
#define forever for (;;)
#define foreach(variable, container) for (variable : container)
#define near
#define far
#define small char
#define interface struct
#define ERROR 0
#define IN
#define OUT
#define OPTIONAL
#define STRICT 1
#define NO_ERROR 0L
#define DELETE (0x00010000L)
#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))

#endif  // MATRIX_HOSTILE_HPP
