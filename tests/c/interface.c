/* dsvl/c.h from C99: every function, every way in which it can be called wrongly, and what it lends and takes back.
     interface MODEL PICTURE GGUF WORK_DIR
   The model is the one that ships with dsvl, the picture the first of its demo. */
#include <dsvl/c.h>

#include <stdlib.h>

#include "check.h"

static const char* model_path;
static const char* picture_path;
static const char* gguf_path;
static char saved_path[1024];

static dsvl_error error = {sizeof(dsvl_error), 0, ""};

static dsvl_text text_of(const char* text) {
  dsvl_text made;
  made.data = text;
  made.bytes = strlen(text);
  return made;
}
static dsvl_picture picture_file(void) {
  dsvl_picture picture = {.size = sizeof picture};
  picture.path = picture_path;
  return picture;
}
static dsvl_question question_of(const char* text, const dsvl_picture* const* pictures, size_t count) {
  dsvl_question question = {.size = sizeof question};
  question.text = text_of(text);
  question.pictures = pictures;
  question.picture_count = count;
  return question;
}

static dsvl_model* load(void) {
  dsvl_model* model = NULL;
  dsvl_load_options options = {.size = sizeof options};
  options.constraints = 1;
  CHECK(dsvl_model_load(model_path, &options, &model, &error) == DSVL_OK);
  CHECK(error.code == DSVL_OK && error.text[0] == '\0');
  return model;
}

/* Runs an answer to its end, and closes it. */
static dsvl_code finish(dsvl_answer* answer, char* said, size_t room, dsvl_answer_info* info) {
  dsvl_piece piece = {.size = sizeof piece};
  dsvl_code code;
  size_t length = 0;
  while ((code = dsvl_answer_next(answer, &piece, &error)) == DSVL_OK && piece.present) {
    if (length + piece.text.bytes < room) {
      memcpy(said + length, piece.text.data, piece.text.bytes);
      length += piece.text.bytes;
    }
  }
  said[length] = '\0';
  info->size = sizeof *info;
  CHECK(dsvl_answer_get_info(answer, info, NULL) == DSVL_OK);
  CHECK(info->finish != DSVL_FINISH_NONE);
  CHECK(info->code == code);
  CHECK(info->text.bytes == length && memcmp(info->text.data, said, length) == 0);
  dsvl_answer_close(answer);
  return code;
}
static void expect_green(dsvl_session* session, const dsvl_question* question) {
  dsvl_answer* answer = NULL;
  dsvl_answer_info info;
  char said[256];
  CHECK(dsvl_session_ask(session, question, &answer, &error) == DSVL_OK);
  CHECK(finish(answer, said, sizeof said, &info) == DSVL_OK);
  CHECK(strcmp(said, "The green bar.") == 0);
  CHECK(info.finish == DSVL_FINISH_EOS && info.answer_tokens > 0 && info.prompt_tokens > 64);
}

static void check_pictures_by_path_and_bytes(dsvl_model* model) {
  dsvl_session* session = NULL;
  dsvl_session_info state = {.size = sizeof state};
  dsvl_picture picture = picture_file();
  const dsvl_picture* pictures[1];
  dsvl_question question;
  char* bytes = malloc(1 << 20);
  FILE* file = fopen(picture_path, "rb");
  pictures[0] = &picture;
  question = question_of("Which bar is the tallest?", pictures, 1);
  CHECK(dsvl_session_open(model, NULL, &session, &error) == DSVL_OK);
  expect_green(session, &question);
  CHECK(dsvl_session_get_info(session, &state, &error) == DSVL_OK);
  CHECK(state.turns == 1 && state.context > 0 && state.bytes > 0);
  CHECK(dsvl_session_rewind(session, 2, &error) == DSVL_ERROR_BAD_ARGUMENT);
  CHECK(dsvl_session_rewind(session, 0, &error) == DSVL_OK);

  picture.path = NULL;
  picture.bytes = bytes;
  picture.byte_count = fread(bytes, 1, 1 << 20, file);
  expect_green(session, &question);
  picture.path = picture_path;
  {
    dsvl_answer* answer = (dsvl_answer*)&error;
    CHECK(dsvl_session_ask(session, &question, &answer, &error) == DSVL_ERROR_BAD_ARGUMENT);
    CHECK(answer == NULL && strstr(error.text, "exactly one") != NULL);
    picture.bytes = NULL;
    picture.path = "no/such/picture.png";
    CHECK(dsvl_session_ask(session, &question, &answer, &error) == DSVL_ERROR_NOT_FOUND);
    CHECK(strstr(error.text, "no/such/picture.png") != NULL);
    pictures[0] = NULL;
    CHECK(dsvl_session_ask(session, &question, &answer, &error) == DSVL_ERROR_BAD_ARGUMENT);
  }
  dsvl_session_close(session);
  fclose(file);
  free(bytes);
}

