// dsvl for C, and for every language that calls C: functions on opaque handles, plain structs that carry their size.
//
//   dsvl_model* model = NULL; dsvl_session* session = NULL; dsvl_answer* answer = NULL;
//   dsvl_error error = {.size = sizeof error};
//   dsvl_picture photo = {.size = sizeof photo}; photo.path = "photo.jpg";
//   const dsvl_picture* pictures[] = {&photo};
//   dsvl_question question = {.size = sizeof question}; question.text.data = "What is in this picture?";
//   question.text.bytes = strlen(question.text.data); question.pictures = pictures; question.picture_count = 1;
//   dsvl_piece piece = {.size = sizeof piece};
//   if (dsvl_model_load("deepseek-vl-1.3b-chat", NULL, &model, &error) == DSVL_OK &&
//       dsvl_session_open(model, NULL, &session, &error) == DSVL_OK &&
//       dsvl_session_ask(session, &question, &answer, &error) == DSVL_OK)
//     while (dsvl_answer_next(answer, &piece, &error) == DSVL_OK && piece.present)
//       fwrite(piece.text.data, 1, piece.text.bytes, stdout);
//   if (error.code != DSVL_OK) fprintf(stderr, "%s\n", error.text);
//   dsvl_answer_close(answer); dsvl_session_close(session); dsvl_model_close(model);
//
// The functions come with libdsvl (CMake -DDSVL_BUILD_SHARED=ON), or from one C++20 file of the host's own:
//
//   #define DSVL_C_IMPLEMENTATION
//   #include <dsvl/c.h>
//
// What is so for all of them:
//
//   Errors     A function that can fail returns a code and takes a dsvl_error*, which may be NULL. It is filled at
//              every return, with DSVL_OK and an empty text too. A handle that is needed and NULL is bad_argument.
//              Where a function makes a handle, `*made` is NULL after an error; a NULL `made` is one.
//   Structs    `size` is sizeof the struct as the caller knows it. Zero it and set `size`: zero means the default in
//              every field; NULL options are all defaults. A struct that a newer header made longer is taken if what
//              this library does not know is zero, otherwise it is `unsupported`. Of structs that are filled, `size`
//              bytes are written at most, and `size` itself stays.
//   Lifetimes  Structs, texts and arrays are read until the call returns and not kept, unless it is said. Handles may
//              be closed in any order: what others need of them stays. To use a handle after it was closed is the
//              host's fault, and undefined; so is a pointer that is neither NULL nor what the function asks for.
//   Threads    "Any" means any number of threads at once, on the same handle. "One at a time" is for a session with its
//              answers: a session and all its answers are one thing, forks and other sessions are others.
//   Never      Nothing throws, ends the process, prints, reads the environment or keeps global state. Callbacks must
//              not throw or longjmp, nor use a session that is inside the call which calls them.
//   Texts      are UTF-8. Paths too, on every system, and they end with a zero byte.
//
// Frozen: functions and fields are added at the end, and none is changed or removed while DSVL_C_ABI stays. Additions
// count up DSVL_C_ABI_MINOR; what says "Minor 1" came with it.
#ifndef DSVL_C_H
#define DSVL_C_H

#include <stddef.h>
#include <stdint.h>

/// The version of this interface. It changes when a program that was compiled before would not work any more.
#define DSVL_C_ABI 1
/// What was added since: it grows with every function and field, and programs that were compiled before still work.
#define DSVL_C_ABI_MINOR 1

/* DSVL_C_EXPORT is for the library's own file; DSVL_C_DLL for a program on Windows that uses dsvl.dll. */
#if defined(DSVL_C_EXPORT) && defined(_WIN32)
#define DSVL_C_API __declspec(dllexport)
#elif defined(DSVL_C_EXPORT) && defined(__GNUC__)
#define DSVL_C_API __attribute__((visibility("default")))
#elif defined(DSVL_C_IMPLEMENTATION) && defined(__GNUC__) && !defined(_WIN32)
#define DSVL_C_API __attribute__((visibility("hidden")))
#elif defined(DSVL_C_DLL) && defined(_WIN32)
#define DSVL_C_API __declspec(dllimport)
#else
/// Where the functions are: set by the macros above, and never by hand.
#define DSVL_C_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

// --- words ---------------------------------------------------------------------------------------------------------

typedef struct dsvl_model dsvl_model;            ///< a loaded model; closed with dsvl_model_close
typedef struct dsvl_session dsvl_session;        ///< a conversation; closed with dsvl_session_close
typedef struct dsvl_answer dsvl_answer;          ///< what the model says; closed with dsvl_answer_close
typedef struct dsvl_constraint dsvl_constraint;  ///< what an answer is held to; closed with dsvl_constraint_close
typedef struct dsvl_cancel dsvl_cancel;          ///< a flag that stops long work; closed with dsvl_cancel_close

