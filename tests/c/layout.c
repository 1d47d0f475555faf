/* What is frozen of the structs and numbers of dsvl/c.h: sizes and offsets in bytes, where pointers have 8, and the values
   of the enumerators. A line here changes never; a new field of a struct is a new line, and a new size. */
#include <dsvl/c.h>

#include "check.h"

#define SIZE(type, bytes) CHECK(sizeof(type) == (bytes) && offsetof(type, size) == 0)
#define FIELD(type, field, at) CHECK(offsetof(type, field) == (at))

static void check_structs(void) {
  CHECK(sizeof(dsvl_code) == 4);
  CHECK(sizeof(dsvl_text) == 16 && offsetof(dsvl_text, data) == 0 && offsetof(dsvl_text, bytes) == 8);
  SIZE(dsvl_error, 400);
  FIELD(dsvl_error, code, 8);
  FIELD(dsvl_error, text, 12);
  SIZE(dsvl_host, 72);
  FIELD(dsvl_host, allocate, 8);
  FIELD(dsvl_host, deallocate, 16);
  FIELD(dsvl_host, memory_user, 24);
  FIELD(dsvl_host, workers, 32);
  FIELD(dsvl_host, run, 40);
  FIELD(dsvl_host, executor_user, 48);
  FIELD(dsvl_host, log, 56);
  FIELD(dsvl_host, log_user, 64);
  SIZE(dsvl_load_options, 72);
  FIELD(dsvl_load_options, host, 8);
  FIELD(dsvl_load_options, threads, 16);
  FIELD(dsvl_load_options, mode, 20);
  FIELD(dsvl_load_options, constraints, 24);
  FIELD(dsvl_load_options, reserved, 28);
  FIELD(dsvl_load_options, file, 32);
  FIELD(dsvl_load_options, mmproj, 40);
  FIELD(dsvl_load_options, cancel, 48);
  FIELD(dsvl_load_options, progress, 56);
  FIELD(dsvl_load_options, progress_user, 64);
  SIZE(dsvl_model_info, 72);
  FIELD(dsvl_model_info, image_tokens, 8);
  FIELD(dsvl_model_info, hidden, 16);
  FIELD(dsvl_model_info, layers, 24);
  FIELD(dsvl_model_info, vocab, 32);
  FIELD(dsvl_model_info, max_context, 40);
  FIELD(dsvl_model_info, default_context, 48);
  FIELD(dsvl_model_info, file_bytes, 56);
  FIELD(dsvl_model_info, hybrid, 64);
  FIELD(dsvl_model_info, has_tokenizer, 68);
  SIZE(dsvl_session_options, 120);
  FIELD(dsvl_session_options, host, 8);
  FIELD(dsvl_session_options, system, 16);
  FIELD(dsvl_session_options, context, 24);
  FIELD(dsvl_session_options, chunk, 32);
  FIELD(dsvl_session_options, pictures, 40);
  FIELD(dsvl_session_options, picture_side, 48);
  FIELD(dsvl_session_options, picture_pixels, 56);
  FIELD(dsvl_session_options, text_bytes, 64);
  FIELD(dsvl_session_options, logit_rows, 72);
  FIELD(dsvl_session_options, cached_tokens, 80);
  FIELD(dsvl_session_options, kv, 88);
  FIELD(dsvl_session_options, activations, 92);
  FIELD(dsvl_session_options, keep_generated_ids, 96);
  FIELD(dsvl_session_options, apply_exif_orientation, 100);
  FIELD(dsvl_session_options, clip_gray16, 104);
  FIELD(dsvl_session_options, has_background, 108);
  FIELD(dsvl_session_options, background, 112);
  FIELD(dsvl_session_options, reserved, 116);
  SIZE(dsvl_memory_plan, 72);
  FIELD(dsvl_memory_plan, model, 8);
  FIELD(dsvl_memory_plan, decoder, 16);
  FIELD(dsvl_memory_plan, cache, 24);
  FIELD(dsvl_memory_plan, vision, 32);
  FIELD(dsvl_memory_plan, session, 40);
  FIELD(dsvl_memory_plan, load_peak, 48);
  FIELD(dsvl_memory_plan, peak, 56);
  FIELD(dsvl_memory_plan, file_bytes, 64);
  SIZE(dsvl_session_info, 32);
  FIELD(dsvl_session_info, turns, 8);
  FIELD(dsvl_session_info, context, 16);
  FIELD(dsvl_session_info, bytes, 24);
  SIZE(dsvl_picture, 120);
  FIELD(dsvl_picture, path, 8);
  FIELD(dsvl_picture, bytes, 16);
  FIELD(dsvl_picture, byte_count, 24);
  FIELD(dsvl_picture, pixels, 32);
  FIELD(dsvl_picture, width, 40);
  FIELD(dsvl_picture, height, 48);
  FIELD(dsvl_picture, stride, 56);
  FIELD(dsvl_picture, format, 64);
  FIELD(dsvl_picture, full_range, 68);
  FIELD(dsvl_picture, bt709, 72);
  FIELD(dsvl_picture, linear, 76);
  FIELD(dsvl_picture, chroma, 80);
  FIELD(dsvl_picture, chroma_stride, 96);
  FIELD(dsvl_picture, has_background, 112);
  FIELD(dsvl_picture, background, 116);
  SIZE(dsvl_question, 160);
  FIELD(dsvl_question, text, 8);
  FIELD(dsvl_question, pictures, 24);
  FIELD(dsvl_question, picture_count, 32);
  FIELD(dsvl_question, max_tokens, 40);
  FIELD(dsvl_question, temperature, 48);
  FIELD(dsvl_question, top_p, 52);
  FIELD(dsvl_question, repetition_penalty, 56);
  FIELD(dsvl_question, penalize_prompt, 60);
  FIELD(dsvl_question, top_k, 64);
  FIELD(dsvl_question, seed, 72);
  FIELD(dsvl_question, draft, 80);
  FIELD(dsvl_question, draft_text, 88);
  FIELD(dsvl_question, stop, 104);
  FIELD(dsvl_question, stop_count, 112);
  FIELD(dsvl_question, constraint, 120);
  FIELD(dsvl_question, cancel, 128);
  FIELD(dsvl_question, progress, 136);
  FIELD(dsvl_question, progress_user, 144);
  FIELD(dsvl_question, placeholders, 152);
  FIELD(dsvl_question, reserved, 156);
  SIZE(dsvl_piece, 40);
  FIELD(dsvl_piece, text, 8);
  FIELD(dsvl_piece, log_probability, 24);
  FIELD(dsvl_piece, id, 32);
  FIELD(dsvl_piece, present, 36);
  SIZE(dsvl_answer_info, 160);
  FIELD(dsvl_answer_info, finish, 8);
  FIELD(dsvl_answer_info, whole, 12);
  FIELD(dsvl_answer_info, code, 16);
  FIELD(dsvl_answer_info, reserved, 20);
  FIELD(dsvl_answer_info, message, 24);
  FIELD(dsvl_answer_info, text, 40);
  FIELD(dsvl_answer_info, ids, 56);
  FIELD(dsvl_answer_info, id_count, 64);
  FIELD(dsvl_answer_info, prompt_tokens, 72);
  FIELD(dsvl_answer_info, reused_tokens, 80);
  FIELD(dsvl_answer_info, answer_tokens, 88);
  FIELD(dsvl_answer_info, passes, 96);
  FIELD(dsvl_answer_info, drafted, 104);
  FIELD(dsvl_answer_info, accepted, 112);
  FIELD(dsvl_answer_info, decode_image, 120);
  FIELD(dsvl_answer_info, preprocess, 128);
  FIELD(dsvl_answer_info, encode, 136);
  FIELD(dsvl_answer_info, prefill, 144);
  FIELD(dsvl_answer_info, decode, 152);
}