/* Rows that are padded, and a picture upside down, are the same picture: it is known and not encoded again. */
static void check_pixels(dsvl_model* model) {
  enum { kSide = 32, kStride = 3 * kSide + 5 };
  static unsigned char packed[kSide * kSide * 3], padded[kSide * kStride];
  dsvl_session* session = NULL;
  dsvl_picture picture = {.size = sizeof picture};
  const dsvl_picture* pictures[1];
  dsvl_question question;
  int form, x, y;
  for (y = 0; y < kSide; ++y)
    for (x = 0; x < 3 * kSide; ++x)
      packed[y * 3 * kSide + x] = padded[(kSide - 1 - y) * kStride + x] = (unsigned char)(7 * x + 11 * y);
  pictures[0] = &picture;
  question = question_of("Describe the image.", pictures, 1);
  question.max_tokens = 3;
  CHECK(dsvl_session_open(model, NULL, &session, &error) == DSVL_OK);
  picture.width = picture.height = kSide;
  picture.format = DSVL_RGB;
  for (form = 0; form < 2; ++form) {
    dsvl_answer* answer = NULL;
    dsvl_answer_info info;
    char said[256];
    picture.pixels = form == 0 ? packed : padded + (kSide - 1) * kStride;
    picture.stride = form == 0 ? 0 : -kStride;
    CHECK(dsvl_session_rewind(session, 0, &error) == DSVL_OK);
    CHECK(dsvl_session_ask(session, &question, &answer, &error) == DSVL_OK);
    CHECK(finish(answer, said, sizeof said, &info) == DSVL_OK);
    CHECK(info.finish == DSVL_FINISH_LENGTH && info.id_count == 3);
    CHECK((info.encode > 0) == (form == 0));
  }
  picture.format = 77;
  {
    dsvl_answer* answer = NULL;
    CHECK(dsvl_session_ask(session, &question, &answer, &error) == DSVL_ERROR_BAD_ARGUMENT && answer == NULL);
  }
  dsvl_session_close(session);
}

static void check_steps(dsvl_model* model) {
  dsvl_session* session = NULL;
  dsvl_answer* answer = NULL;
  dsvl_answer_info info = {.size = sizeof info};
  dsvl_piece piece = {.size = sizeof piece};
  dsvl_picture picture = picture_file();
  const dsvl_picture* pictures[1];
  dsvl_question question;
  int tokens = 0, calls = 0;
  pictures[0] = &picture;
  question = question_of("Which bar is the tallest?", pictures, 1);
  CHECK(dsvl_session_open(model, NULL, &session, &error) == DSVL_OK);
  CHECK(dsvl_session_start(session, &question, &answer, &error) == DSVL_OK);
  CHECK(dsvl_answer_step(answer, -1, &piece, &error) == DSVL_ERROR_BAD_ARGUMENT);
  do {
    CHECK(dsvl_answer_step(answer, 200000, &piece, &error) == DSVL_OK);
    tokens += piece.present;
    ++calls;
    CHECK(dsvl_answer_get_info(answer, &info, &error) == DSVL_OK);
  } while (info.finish == DSVL_FINISH_NONE && calls < 1000000);
  CHECK(tokens > 0 && calls > tokens);
  CHECK(info.finish == DSVL_FINISH_EOS && info.answer_tokens == tokens + 1); /* the end is a token, and no piece */
  CHECK(info.text.bytes == 14 && memcmp(info.text.data, "The green bar.", 14) == 0);
  dsvl_answer_close(answer);

  CHECK(dsvl_session_complete(session, &question, &answer, &error) == DSVL_OK);
  CHECK(dsvl_answer_next(answer, &piece, &error) == DSVL_OK && piece.present);
  /* The next question ends that answer, which stays a handle to be closed. */
  {
    dsvl_answer* other = NULL;
    CHECK(dsvl_session_ask(session, &question, &other, &error) == DSVL_OK);
    CHECK(dsvl_answer_next(answer, &piece, &error) == DSVL_ERROR_CANCELLED && !piece.present);
    CHECK(dsvl_answer_get_info(answer, &info, &error) == DSVL_OK && info.finish == DSVL_FINISH_CANCELLED);
    CHECK(info.message.bytes > 0 && info.message.data[info.message.bytes] == '\0');
    dsvl_answer_close(other);
  }
  dsvl_answer_close(answer);
  dsvl_session_close(session);
}