/// The kind of an error: one of the DSVL_ codes below. Newer libraries may have more.
typedef int32_t dsvl_code;
enum {
  DSVL_OK = 0,                   ///< no error
  DSVL_ERROR_NOT_FOUND = 1,      ///< a file, tensor or key that is needed is not there
  DSVL_ERROR_IO = 2,             ///< the system refused to open, map, read or write
  DSVL_ERROR_BAD_FILE = 3,       ///< a file is not what it claims to be (truncated, malformed, hostile)
  DSVL_ERROR_UNSUPPORTED = 4,    ///< well formed, but not something dsvl implements
  DSVL_ERROR_BAD_SHAPE = 5,      ///< a tensor has other dimensions than needed
  DSVL_ERROR_BAD_ARGUMENT = 6,   ///< the caller passed something that makes no sense here
  DSVL_ERROR_BAD_TEXT = 7,       ///< a text is not UTF-8, or not allowed in its place
  DSVL_ERROR_OUT_OF_MEMORY = 8,  ///< the allocator had no memory
  DSVL_ERROR_LIMIT = 9,          ///< a declared limit (context, pictures, sizes) would be exceeded
  DSVL_ERROR_CANCELLED = 10      ///< a dsvl_cancel was set
};

/// An error with its text. `error.size = sizeof error` before the first call.
typedef struct dsvl_error {
  size_t size;     ///< sizeof(dsvl_error)
  dsvl_code code;  ///< DSVL_OK after a call that went well
  char text[384];  ///< one line that ends with a zero byte: the thing, what was found, what was needed; empty when ok
} dsvl_error;

/// A text that need not end with a zero byte and may contain some. {NULL, 0} is the empty one. It will never be longer.
typedef struct dsvl_text {
  const char* data;  ///< UTF-8; may be NULL when there are no bytes
  size_t bytes;      ///< its length
} dsvl_text;

/// A rectangle in pixels, (0, 0) at the top left. Four zeros are all of what it is a part of. It will never be longer.
typedef struct dsvl_rect {
  int64_t x;       ///< of the left edge
  int64_t y;       ///< of the top edge
  int64_t width;   ///< in pixels
  int64_t height;  ///< in pixels
} dsvl_rect;

/// The version of the library: 10000 * major + 100 * minor + patch. Threads: any.
DSVL_C_API uint32_t dsvl_version(void);
/// The DSVL_C_ABI that the library was made with. A host that loads the library itself compares it with its own.
/// Threads: any.
DSVL_C_API uint32_t dsvl_abi_version(void);
/// The DSVL_C_ABI_MINOR that the library was made with. Functions and fields that came with a later one are not there:
/// such a field is refused unless it is zero. Since minor 1. Threads: any.
DSVL_C_API uint32_t dsvl_abi_minor_version(void);
/// The name of a code ("bad_file"), or "unknown". It lives as long as the library is loaded. Threads: any.
DSVL_C_API const char* dsvl_code_name(dsvl_code code);

// --- cancelling, progress, the host --------------------------------------------------------------------------------

/// Makes a flag that stops long work: loading, asking, scoring, and the calls that work on an answer.
/// Threads: any. Codes: bad_argument, out_of_memory.
DSVL_C_API dsvl_code dsvl_cancel_open(dsvl_cancel** made, dsvl_error* error);
/// Stops the work that watches the flag, within about a millisecond, and all that begins until it is reset. Does
/// nothing for NULL. The one call that may come while a session is inside another one; not after dsvl_cancel_close().
/// Threads: any; it may be called in a signal handler.
DSVL_C_API void dsvl_cancel_set(dsvl_cancel* cancel);
/// Makes the flag usable again. Does nothing for NULL. Threads: any.
DSVL_C_API void dsvl_cancel_reset(dsvl_cancel* cancel);
/// Lets the flag go; work that watches it keeps what it needs, and can then not be cancelled any more. Does nothing for
/// NULL. Threads: any, after the last use.
DSVL_C_API void dsvl_cancel_close(dsvl_cancel* cancel);

/// The stage of long work.
enum {
  DSVL_STAGE_LOAD = 0,          ///< reading weights, in bytes; what follows counts operations
  DSVL_STAGE_DECODE_IMAGE = 1,  ///< decoding a picture file
  DSVL_STAGE_PREPROCESS = 2,    ///< resizing a picture
  DSVL_STAGE_ENCODE = 3,        ///< running the towers
  DSVL_STAGE_PREFILL = 4,       ///< running the decoder over a prompt
  DSVL_STAGE_DECODE = 5         ///< making tokens
};
/// The receiver of progress: `done` grows up to `total`. Called on the thread that loads or asks, about every 40 ms.
typedef void (*dsvl_progress)(void* user, int32_t stage, double done, double total);

