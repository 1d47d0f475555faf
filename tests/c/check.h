/* CHECK(condition) for the C programs of this folder: it counts what is wrong and goes on; main returns failures(). */
#ifndef TESTS_C_CHECK_H
#define TESTS_C_CHECK_H

#include <stdio.h>
#include <string.h>

static int failed_checks = 0, checks = 0;

#define CHECK(condition)                                                     \
  do {                                                                       \
    ++checks;                                                                \
    if (!(condition)) {                                                      \
      ++failed_checks;                                                       \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
    }                                                                        \
  } while (0)

static int failures(void) {
  printf("%d checks, %d failed\n", checks, failed_checks);
  return failed_checks != 0 || checks == 0;
}

#endif
