/* A host with one copy of libdsvl loads another one, asks, unloads it and loads it again; its own copy goes on meanwhile.
     reload OWN_COPY OTHER_COPY MODEL PICTURE
   Linked with neither: the host's copy is loaded first, with its symbols for everyone, as if it had been linked. */
#define _POSIX_C_SOURCE 200809L
#include <dsvl/c.h>

#include <dlfcn.h>
#include <stdlib.h>

#include "check.h"

typedef struct library {
  void* handle;
  uint32_t (*abi_version)(void);
  dsvl_code (*model_load)(const char*, const dsvl_load_options*, dsvl_model**, dsvl_error*);
  dsvl_code (*session_open)(const dsvl_model*, const dsvl_session_options*, dsvl_session**, dsvl_error*);
  dsvl_code (*session_ask)(dsvl_session*, const dsvl_question*, dsvl_answer**, dsvl_error*);
  dsvl_code (*answer_next)(dsvl_answer*, dsvl_piece*, dsvl_error*);
  dsvl_code (*answer_get_info)(dsvl_answer*, dsvl_answer_info*, dsvl_error*);
  dsvl_code (*session_rewind)(dsvl_session*, uint64_t, dsvl_error*);
  void (*answer_close)(dsvl_answer*);
  void (*session_close)(dsvl_session*);
  void (*model_close)(dsvl_model*);
} library;

/* C has no conversion from dlsym()'s object pointers to functions; POSIX has this one. */
#define FIND(member, name) (*(void**)(void*)&into->member = dlsym(into->handle, name))

static int open_library(const char* path, int flags, library* into) {
  into->handle = dlopen(path, RTLD_NOW | flags);
  if (!into->handle) {
    fprintf(stderr, "%s\n", dlerror());
    return 0;
  }
  return FIND(abi_version, "dsvl_abi_version") && FIND(model_load, "dsvl_model_load") &&
         FIND(session_open, "dsvl_session_open") && FIND(session_ask, "dsvl_session_ask") &&
         FIND(answer_next, "dsvl_answer_next") && FIND(answer_get_info, "dsvl_answer_get_info") &&
         FIND(session_rewind, "dsvl_session_rewind") && FIND(answer_close, "dsvl_answer_close") &&
         FIND(session_close, "dsvl_session_close") &&
         FIND(model_close, "dsvl_model_close");
}

static void expect_green(const library* of, dsvl_session* session, const char* path) {
  dsvl_error error = {.size = sizeof error};
  dsvl_answer* answer = NULL;
  dsvl_answer_info info = {.size = sizeof info};
  dsvl_piece piece = {.size = sizeof piece};
  dsvl_picture picture = {.size = sizeof picture};
  const dsvl_picture* pictures[1];
  dsvl_question question = {.size = sizeof question};
  pictures[0] = &picture;
  picture.path = path;
  question.text.data = "Which bar is the tallest?";
  question.text.bytes = strlen(question.text.data);
  question.pictures = pictures;
  question.picture_count = 1;
  CHECK(of->session_ask(session, &question, &answer, &error) == DSVL_OK);
  while (of->answer_next(answer, &piece, &error) == DSVL_OK && piece.present) {
  }
  CHECK(of->answer_get_info(answer, &info, &error) == DSVL_OK);
  CHECK(info.text.bytes == 14 && memcmp(info.text.data, "The green bar.", 14) == 0);
  of->answer_close(answer);
  CHECK(of->session_rewind(session, 0, &error) == DSVL_OK);
}

/* Whether a file of that path is mapped into this process. */
static int is_mapped(const char* path) {
  char line[4096];
  int found = 0;
  FILE* maps = fopen("/proc/self/maps", "r");
  if (!maps) return -1;
  while (fgets(line, sizeof line, maps)) found = found || strstr(line, path) != NULL;
  fclose(maps);
  return found;
}

int main(int argc, char** argv) {
  library own, other;
  dsvl_model *model = NULL, *second = NULL;
  dsvl_session *session = NULL, *inner = NULL;
  int round;
  if (argc != 5) return 2;
  CHECK(open_library(argv[1], RTLD_GLOBAL, &own));
  if (failed_checks) return failures();
  CHECK(own.model_load(argv[3], NULL, &model, NULL) == DSVL_OK);
  CHECK(own.session_open(model, NULL, &session, NULL) == DSVL_OK);
  expect_green(&own, session, argv[4]);
  for (round = 0; round < 3 && !failed_checks; ++round) {
    CHECK(open_library(argv[2], RTLD_LOCAL, &other));
    CHECK(other.abi_version() == DSVL_C_ABI && other.model_load != own.model_load);
    CHECK(is_mapped(argv[2]) != 0);
    CHECK(other.model_load(argv[3], NULL, &second, NULL) == DSVL_OK);
    CHECK(other.session_open(second, NULL, &inner, NULL) == DSVL_OK);
    expect_green(&other, inner, argv[4]);
    expect_green(&own, session, argv[4]);
    other.session_close(inner);
    other.model_close(second);
    CHECK(dlclose(other.handle) == 0);
    CHECK(is_mapped(argv[2]) != 1); /* it is gone, threads and all */
  }
  expect_green(&own, session, argv[4]);
  own.session_close(session);
  own.model_close(model);
  CHECK(dlclose(own.handle) == 0);
  CHECK(is_mapped(argv[1]) != 1);
  return failures();
}