enum { DSVL_LEVEL_DEBUG = 0, DSVL_LEVEL_INFO = 1, DSVL_LEVEL_WARNING = 2, DSVL_LEVEL_ERROR = 3 };  ///< of messages

/// One task of a run: call it with `context` as it came and every index.
typedef void (*dsvl_task)(void* context, int32_t index);

/// What the application provides: memory, threads, log. The struct is copied; what the `user` pointers point to must
/// stay until every model, session and answer that was made with it is closed. Functions that belong together are given
/// together or not at all.
typedef struct dsvl_host {
  size_t size;  ///< sizeof(dsvl_host)
  /// Returns `bytes` > 0 at a multiple of `align` (a power of two, at most 4096), or NULL when there are none, which
  /// becomes out_of_memory. From any thread. Every buffer above 64 KiB comes from here; NULL: the C++ runtime's memory.
  void* (*allocate)(void* user, size_t bytes, size_t align);
  /// Takes back memory of allocate(), with the same two numbers. From any thread.
  void (*deallocate)(void* user, void* memory, size_t bytes, size_t align);
  void* memory_user;  ///< handed to these two
  /// The number of tasks that may run at the same time, at least 1. NULL: the model's own threads.
  int32_t (*workers)(void* user);
  /// Calls task(context, i) once for every i from 0 to tasks - 1, in any order, on any threads, and returns when all
  /// have returned. Results do not depend on how this is done.
  void (*run)(void* user, int32_t tasks, dsvl_task task, void* context);
  void* executor_user;  ///< handed to these two
  /// Gets one line of `bytes` bytes, which does not end with a zero byte and stays until the call returns. Called on
  /// the thread that loads, asks or closes. NULL: silence.
  void (*log)(void* user, int32_t level, const char* text, size_t bytes);
  void* log_user;  ///< handed to it
} dsvl_host;

// --- models --------------------------------------------------------------------------------------------------------

/// The way in which files get into memory.
enum {
  DSVL_LOAD_MAP = 0,      ///< mapped: quick, and no memory of its own; the file must not be truncated meanwhile
  DSVL_LOAD_READ = 1,     ///< read into memory of the host: safe when files may change
  DSVL_LOAD_PREFAULT = 2  ///< mapped, and every page touched
};
/// Choices for a model.
typedef struct dsvl_load_options {
  size_t size;             ///< sizeof(dsvl_load_options)
  const dsvl_host* host;   ///< NULL: the defaults of dsvl_host
  int32_t threads;         ///< of the model's own pool; 0: as many as the process may use
  int32_t mode;            ///< DSVL_LOAD_...
  int32_t constraints;     ///< not 0: answers can be held to a dsvl_constraint; takes about 6 MB and 60 ms
  int32_t reserved;        ///< 0
  const char* file;        ///< the GGUF file of the folder to take; NULL: config.json with safetensors, else model.gguf
  const char* mmproj;      ///< the file with the vision towers of a GGUF file of text; NULL: "mmproj-" and its name
  dsvl_cancel* cancel;     ///< stops loading; may be NULL
  dsvl_progress progress;  ///< called while loading; may be NULL
  void* progress_user;     ///< handed to it
} dsvl_load_options;

/// Loads a model from a folder or a GGUF file. Weights stay in the mapped file unless `mode` says otherwise.
///
/// Threads  any
/// Cost     that of reading what is not weights, below a second for published models
/// Codes    not_found, io, bad_file, unsupported, bad_shape, bad_argument, out_of_memory, limit, cancelled
DSVL_C_API dsvl_code dsvl_model_load(const char* path, const dsvl_load_options* options, dsvl_model** made,
                                     dsvl_error* error);
/// Loads a model from a GGUF file in memory, best at a multiple of 64 bytes. The memory must stay as it is until the
/// model, its sessions and their answers are closed.
///
/// Threads, cost and codes are those of dsvl_model_load
DSVL_C_API dsvl_code dsvl_model_load_memory(const void* gguf, size_t bytes, const dsvl_load_options* options,
                                            dsvl_model** made, dsvl_error* error);

/// Sizes of a model.
typedef struct dsvl_model_info {
  size_t size;              ///< sizeof(dsvl_model_info)
  int64_t image_tokens;     ///< tokens that a picture takes
  int64_t hidden;           ///< width of the decoder
  int64_t layers;           ///< blocks of the decoder
  int64_t vocab;            ///< tokens of the vocabulary
  int64_t max_context;      ///< positions that the configuration allows
  int64_t default_context;  ///< context of a session that asks for none
  uint64_t file_bytes;      ///< of the weights' files
  int32_t hybrid;           ///< 1: it has the high-resolution tower
  int32_t has_tokenizer;    ///< 1: it takes texts
} dsvl_model_info;
/// Fills `info`.
/// Threads: any; not after dsvl_model_close(). Codes: bad_argument.
DSVL_C_API dsvl_code dsvl_model_get_info(const dsvl_model* model, dsvl_model_info* info, dsvl_error* error);
/// Lets the model go. Its memory stays as long as a session of it or an answer. Does nothing for NULL.
/// Threads: any, after the last use; a second time is the host's fault.
DSVL_C_API void dsvl_model_close(dsvl_model* model);