static void check_scores_and_constraints(dsvl_model* model) {
  dsvl_session* session = NULL;
  dsvl_constraint *choices = NULL, *schema = NULL;
  dsvl_answer* answer = NULL;
  dsvl_answer_info info;
  dsvl_picture picture = picture_file();
  const dsvl_picture* pictures[1];
  dsvl_question question;
  dsvl_text texts[3];
  double numbers[3], sum;
  char said[256];
  int32_t fits = 7;
  pictures[0] = &picture;
  question = question_of("Which bar is the tallest?", pictures, 1);
  texts[0] = text_of(" The red bar.");
  texts[1] = text_of(" The green bar.");
  texts[2] = text_of(" The blue bar.");
  CHECK(dsvl_session_open(model, NULL, &session, &error) == DSVL_OK);
  CHECK(dsvl_session_score(session, &question, texts, 3, numbers, &error) == DSVL_OK);
  CHECK(numbers[1] > numbers[0] && numbers[1] > numbers[2] && numbers[1] < 0);
  CHECK(dsvl_session_classify(session, &question, texts, 3, numbers, &error) == DSVL_OK);
  sum = numbers[0] + numbers[1] + numbers[2];
  CHECK(sum > 0.999999 && sum < 1.000001 && numbers[1] > 0.9);
  texts[2].bytes = 0;
  CHECK(dsvl_session_score(session, &question, texts, 3, numbers, &error) == DSVL_ERROR_BAD_ARGUMENT);
  CHECK(dsvl_session_score(session, &question, texts, 2, NULL, &error) == DSVL_ERROR_BAD_ARGUMENT);

  texts[1] = text_of("purple");
  CHECK(dsvl_constraint_choices(texts, 2, &choices, &error) == DSVL_OK);
  CHECK(dsvl_constraint_matches(choices, text_of("purple"), &fits, &error) == DSVL_OK && fits == 1);
  CHECK(dsvl_constraint_matches(choices, text_of("purpl"), &fits, &error) == DSVL_OK && fits == 0);
  question.constraint = choices;
  CHECK(dsvl_session_ask(session, &question, &answer, &error) == DSVL_OK);
  dsvl_constraint_close(choices); /* the answer keeps it */
  CHECK(finish(answer, said, sizeof said, &info) == DSVL_OK);
  CHECK(info.whole == 1 && (strcmp(said, "purple") == 0 || strcmp(said, "The red bar.") == 0));

  CHECK(dsvl_constraint_schema(text_of("{\"type\": \"boolean\"}"), DSVL_JSON_COMPACT, &schema, &error) == DSVL_OK);
  CHECK(dsvl_constraint_matches(schema, text_of("true"), &fits, &error) == DSVL_OK && fits == 1);
  question.constraint = schema;
  CHECK(dsvl_session_ask(session, &question, &answer, &error) == DSVL_OK);
  CHECK(finish(answer, said, sizeof said, &info) == DSVL_OK);
  CHECK(info.whole == 1 && (strcmp(said, "true") == 0 || strcmp(said, "false") == 0));
  dsvl_constraint_close(schema);
  CHECK(dsvl_constraint_schema(text_of("{"), 0, &schema, &error) == DSVL_ERROR_BAD_FILE && schema == NULL);
  CHECK(dsvl_constraint_schema(text_of("{}"), 4, &schema, &error) == DSVL_ERROR_BAD_ARGUMENT);
  CHECK(dsvl_constraint_regex(text_of("[a-z]+\\d"), &schema, &error) == DSVL_OK);
  CHECK(dsvl_constraint_matches(schema, text_of("abc7"), &fits, &error) == DSVL_OK && fits == 1);
  dsvl_constraint_close(schema);
  dsvl_session_close(session);
}

/* Yes or no is one pass: a probability, and how much of all it is a share of. The conversation stays as it is. */
static void check_yes_and_no(dsvl_model* model) {
  dsvl_session* session = NULL;
  dsvl_session_info state = {.size = sizeof state};
  dsvl_picture picture = picture_file();
  const dsvl_picture* pictures[1];
  dsvl_question question;
  dsvl_yes_no found = {.size = sizeof found}, older = {.size = offsetof(dsvl_yes_no, mass), .mass = 7};
  dsvl_answer* answer = NULL;
  dsvl_piece piece = {.size = sizeof piece};
  pictures[0] = &picture;
  question = question_of("Is there a red bar?", pictures, 1);
  CHECK(dsvl_session_open(model, NULL, &session, &error) == DSVL_OK);
  CHECK(dsvl_session_yes_no(session, &question, &found, &error) == DSVL_OK);
  CHECK(found.probability >= 0 && found.probability <= 1 && found.mass > 0 && found.mass <= 1);
  CHECK(dsvl_session_yes_no(session, &question, &older, &error) == DSVL_OK);
  CHECK(older.probability == found.probability && older.mass == 7);
  CHECK(dsvl_session_get_info(session, &state, &error) == DSVL_OK && state.turns == 0);
  CHECK(dsvl_session_ask(session, &question, &answer, &error) == DSVL_OK);
  CHECK(dsvl_session_yes_no(session, &question, NULL, &error) == DSVL_ERROR_BAD_ARGUMENT);
  CHECK(dsvl_answer_next(answer, &piece, &error) == DSVL_OK && piece.present == 1); /* it was refused in time */
  dsvl_answer_close(answer);
  question.time_limit = 1;
  CHECK(dsvl_session_rewind(session, 0, &error) == DSVL_OK);
  pictures[0] = NULL;
  CHECK(dsvl_session_yes_no(session, &question, &found, &error) == DSVL_ERROR_BAD_ARGUMENT);
  pictures[0] = &picture;
  CHECK(dsvl_session_yes_no(session, &question, &found, &error) == DSVL_ERROR_CANCELLED);
  dsvl_session_close(session);
}