static void check_numbers(void) {
  CHECK(DSVL_C_ABI == 1);
  CHECK(DSVL_OK == 0 && DSVL_ERROR_NOT_FOUND == 1 && DSVL_ERROR_IO == 2 && DSVL_ERROR_BAD_FILE == 3);
  CHECK(DSVL_ERROR_UNSUPPORTED == 4 && DSVL_ERROR_BAD_SHAPE == 5 && DSVL_ERROR_BAD_ARGUMENT == 6);
  CHECK(DSVL_ERROR_BAD_TEXT == 7 && DSVL_ERROR_OUT_OF_MEMORY == 8 && DSVL_ERROR_LIMIT == 9);
  CHECK(DSVL_ERROR_CANCELLED == 10);
  CHECK(DSVL_STAGE_LOAD == 0 && DSVL_STAGE_DECODE_IMAGE == 1 && DSVL_STAGE_PREPROCESS == 2);
  CHECK(DSVL_STAGE_ENCODE == 3 && DSVL_STAGE_PREFILL == 4 && DSVL_STAGE_DECODE == 5);
  CHECK(DSVL_LEVEL_DEBUG == 0 && DSVL_LEVEL_INFO == 1 && DSVL_LEVEL_WARNING == 2 && DSVL_LEVEL_ERROR == 3);
  CHECK(DSVL_LOAD_MAP == 0 && DSVL_LOAD_READ == 1 && DSVL_LOAD_PREFAULT == 2);
  CHECK(DSVL_JSON_COMPACT == 0 && DSVL_JSON_PRETTY == 1 && DSVL_JSON_ASCII == 2);
  CHECK(DSVL_KV_AUTO == 0 && DSVL_KV_F32 == 1 && DSVL_KV_BF16 == 2 && DSVL_KV_Q8 == 3);
  CHECK(DSVL_ACTIVATIONS_F32 == 0 && DSVL_ACTIVATIONS_BF16 == 1);
  CHECK(DSVL_RGB == 0 && DSVL_BGR == 1 && DSVL_RGBA == 2 && DSVL_BGRA == 3 && DSVL_GRAY == 4);
  CHECK(DSVL_RGB16 == 5 && DSVL_BGR16 == 6 && DSVL_RGBA16 == 7 && DSVL_BGRA16 == 8 && DSVL_GRAY16 == 9);
  CHECK(DSVL_RGB32F == 10 && DSVL_BGR32F == 11 && DSVL_RGBA32F == 12 && DSVL_BGRA32F == 13 && DSVL_GRAY32F == 14);
  CHECK(DSVL_NV12 == 15 && DSVL_NV21 == 16 && DSVL_I420 == 17 && DSVL_YUY2 == 18 && DSVL_UYVY == 19);
  CHECK(DSVL_FINISH_NONE == 0 && DSVL_FINISH_EOS == 1 && DSVL_FINISH_STOP == 2 && DSVL_FINISH_LENGTH == 3);
  CHECK(DSVL_FINISH_CANCELLED == 4 && DSVL_FINISH_CONTEXT_FULL == 5 && DSVL_FINISH_ERROR == 6);
  CHECK(DSVL_FINISH_DEADLINE == 7);
}

int main(void) {
  if (sizeof(void*) == 8) check_structs();
  else puts("SKIPPED: offsets of the C interface: they are written down for pointers of 8 bytes");
  check_numbers();
  return failures();
}