// --- constraints ---------------------------------------------------------------------------------------------------

/// How JSON is written; added up for dsvl_constraint_schema().
enum {
  DSVL_JSON_COMPACT = 0,  ///< without white space
  DSVL_JSON_PRETTY = 1,   ///< a member or element per line, indented by two spaces
  DSVL_JSON_ASCII = 2     ///< strings are ASCII: all other characters are escaped
};
/// Compiles a JSON schema (draft 2020-12); {NULL, 0}: any JSON. What is not enforced is refused, by name and place.
///
/// Threads  any
/// Cost     below 1 ms for a small schema; at most a few seconds
/// Codes    bad_file (no JSON), unsupported, bad_argument, limit, not_found (a reference), out_of_memory
DSVL_C_API dsvl_code dsvl_constraint_schema(dsvl_text schema, int32_t json, dsvl_constraint** made, dsvl_error* error);
/// Compiles a regular expression of ECMA-262 that is to match an answer from its beginning to its end.
/// Threads: any. Codes: unsupported (what is not regular), bad_text, bad_argument, limit, out_of_memory.
DSVL_C_API dsvl_code dsvl_constraint_regex(dsvl_text pattern, dsvl_constraint** made, dsvl_error* error);
/// Compiles a list of texts, one of which an answer is to be.
/// Threads: any. Codes: bad_text, bad_argument (no choices), limit, out_of_memory.
DSVL_C_API dsvl_code dsvl_constraint_choices(const dsvl_text* choices, size_t count, dsvl_constraint** made,
                                             dsvl_error* error);
/// Sets `*matches` to 1 when the whole text satisfies the constraint, else to 0.
/// Threads: any; not after dsvl_constraint_close(). Codes: bad_argument, limit, out_of_memory.
DSVL_C_API dsvl_code dsvl_constraint_matches(const dsvl_constraint* constraint, dsvl_text text, int32_t* matches,
                                             dsvl_error* error);
/// Lets the constraint go; answers that are held to it keep it. Does nothing for NULL.
/// Threads: any, after the last use; a second time is the host's fault.
DSVL_C_API void dsvl_constraint_close(dsvl_constraint* constraint);

// --- sessions ------------------------------------------------------------------------------------------------------

/// Formats of keys and values, and of the activations that enter products.
enum { DSVL_KV_AUTO = 0, DSVL_KV_F32 = 1, DSVL_KV_BF16 = 2, DSVL_KV_Q8 = 3 };
enum { DSVL_ACTIVATIONS_F32 = 0, DSVL_ACTIVATIONS_BF16 = 1 };

/// Choices for a session. Sizes are those of Limits in engine/limits.hpp, with their defaults for 0.
typedef struct dsvl_session_options {
  size_t size;                    ///< sizeof(dsvl_session_options)
  const dsvl_host* host;          ///< NULL, and what is NULL in it: the model's own
  const char* system;             ///< the text in front of a conversation; NULL: the models' usual one
  int64_t context;                ///< tokens of prompt and answers together; 0: default_context of the model
  int64_t chunk;                  ///< tokens that go through the decoder at once; 0: 640
  int64_t pictures;               ///< pictures that are kept; 0: as many as the context holds; -1: none, for text only
  int64_t picture_side;           ///< longest side, in pixels, that is resized in memory taken beforehand; 0: 4096
  int64_t picture_pixels;         ///< most pixels of a picture file; 0: 128 million
  int64_t text_bytes;             ///< bytes of text that the conversation may have; 0: 16 per token of context
  int64_t logit_rows;             ///< positions whose logits are kept at a time; 0: 8
  int64_t cached_tokens;          ///< tokens of cache beyond the context, for earlier conversations; 0: none
  int32_t kv;                     ///< DSVL_KV_...
  int32_t activations;            ///< DSVL_ACTIVATIONS_...
  int32_t keep_generated_ids;     ///< not 0: past answers stay the ids that were generated
  int32_t apply_exif_orientation; ///< not 0: photos are turned upright as their EXIF data say
  int32_t clip_gray16;            ///< not 0: 16-bit gray PNG pictures are taken as Pillow does
  int32_t has_background;         ///< not 0: files with alpha are blended onto `background`; 0: alpha is dropped
  uint8_t background[4];          ///< r, g, b, and 0
  int32_t reserved;               ///< 0
  int64_t attention_maps;         ///< tokens of an answer that dsvl_answer_get_attention() knows; 0: none. Minor 1
} dsvl_session_options;