/* What the model was shown of a picture, and where it looked; the same for a part of it. */
static void check_what_it_saw(dsvl_model* model) {
  enum { kCells = 64 };
  dsvl_session* session = NULL;
  dsvl_session_options options = {.size = sizeof options};
  dsvl_answer* answer = NULL;
  dsvl_answer_info info = {.size = sizeof info};
  dsvl_piece piece = {.size = sizeof piece};
  dsvl_picture whole = picture_file(), part = picture_file();
  const dsvl_picture* pictures[2];
  dsvl_question question;
  dsvl_seen seen[2] = {{.size = sizeof(dsvl_seen)}, {.size = sizeof(dsvl_seen)}};
  float shares[kCells], sum = 0;
  int i;
  options.attention_maps = 3;
  part.region.x = 10;
  part.region.width = 40;
  part.region.height = 60;
  pictures[0] = &whole;
  pictures[1] = &part;
  question = question_of("Which bar is the tallest?", pictures, 2);
  CHECK(dsvl_session_open(model, &options, &session, &error) == DSVL_OK);
  CHECK(dsvl_session_ask(session, &question, &answer, &error) == DSVL_OK);
  while (dsvl_answer_next(answer, &piece, &error) == DSVL_OK && piece.present) continue;
  CHECK(dsvl_answer_get_info(answer, &info, &error) == DSVL_OK);
  CHECK(info.pictures == 2 && info.map_pictures == 2 && info.map_tokens == 3);
  CHECK(info.map_cells == kCells);
  for (i = 0; i < 2; ++i) {
    CHECK(dsvl_answer_get_picture(answer, i, &seen[i], &error) == DSVL_OK);
    CHECK(seen[i].width == seen[0].width && seen[i].height == seen[0].height && seen[0].width > 60);
    CHECK(seen[i].tokens == kCells && seen[i].grid_width == 8 && seen[i].grid_height == 8);
    CHECK(seen[i].low.side == 128 && seen[i].high.side == 256 && seen[i].high.scale > 0);
    CHECK(seen[i].done == 1 && seen[i].recognised == 0 && seen[i].turned == 0 && seen[i].orientation == 1);
  }
  CHECK(seen[0].region.width == seen[0].width && seen[0].region.height == seen[0].height);
  CHECK(seen[1].region.x == 10 && seen[1].region.y == 0 && seen[1].region.width == 40 && seen[1].region.height == 60);
  CHECK(seen[1].high.content.height == 256 && seen[1].high.content.width < 256);
  CHECK(dsvl_answer_get_picture(answer, 2, &seen[0], &error) == DSVL_ERROR_BAD_ARGUMENT);
  CHECK(dsvl_answer_get_picture(answer, -1, &seen[0], &error) == DSVL_ERROR_BAD_ARGUMENT);
  CHECK(dsvl_answer_get_picture(answer, 0, NULL, &error) == DSVL_ERROR_BAD_ARGUMENT);
  CHECK(dsvl_answer_get_attention(answer, 0, 3, 0, shares, kCells, &error) == DSVL_OK);
  for (i = 0; i < kCells; ++i) {
    CHECK(shares[i] >= 0);
    sum += shares[i];
  }
  CHECK(sum > 0 && sum < 1);
  CHECK(dsvl_answer_get_attention(answer, 0, 4, 0, shares, kCells, &error) == DSVL_ERROR_BAD_ARGUMENT);
  CHECK(dsvl_answer_get_attention(answer, 0, 1, 2, shares, kCells, &error) == DSVL_ERROR_BAD_ARGUMENT);
  CHECK(dsvl_answer_get_attention(answer, 0, 1, 0, shares, kCells - 1, &error) == DSVL_ERROR_BAD_ARGUMENT);
  CHECK(dsvl_answer_get_attention(answer, 0, 1, 0, NULL, kCells, &error) == DSVL_ERROR_BAD_ARGUMENT);
  dsvl_answer_close(answer);
  part.region.width = 100000;
  CHECK(dsvl_session_ask(session, &question, &answer, &error) == DSVL_ERROR_BAD_ARGUMENT && answer == NULL);
  dsvl_session_close(session);
}

