// DSVL_SANITIZED: whether this program is compiled with a sanitizer, which has an allocator and system calls of its own.
#ifndef DSVL_TESTS_SANITIZED_HPP
#define DSVL_TESTS_SANITIZED_HPP

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DSVL_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define DSVL_SANITIZED 1
#endif
#endif
#ifndef DSVL_SANITIZED
#define DSVL_SANITIZED 0
#endif

#endif  // DSVL_TESTS_SANITIZED_HPP