/// What a model with one session takes, in bytes.
typedef struct dsvl_memory_plan {
  size_t size;          ///< sizeof(dsvl_memory_plan)
  uint64_t model;       ///< held by the model: tokenizer, norms, biases; with DSVL_LOAD_READ the weights too
  uint64_t decoder;     ///< of a session: activations, logits, text
  uint64_t cache;       ///< of a session: keys and values
  uint64_t vision;      ///< of a session: the towers' activations, embeddings of pictures
  uint64_t session;     ///< the three together: what dsvl_session_open() takes
  uint64_t load_peak;   ///< while the model is loaded
  uint64_t peak;        ///< the most at any moment
  uint64_t file_bytes;  ///< of the weights' files, which are mapped unless DSVL_LOAD_READ says otherwise
} dsvl_memory_plan;
/// Fills `plan` from the settings of the model and the sizes of its files; no weights are read.
/// Threads: any. Codes: those of dsvl_model_load for the settings, those of dsvl_session_open for the sizes.
DSVL_C_API dsvl_code dsvl_plan(const char* path, const dsvl_load_options* load, const dsvl_session_options* options,
                               dsvl_memory_plan* plan, dsvl_error* error);

/// Opens a session and takes all its memory.
/// Threads: any. Codes: bad_argument, bad_text, limit, out_of_memory.
DSVL_C_API dsvl_code dsvl_session_open(const dsvl_model* model, const dsvl_session_options* options,
                                       dsvl_session** made, dsvl_error* error);
/// Opens a session in a state that dsvl_session_save() wrote. The model must be the same, and the format of keys and
/// values; the system text and keep_generated_ids come from the file. Files need not be trusted.
/// Threads: any. Codes: those of dsvl_session_open; not_found, io, bad_file, unsupported (another model or version).
DSVL_C_API dsvl_code dsvl_session_load(const dsvl_model* model, const char* path, const dsvl_session_options* options,
                                       dsvl_session** made, dsvl_error* error);
/// Writes the conversation with its pictures and what was computed of it. An answer in work is left out. The file is
/// there whole or not at all. With `sync` not 0 it waits until the disk has it.
/// Threads: one at a time; not after dsvl_session_close(). Codes: io, bad_argument, out_of_memory.
DSVL_C_API dsvl_code dsvl_session_save(const dsvl_session* session, const char* path, int32_t sync, dsvl_error* error);
/// Makes another session in the same state, which shares what was computed and may be used on another thread. `context`
/// is its own, in tokens; 0: that of this one. An answer in work stays with this one.
/// Threads: one at a time; not after dsvl_session_close(). Codes: bad_argument, limit, out_of_memory.
DSVL_C_API dsvl_code dsvl_session_fork(dsvl_session* session, int64_t context, dsvl_session** made, dsvl_error* error);
/// Goes back to the first `turns` questions with their answers; 0 starts over. The answer in work ends. What was
/// computed stays useful.
/// Threads: one at a time; not after dsvl_session_close(). Codes: bad_argument (there are not so many).
DSVL_C_API dsvl_code dsvl_session_rewind(dsvl_session* session, uint64_t turns, dsvl_error* error);

/// The state of a session.
typedef struct dsvl_session_info {
  size_t size;      ///< sizeof(dsvl_session_info)
  uint64_t turns;   ///< questions that were answered
  int64_t context;  ///< tokens that it has room for
  uint64_t bytes;   ///< that it took when it opened
} dsvl_session_info;
/// Fills `info`.
/// Threads: one at a time; not after dsvl_session_close(). Codes: bad_argument.
DSVL_C_API dsvl_code dsvl_session_get_info(const dsvl_session* session, dsvl_session_info* info, dsvl_error* error);
/// Lets the session go. Its memory stays as long as its answer that is in work. Does nothing for NULL.
/// Threads: any, after the last use; a second time is the host's fault.
DSVL_C_API void dsvl_session_close(dsvl_session* session);

// --- questions -----------------------------------------------------------------------------------------------------