/* An answer ends when its time is over, with what was said until then. */
static void check_time_limits(dsvl_model* model) {
  dsvl_session* session = NULL;
  dsvl_answer* answer = NULL;
  dsvl_answer_info info;
  char said[256];
  dsvl_picture picture = picture_file();
  const dsvl_picture* pictures[1];
  dsvl_question question;
  pictures[0] = &picture;
  question = question_of("Which bar is the tallest?", pictures, 1);
  CHECK(dsvl_session_open(model, NULL, &session, &error) == DSVL_OK);
  question.time_limit = INT64_MAX;
  expect_green(session, &question);
  question.time_limit = -1;
  CHECK(dsvl_session_ask(session, &question, &answer, &error) == DSVL_ERROR_BAD_ARGUMENT && answer == NULL);
  CHECK(strstr(error.text, "time_limit") != NULL);
  question.time_limit = 1;
  CHECK(dsvl_session_start(session, &question, &answer, &error) == DSVL_OK);
  CHECK(finish(answer, said, sizeof said, &info) == DSVL_OK);
  CHECK(info.finish == DSVL_FINISH_DEADLINE && said[0] == '\0');
  dsvl_session_close(session);
}

/* A model that was loaded without them refuses constraints. */
static void check_constraints_that_were_not_loaded(void) {
  dsvl_model* model = NULL;
  dsvl_session* session = NULL;
  dsvl_constraint* any = NULL;
  dsvl_answer* answer = NULL;
  dsvl_question question = question_of("Hello?", NULL, 0);
  dsvl_text none = {NULL, 0};
  CHECK(dsvl_model_load(model_path, NULL, &model, &error) == DSVL_OK);
  CHECK(dsvl_session_open(model, NULL, &session, &error) == DSVL_OK);
  CHECK(dsvl_constraint_schema(none, DSVL_JSON_PRETTY | DSVL_JSON_ASCII, &any, &error) == DSVL_OK);
  question.constraint = any;
  CHECK(dsvl_session_ask(session, &question, &answer, &error) == DSVL_ERROR_BAD_ARGUMENT && answer == NULL);
  CHECK(strstr(error.text, "constraint") != NULL);
  dsvl_constraint_close(any);
  dsvl_session_close(session);
  dsvl_model_close(model);
}

static void check_saving_and_forks(dsvl_model* model) {
  dsvl_session *session = NULL, *fork = NULL, *loaded = NULL;
  dsvl_session_info state = {.size = sizeof state};
  dsvl_picture picture = picture_file();
  const dsvl_picture* pictures[1];
  dsvl_question question, again = question_of("Which bar is the tallest?", NULL, 0);
  pictures[0] = &picture;
  question = question_of("Which bar is the tallest?", pictures, 1);
  CHECK(dsvl_session_open(model, NULL, &session, &error) == DSVL_OK);
  expect_green(session, &question);
  CHECK(dsvl_session_fork(session, 0, &fork, &error) == DSVL_OK);
  CHECK(dsvl_session_save(session, saved_path, 0, &error) == DSVL_OK);
  dsvl_session_close(session);
  expect_green(fork, &again);
  CHECK(dsvl_session_fork(fork, -4, &session, &error) == DSVL_ERROR_BAD_ARGUMENT && session == NULL);
  dsvl_session_close(fork);
  CHECK(dsvl_session_load(model, saved_path, NULL, &loaded, &error) == DSVL_OK);
  CHECK(dsvl_session_get_info(loaded, &state, &error) == DSVL_OK && state.turns == 1);
  expect_green(loaded, &again);
  dsvl_session_close(loaded);
  remove(saved_path);
  CHECK(dsvl_session_load(model, saved_path, NULL, &loaded, &error) == DSVL_ERROR_NOT_FOUND && loaded == NULL);
}

static void check_model_in_memory(void) {
  enum { kRoom = 1 << 24 };
  char* bytes = malloc(kRoom);
  size_t count;
  dsvl_model* model = NULL;
  dsvl_session* session = NULL;
  FILE* file = fopen(gguf_path, "rb");
  count = fread(bytes, 1, kRoom, file);
  fclose(file);
  CHECK(count > 0 && count < kRoom);
  CHECK(dsvl_model_load_memory(bytes, count / 2, NULL, &model, &error) != DSVL_OK && model == NULL);
  CHECK(dsvl_model_load_memory(bytes, count, NULL, &model, &error) == DSVL_OK);
  CHECK(dsvl_session_open(model, NULL, &session, &error) == DSVL_OK);
  dsvl_model_close(model);
  dsvl_session_close(session);
  free(bytes);
}

/* A host that counts. */
typedef struct counts {
  long blocks, refuse_after;
  long runs, messages;
} counts;
static void* count_allocate(void* user, size_t bytes, size_t align) {
  counts* count = user;
  void* memory;
  char* aligned;
  if (count->refuse_after >= 0 && count->blocks >= count->refuse_after) return NULL;
  memory = malloc(bytes + align + sizeof(void*));
  if (!memory) return NULL;
  aligned = (char*)memory + sizeof(void*);
  aligned += align - (size_t)((uintptr_t)aligned % align);
  ((void**)(void*)aligned)[-1] = memory;
  ++count->blocks;
  return aligned;
}
static void count_deallocate(void* user, void* memory, size_t bytes, size_t align) {
  (void)bytes;
  (void)align;
  --((counts*)user)->blocks;
  free(((void**)memory)[-1]);
}
static int32_t one_worker(void* user) {
  (void)user;
  return 1;
}
static void run_backwards(void* user, int32_t tasks, dsvl_task task, void* context) {
  ++((counts*)user)->runs;
  while (tasks > 0) task(context, --tasks);
}
static void count_message(void* user, int32_t level, const char* text, size_t bytes) {
  (void)text;
  CHECK(level >= DSVL_LEVEL_DEBUG && level <= DSVL_LEVEL_ERROR && bytes > 0);
  ++((counts*)user)->messages;
}
static void count_progress(void* user, int32_t stage, double done, double total) {
  CHECK(stage >= DSVL_STAGE_LOAD && stage <= DSVL_STAGE_DECODE && done <= total);
  ++*(int*)user;
}

static void check_host_and_order_of_closing(void) {
  counts count = {0, -1, 0, 0};
  dsvl_host host = {.size = sizeof host};
  dsvl_load_options load_options = {.size = sizeof load_options};
  dsvl_session_options options = {.size = sizeof options};
  dsvl_memory_plan plan = {.size = sizeof plan};
  dsvl_model* model = NULL;
  dsvl_session *session = NULL, *refused = NULL;
  dsvl_session_info state = {.size = sizeof state};
  dsvl_answer* answer = NULL;
  dsvl_answer_info info;
  dsvl_picture picture = picture_file();
  const dsvl_picture* pictures[1];
  dsvl_question question;
  char said[256];
  int reports = 0;
  host.allocate = count_allocate;
  host.deallocate = count_deallocate;
  host.memory_user = host.executor_user = host.log_user = &count;
  host.workers = one_worker;
  load_options.host = &host;
  CHECK(dsvl_model_load(model_path, &load_options, &model, &error) == DSVL_ERROR_BAD_ARGUMENT && model == NULL);
  CHECK(strstr(error.text, "run") != NULL);
  host.run = run_backwards;
  host.log = count_message;
  load_options.progress = count_progress;
  load_options.progress_user = &reports;
  load_options.mode = DSVL_LOAD_READ;
  options.context = 1000000; /* longer than the model's */
  CHECK(dsvl_plan(model_path, &load_options, &options, &plan, &error) != DSVL_OK);
  options.context = 512;
  options.kv = DSVL_KV_BF16;
  CHECK(dsvl_plan(model_path, &load_options, &options, &plan, &error) == DSVL_OK);
  CHECK(plan.session == plan.decoder + plan.cache + plan.vision && plan.peak >= plan.session + plan.model);
  CHECK(dsvl_model_load(model_path, &load_options, &model, &error) == DSVL_OK);
  memset(&host, 0, sizeof host); /* it was copied */
  CHECK(count.blocks > 0 && reports > 0);
  CHECK(dsvl_session_open(model, &options, &session, &error) == DSVL_OK);
  CHECK(dsvl_session_get_info(session, &state, &error) == DSVL_OK);
  CHECK(state.bytes == plan.session && state.context == 512);
  count.refuse_after = 0;
  CHECK(dsvl_session_open(model, &options, &refused, &error) == DSVL_ERROR_OUT_OF_MEMORY && refused == NULL);
  count.refuse_after = -1;
  pictures[0] = &picture;
  question = question_of("Which bar is the tallest?", pictures, 1);
  reports = 0;
  question.progress = count_progress;
  question.progress_user = &reports;
  CHECK(dsvl_session_ask(session, &question, &answer, &error) == DSVL_OK);
  dsvl_model_close(model);
  dsvl_session_close(session);
  CHECK(finish(answer, said, sizeof said, &info) == DSVL_OK && strcmp(said, "The green bar.") == 0);
  CHECK(count.runs > 0 && reports > 0);
  CHECK(count.blocks == 0);
}