/// The samples of a pixel and their order, as PixelFormat in base/pixels.hpp says.
enum {
  DSVL_RGB = 0, DSVL_BGR, DSVL_RGBA, DSVL_BGRA, DSVL_GRAY,            ///< one byte a sample
  DSVL_RGB16, DSVL_BGR16, DSVL_RGBA16, DSVL_BGRA16, DSVL_GRAY16,      ///< two bytes, low byte first
  DSVL_RGB32F, DSVL_BGR32F, DSVL_RGBA32F, DSVL_BGRA32F, DSVL_GRAY32F, ///< floats: 0 is black, 1 white
  DSVL_NV12, DSVL_NV21, DSVL_I420, DSVL_YUY2, DSVL_UYVY               ///< of cameras
};
/// A picture: exactly one of `path`, `bytes` and `pixels` is given. Bytes and pixels are read where they lie.
typedef struct dsvl_picture {
  size_t size;               ///< sizeof(dsvl_picture)
  const char* path;          ///< a PNG or JPEG file
  const void* bytes;         ///< such a file in memory
  size_t byte_count;         ///< its length
  const void* pixels;        ///< first byte of the top row; of the plane of Y when there are several
  int64_t width;             ///< in pixels
  int64_t height;            ///< in pixels
  int64_t stride;            ///< bytes from one row to the row below; 0: packed; negative: bottom-up
  int32_t format;            ///< DSVL_RGB, ...
  int32_t full_range;        ///< of Y, U and V: 0 for 16 to 235, not 0 for 0 to 255
  int32_t bt709;             ///< from Y, U and V to RGB: 0 for BT.601, not 0 for BT.709
  int32_t linear;            ///< floats: 0 when encoded like bytes (sRGB), not 0 for linear light
  const void* chroma[2];     ///< the planes behind the first; NULL: they follow it in one buffer
  int64_t chroma_stride[2];  ///< 0: as in one buffer
  int32_t has_background;    ///< not 0: pixels with alpha lie on `background`; 0: alpha is ignored
  uint8_t background[4];     ///< r, g, b, and 0
  dsvl_rect region;          ///< the part that is the picture, cut out before it is scaled; all 0: the whole. Minor 1
} dsvl_picture;

/// A question, and how it is to be answered. All is copied or used when the call returns, except that with
/// dsvl_session_start() bytes and pixels of pictures must stay until the first token has come or the answer is closed,
/// and what `progress_user` points to until the answer is over or closed.
typedef struct dsvl_question {
  size_t size;                          ///< sizeof(dsvl_question)
  dsvl_text text;                       ///< taken literally: nothing in it is a control token
  const dsvl_picture* const* pictures;  ///< `picture_count` pointers; pictures come before the text
  size_t picture_count;                 ///< 0: a question about text alone
  int64_t max_tokens;                   ///< of the answer, its end included; 0: 512
  float temperature;                    ///< 0: the likeliest token
  float top_p;                          ///< draws among the likeliest that sum to it; 0 or 1: all
  float repetition_penalty;             ///< of tokens that were seen before; 0 or 1: none
  int32_t penalize_prompt;              ///< not 0: those of the prompt count as seen
  int64_t top_k;                        ///< draws among the k likeliest; 0: all
  uint64_t seed;                        ///< the same seed draws the same answer
  int64_t draft;                        ///< tokens that are guessed at a time, below logit_rows; 0: none
  dsvl_text draft_text;                 ///< a text that the answer may repeat
  const dsvl_text* stop;                ///< `stop_count` texts that end the answer and are no part of it
  size_t stop_count;                    ///< up to 64
  const dsvl_constraint* constraint;    ///< what the answer is held to; the model was loaded with `constraints`
  dsvl_cancel* cancel;                  ///< stops the work; may be NULL
  dsvl_progress progress;               ///< called inside calls that work; may be NULL
  void* progress_user;                  ///< handed to it
  int32_t placeholders;                 ///< not 0: "<image_placeholder>" in the text says where pictures belong
  int32_t reserved;                     ///< 0
  int64_t time_limit;                   ///< nanoseconds after this call at which the answer ends, with what was said
                                        ///< until then and DSVL_FINISH_DEADLINE; 0: none. Minor 1
} dsvl_question;

/// Asks the next question: encodes what is new, and works until the first token can be chosen. The answer before ends.
/// When the question cannot be answered that is an error, and there is no answer to close.
///
/// Threads  one at a time; not after dsvl_session_close()
/// Cost     a pass of the towers over every picture that is not known, and of the decoder over what is new
/// Codes    bad_text, bad_argument (also a constraint where the model was loaded without), limit (context, pictures),
///          unsupported (no tokenizer), not_found, io, bad_file (of pictures), out_of_memory, cancelled
DSVL_C_API dsvl_code dsvl_session_ask(dsvl_session* session, const dsvl_question* question, dsvl_answer** made,
                                      dsvl_error* error);
/// Begins a question like dsvl_session_ask() and computes nothing yet: dsvl_answer_step() or dsvl_answer_next() does.
///
/// Threads  one at a time; not after dsvl_session_close()
/// Codes    those of dsvl_session_ask that show before anything is computed; others come with the answer
DSVL_C_API dsvl_code dsvl_session_start(dsvl_session* session, const dsvl_question* question, dsvl_answer** made,
                                        dsvl_error* error);
/// Continues a text, without template and history: the text follows bos and the pictures. For base models.
///
/// Threads  one at a time; not after dsvl_session_close()
/// Cost and codes are those of dsvl_session_ask
DSVL_C_API dsvl_code dsvl_session_complete(dsvl_session* session, const dsvl_question* question, dsvl_answer** made,
                                           dsvl_error* error);
/// Writes the natural logarithm of each text's likelihood as the beginning of the answer to `log_likelihoods`, which
/// has room for `count`. The conversation stays as it is; the answer before ends.
///
/// Threads  one at a time; not after dsvl_session_close()
/// Cost     a pass over the prompt, and one over each text but its first token
/// Codes    those of dsvl_session_ask; bad_argument (an empty text)
DSVL_C_API dsvl_code dsvl_session_score(dsvl_session* session, const dsvl_question* question, const dsvl_text* texts,
                                        size_t count, double* log_likelihoods, dsvl_error* error);
/// Writes the choices' probabilities, as if the model could say nothing else, to `probabilities`, which has room for
/// `count`. They add up to 1. Give choices of similar length.
///
/// Threads, cost and codes are those of dsvl_session_score
DSVL_C_API dsvl_code dsvl_session_classify(dsvl_session* session, const dsvl_question* question,
                                           const dsvl_text* choices, size_t count, double* probabilities,
                                           dsvl_error* error);

/// What the model makes of a question that is answered by yes or no.
typedef struct dsvl_yes_no {
  size_t size;         ///< sizeof(dsvl_yes_no)
  double probability;  ///< of yes, where it is either
  double mass;         ///< of an answer that begins with yes or no; where it is low, `probability` means little
} dsvl_yes_no;
/// Asks a question for yes or no, and fills `made` from the first token of the answer: nothing is generated. The
/// conversation stays as it is; the answer before ends. For other words than "Yes" and "No": dsvl_session_classify().
/// Since minor 1.
///
/// Threads  one at a time; not after dsvl_session_close()
/// Cost     as for dsvl_session_ask, and no token behind it
/// Codes    those of dsvl_session_ask; cancelled also after time_limit
DSVL_C_API dsvl_code dsvl_session_yes_no(dsvl_session* session, const dsvl_question* question, dsvl_yes_no* made,
                                         dsvl_error* error);

// --- answers -------------------------------------------------------------------------------------------------------

/// One token with the text that it made visible: whole characters only, so it can be empty.
typedef struct dsvl_piece {
  size_t size;             ///< sizeof(dsvl_piece)
  dsvl_text text;          ///< valid until the next call with the answer or its session
  double log_probability;  ///< of this token, from the model's own distribution
  int32_t id;              ///< of the token
  int32_t present;         ///< 1: there is a token; 0: the answer is over, or the time is
} dsvl_piece;
/// Works until there is a token, and fills `piece`. When the answer is over, `piece->present` is 0 and the code says
/// how: DSVL_OK at every regular end.
///
/// Threads  one at a time; not after dsvl_answer_close()
/// Cost     a pass of the decoder at most
/// Codes    that of the answer: cancelled, and those of dsvl_session_ask after dsvl_session_start()
DSVL_C_API dsvl_code dsvl_answer_next(dsvl_answer* answer, dsvl_piece* piece, dsvl_error* error);
/// Works for about `nanoseconds`, for game loops: `piece->present` is 0 when no token was reached. The answer is over
/// when dsvl_answer_get_info() has a `finish`. Decoding a picture file is not cut into slices: hand in pixels.
/// Threads: one at a time; not after dsvl_answer_close(). Codes: that of the answer; bad_argument (negative).
DSVL_C_API dsvl_code dsvl_answer_step(dsvl_answer* answer, int64_t nanoseconds, dsvl_piece* piece, dsvl_error* error);