static void check_cancelling(dsvl_model* model) {
  dsvl_cancel* cancel = NULL;
  dsvl_session* session = NULL;
  dsvl_answer* answer = NULL;
  dsvl_answer_info info;
  dsvl_picture picture = picture_file();
  const dsvl_picture* pictures[1];
  dsvl_question question;
  char said[256];
  dsvl_load_options options = {.size = sizeof options};
  dsvl_model* cancelled = NULL;
  pictures[0] = &picture;
  question = question_of("Which bar is the tallest?", pictures, 1);
  CHECK(dsvl_cancel_open(&cancel, &error) == DSVL_OK);
  question.cancel = options.cancel = cancel;
  CHECK(dsvl_session_open(model, NULL, &session, &error) == DSVL_OK);
  dsvl_cancel_set(cancel);
  options.mode = DSVL_LOAD_READ;
  CHECK(dsvl_model_load(model_path, &options, &cancelled, &error) == DSVL_ERROR_CANCELLED && cancelled == NULL);
  CHECK(dsvl_session_ask(session, &question, &answer, &error) == DSVL_ERROR_CANCELLED && answer == NULL);
  dsvl_cancel_reset(cancel);
  expect_green(session, &question);
  CHECK(dsvl_session_start(session, &question, &answer, &error) == DSVL_OK);
  dsvl_cancel_set(cancel);
  dsvl_cancel_close(cancel); /* the answer keeps what it looks at */
  CHECK(finish(answer, said, sizeof said, &info) == DSVL_ERROR_CANCELLED);
  CHECK(info.finish == DSVL_FINISH_CANCELLED);
  dsvl_session_close(session);
}

/* A header that was older or newer than the library. */
static void check_sizes(dsvl_model* model) {
  struct newer {
    dsvl_session_options known;
    int64_t unknown;
  } newer;
  dsvl_session* session = NULL;
  dsvl_session_options older = {.size = sizeof older};
  dsvl_model_info info;
  dsvl_error none = {0, 5, "as it was"}, code_only = {offsetof(dsvl_error, text), 0, "as it was"};
  dsvl_error cut = {offsetof(dsvl_error, text) + 4, 0, ""};
  memset(&newer, 0, sizeof newer);
  newer.known.size = sizeof newer;
  CHECK(dsvl_session_open(model, &newer.known, &session, &error) == DSVL_OK);
  dsvl_session_close(session);
  newer.unknown = 1;
  CHECK(dsvl_session_open(model, &newer.known, &session, &error) == DSVL_ERROR_UNSUPPORTED && session == NULL);
  older.size = offsetof(dsvl_session_options, context) + sizeof older.context;
  older.context = 256;
  older.kv = 99; /* behind what the older header has */
  CHECK(dsvl_session_open(model, &older, &session, &error) == DSVL_OK);
  dsvl_session_close(session);
  older.size = sizeof older;
  CHECK(dsvl_session_open(model, &older, &session, &error) == DSVL_ERROR_BAD_ARGUMENT);
  older.size = 0;
  CHECK(dsvl_session_open(model, &older, &session, &error) == DSVL_ERROR_BAD_ARGUMENT);
  CHECK(strstr(error.text, "dsvl_session_options::size") != NULL);

  memset(&info, 0x5A, sizeof info);
  info.size = offsetof(dsvl_model_info, hidden);
  CHECK(dsvl_model_get_info(model, &info, &error) == DSVL_OK);
  CHECK(info.image_tokens == 64 && info.hidden == 0x5A5A5A5A5A5A5A5A && info.size == offsetof(dsvl_model_info, hidden));
  info.size = sizeof info;
  CHECK(dsvl_model_get_info(model, &info, &error) == DSVL_OK);
  CHECK(info.vocab == 576 && info.hybrid == 1 && info.has_tokenizer == 1 && info.layers > 0);
  CHECK(dsvl_model_get_info(model, NULL, &error) == DSVL_ERROR_BAD_ARGUMENT);

  CHECK(dsvl_session_open(NULL, NULL, &session, &none) == DSVL_ERROR_BAD_ARGUMENT);
  CHECK(none.code == 5 && strcmp(none.text, "as it was") == 0);
  CHECK(dsvl_session_open(NULL, NULL, &session, &code_only) == DSVL_ERROR_BAD_ARGUMENT);
  CHECK(code_only.code == DSVL_ERROR_BAD_ARGUMENT && strcmp(code_only.text, "as it was") == 0);
  CHECK(dsvl_session_open(NULL, NULL, &session, &cut) == DSVL_ERROR_BAD_ARGUMENT);
  CHECK(strcmp(cut.text, "the") == 0);
}

static void check_null(dsvl_model* model) {
  dsvl_model* no_model = NULL;
  dsvl_session* session = NULL;
  dsvl_answer* answer = NULL;
  dsvl_constraint* constraint = NULL;
  dsvl_piece piece = {.size = sizeof piece};
  dsvl_answer_info info = {.size = sizeof info};
  dsvl_session_info state = {.size = sizeof state};
  dsvl_model_info sizes = {.size = sizeof sizes};
  dsvl_memory_plan plan = {.size = sizeof plan};
  dsvl_question question = question_of("?", NULL, 0);
  dsvl_text text = {NULL, 3};
  dsvl_seen seen = {.size = sizeof seen};
  dsvl_yes_no found = {.size = sizeof found};
  double number = 0;
  float share = 0;
  int32_t fits = 0;
  const dsvl_code bad = DSVL_ERROR_BAD_ARGUMENT;
  CHECK(dsvl_cancel_open(NULL, NULL) == bad);
  CHECK(dsvl_model_load(NULL, NULL, &no_model, NULL) == bad && dsvl_model_load(model_path, NULL, NULL, NULL) == bad);
  CHECK(dsvl_model_load_memory(NULL, 8, NULL, &no_model, NULL) == bad);
  CHECK(dsvl_model_get_info(NULL, &sizes, NULL) == bad);
  CHECK(dsvl_plan(NULL, NULL, NULL, &plan, NULL) == bad && dsvl_plan(model_path, NULL, NULL, NULL, NULL) == bad);
  CHECK(dsvl_constraint_schema(text, 0, &constraint, NULL) == bad);
  CHECK(dsvl_constraint_regex(text, &constraint, NULL) == bad);
  CHECK(dsvl_constraint_choices(NULL, 2, &constraint, NULL) == bad);
  CHECK(dsvl_constraint_choices(NULL, 0, &constraint, NULL) == bad);
  CHECK(dsvl_constraint_matches(NULL, question.text, &fits, NULL) == bad);
  CHECK(dsvl_session_open(NULL, NULL, &session, NULL) == bad && dsvl_session_open(model, NULL, NULL, NULL) == bad);
  CHECK(dsvl_session_load(NULL, saved_path, NULL, &session, NULL) == bad);
  CHECK(dsvl_session_load(model, NULL, NULL, &session, NULL) == bad);
  CHECK(dsvl_session_save(NULL, saved_path, 0, NULL) == bad);
  CHECK(dsvl_session_fork(NULL, 0, &session, NULL) == bad);
  CHECK(dsvl_session_rewind(NULL, 0, NULL) == bad);
  CHECK(dsvl_session_get_info(NULL, &state, NULL) == bad);
  CHECK(dsvl_session_ask(NULL, &question, &answer, NULL) == bad);
  CHECK(dsvl_session_start(NULL, &question, &answer, NULL) == bad);
  CHECK(dsvl_session_complete(NULL, &question, &answer, NULL) == bad);
  CHECK(dsvl_session_score(NULL, &question, &question.text, 1, &number, NULL) == bad);
  CHECK(dsvl_session_classify(NULL, &question, &question.text, 1, &number, NULL) == bad);
  CHECK(dsvl_answer_next(NULL, &piece, NULL) == bad && dsvl_answer_step(NULL, 0, &piece, NULL) == bad);
  CHECK(dsvl_answer_get_info(NULL, &info, NULL) == bad);
  CHECK(dsvl_answer_get_picture(NULL, 0, &seen, NULL) == bad);
  CHECK(dsvl_answer_get_attention(NULL, 0, 1, 0, &share, 1, NULL) == bad);
  CHECK(dsvl_session_yes_no(NULL, &question, &found, NULL) == bad);
  CHECK(dsvl_session_open(model, NULL, &session, NULL) == DSVL_OK);
  CHECK(dsvl_session_ask(session, NULL, &answer, NULL) == bad && dsvl_session_ask(session, &question, NULL, NULL) == bad);
  question.text = text;
  CHECK(dsvl_session_ask(session, &question, &answer, NULL) == bad);
  dsvl_session_close(session);
  dsvl_cancel_set(NULL);
  dsvl_cancel_reset(NULL);
  dsvl_cancel_close(NULL);
  dsvl_model_close(NULL);
  dsvl_constraint_close(NULL);
  dsvl_session_close(NULL);
  dsvl_answer_close(NULL);
}

int main(int argc, char** argv) {
  dsvl_model* model;
  if (argc != 5) return 2;
  model_path = argv[1];
  picture_path = argv[2];
  gguf_path = argv[3];
  sprintf(saved_path, "%.900s/saved.session", argv[4]);
  CHECK(dsvl_abi_version() == DSVL_C_ABI && dsvl_version() >= 100);
  CHECK(dsvl_abi_minor_version() == DSVL_C_ABI_MINOR);
  CHECK(strcmp(dsvl_code_name(DSVL_ERROR_BAD_FILE), "bad_file") == 0);
  CHECK(strcmp(dsvl_code_name(-1), "unknown") == 0 && strcmp(dsvl_code_name(1000), "unknown") == 0);
  CHECK(dsvl_model_load("no/such/model", NULL, &model, &error) == DSVL_ERROR_NOT_FOUND && model == NULL);
  CHECK(error.code == DSVL_ERROR_NOT_FOUND && strstr(error.text, "no/such/model") != NULL);
  model = load();
  if (!model) return 1;
  check_pictures_by_path_and_bytes(model);
  check_pixels(model);
  check_steps(model);
  check_scores_and_constraints(model);
  check_constraints_that_were_not_loaded();
  check_yes_and_no(model);
  check_what_it_saw(model);
  check_time_limits(model);
  check_saving_and_forks(model);
  check_model_in_memory();
  check_host_and_order_of_closing();
  check_cancelling(model);
  check_sizes(model);
  check_null(model);
  dsvl_model_close(model);
  return failures();
}