/// Why an answer ended.
enum {
  DSVL_FINISH_NONE = 0,          ///< it has not ended
  DSVL_FINISH_EOS = 1,           ///< the model ended it
  DSVL_FINISH_STOP = 2,          ///< a stop text was met
  DSVL_FINISH_LENGTH = 3,        ///< max_tokens were generated
  DSVL_FINISH_CANCELLED = 4,     ///< it was cancelled, or the session went on to something else
  DSVL_FINISH_CONTEXT_FULL = 5,  ///< there is no room for another token
  DSVL_FINISH_ERROR = 6,         ///< see `code` and `message`; the question is forgotten
  DSVL_FINISH_DEADLINE = 7       ///< its time was over
};
/// The state of an answer. Texts and ids are valid until the next call with the answer or its session.
typedef struct dsvl_answer_info {
  size_t size;               ///< sizeof(dsvl_answer_info)
  int32_t finish;            ///< DSVL_FINISH_...
  int32_t whole;             ///< 1: it has ended and is a whole of what its constraint asks for
  dsvl_code code;            ///< DSVL_OK while all is well and at every regular end
  int32_t reserved;          ///< 0
  dsvl_text message;         ///< the error's text; it ends with a zero byte
  dsvl_text text;            ///< what was said so far; empty when the session went on to something else
  const int32_t* ids;        ///< the tokens of it, with that of the end
  size_t id_count;           ///< their number
  int64_t prompt_tokens;     ///< tokens of the prompt: the whole conversation up to the answer
  int64_t reused_tokens;     ///< of these, tokens that were known and not computed
  int64_t answer_tokens;     ///< tokens generated
  int64_t passes;            ///< runs of the decoder for them
  int64_t drafted;           ///< draft tokens that were checked
  int64_t accepted;          ///< draft tokens that the model chose too
  double decode_image;       ///< seconds of decoding picture files
  double preprocess;         ///< seconds of resizing pictures
  double encode;             ///< seconds of running the towers
  double prefill;            ///< seconds of running the decoder over the prompt
  double decode;             ///< seconds of making tokens
  int64_t pictures;          ///< of this question, as far as they were looked at: dsvl_answer_get_picture(). Minor 1
  int64_t map_tokens;        ///< tokens of the answer that dsvl_answer_get_attention() knows. Minor 1
  int64_t map_pictures;      ///< pictures of the whole prompt that it knows; the last are the question's own. Minor 1
  int64_t map_cells;         ///< image tokens of one of them: numbers of a map. Minor 1
} dsvl_answer_info;
/// Fills `info`. The code is that of this call, not the answer's.
/// Threads: one at a time; not after dsvl_answer_close(). Codes: bad_argument.
DSVL_C_API dsvl_code dsvl_answer_get_info(dsvl_answer* answer, dsvl_answer_info* info, dsvl_error* error);
/// A square that a tower sees. It will never be longer.
typedef struct dsvl_seen_view {
  int64_t side;       ///< in pixels; 0: the model has no such view
  dsvl_rect content;  ///< the scaled picture within the square; background is around it
  double scale;       ///< pixels of the square for one of the picture, along its longest side
} dsvl_seen_view;
/// What became of one picture of a question on its way to the model.
typedef struct dsvl_seen {
  size_t size;           ///< sizeof(dsvl_seen)
  int64_t width;         ///< pixels that were decoded or given, upright where it was turned; 0: not decoded
  int64_t height;        ///< pixels, likewise
  dsvl_rect region;      ///< the part of these that is the picture
  dsvl_seen_view low;    ///< the view of SigLIP
  dsvl_seen_view high;   ///< the view of SAM-B, in hybrid models
  int64_t tokens;        ///< image tokens that it takes in the prompt
  int64_t grid_width;    ///< columns of them; tokens are numbered row by row
  int64_t grid_height;   ///< rows of them. The grid divides the square of `high` where low_from_high, else of `low`
  int32_t orientation;   ///< 1 to 8, as the file's EXIF data name it; 1: upright, or they name none
  int32_t turned;        ///< 1: the picture was turned as they say
  int32_t low_from_high; ///< 1: the low view was made of the high one, margins included
  int32_t recognised;    ///< 1: it was known, so it was not encoded
  int32_t done;          ///< 1: it is encoded; 0: an error or the user stopped at it
  int32_t reserved;      ///< 0
} dsvl_seen;
/// Fills `seen` of a picture of the answer's question, by its number from 0 on; see dsvl_answer_info::pictures.
/// Since minor 1.
/// Threads: one at a time; not after dsvl_answer_close(). Codes: bad_argument (no such picture, also when the session
/// went on to something else).
DSVL_C_API dsvl_code dsvl_answer_get_picture(dsvl_answer* answer, int64_t picture, dsvl_seen* seen, dsvl_error* error);
/// Writes how much `count` tokens of the answer from `first` on looked at each image token of a picture of the prompt,
/// averaged over tokens, heads and layers: shares of all that they looked at. `picture` is below map_pictures. `shares`
/// has room for `cells` numbers, which must be map_cells. dsvl_session_options::attention_maps asks for it. It is a
/// hint at what an answer rests on, and no proof. Since minor 1.
/// Threads: one at a time; not after dsvl_answer_close(). Codes: bad_argument (no such tokens or picture, other cells).
DSVL_C_API dsvl_code dsvl_answer_get_attention(dsvl_answer* answer, int64_t first, int64_t count, int64_t picture,
                                               float* shares, size_t cells, dsvl_error* error);
/// Lets the answer go. What was said stays part of the conversation. Does nothing for NULL.
/// Threads: one at a time, after the last use; a second time is the host's fault.
DSVL_C_API void dsvl_answer_close(dsvl_answer* answer);

#ifdef __cplusplus
}
#endif

#if defined(__cplusplus) && defined(DSVL_C_IMPLEMENTATION)
#include "c/implementation.hpp"
#endif

#endif  // DSVL_C_H
