// dsvl in Node: the functions of dsvl/c.h through koffi (`npm install` in this folder), and classes over them.
//
//   import { Model } from "./dsvl.mjs";
//   const model = await Model.load("deepseek-vl-1.3b-chat"), session = model.session();
//   for await (const text of session.stream("What is in this picture?", "photo.jpg")) process.stdout.write(text);
//   session.close(); model.close();
//
// Calls that work run on a thread of koffi's, so the event loop goes on. A session with its answers does one thing at a
// time: await one call before the next, and before close(). The library is that of DSVL_LIBRARY, or else libdsvl.so.1
// where the system looks for it.
import koffi from "koffi";

const file = { win32: "dsvl.dll", darwin: "libdsvl.dylib" }[process.platform] ?? "libdsvl.so.1";
const library = koffi.load(process.env.DSVL_LIBRARY ?? file);

// --- the structs of dsvl/c.h, in its order -------------------------------------------------------------------------

const many = (type, names) => Object.fromEntries(names.split(" ").map((name) => [name, type]));
for (const handle of ["model", "session", "answer", "cancel", "constraint"]) koffi.opaque(`dsvl_${handle}`);
const text = koffi.struct("dsvl_text", { data: "const char *", bytes: "size_t" });
const given = koffi.struct("given_text", { data: "void *", bytes: "size_t" });  // the same, where dsvl hands it out
const rect = koffi.struct("dsvl_rect", many("int64_t", "x y width height"));
const view = koffi.struct("dsvl_seen_view", { side: "int64_t", content: rect, scale: "double" });
const sized = (name, fields) => koffi.struct(name, { size: "size_t", ...fields });
/** Those that carry their size; the tests compare them with the frozen layout. */
export const structs = {
  dsvl_error: sized("dsvl_error", { code: "int32_t", text: koffi.array("char", 384) }),
  dsvl_load_options: sized("dsvl_load_options", {
    host: "void *", ...many("int32_t", "threads mode constraints reserved"), file: "const char *",
    mmproj: "const char *", cancel: "dsvl_cancel *", progress: "void *", progress_user: "void *" }),
  dsvl_model_info: sized("dsvl_model_info", {
    ...many("int64_t", "image_tokens hidden layers vocab max_context default_context"), file_bytes: "uint64_t",
    hybrid: "int32_t", has_tokenizer: "int32_t" }),
  dsvl_session_options: sized("dsvl_session_options", {
    host: "void *", system: "const char *",
    ...many("int64_t", "context chunk pictures picture_side picture_pixels text_bytes logit_rows cached_tokens"),
    ...many("int32_t", "kv activations keep_generated_ids apply_exif_orientation clip_gray16 has_background"),
    background: koffi.array("uint8_t", 4), reserved: "int32_t", attention_maps: "int64_t" }),
  dsvl_memory_plan: sized("dsvl_memory_plan",
    many("uint64_t", "model decoder cache vision session load_peak peak file_bytes")),
  dsvl_picture: sized("dsvl_picture", {
    path: "const char *", bytes: "void *", byte_count: "size_t", pixels: "void *",
    ...many("int64_t", "width height stride"), ...many("int32_t", "format full_range bt709 linear"),
    chroma: koffi.array("void *", 2), chroma_stride: koffi.array("int64_t", 2), has_background: "int32_t",
    background: koffi.array("uint8_t", 4), region: rect }),
  dsvl_question: sized("dsvl_question", {
    text, pictures: "dsvl_picture **", picture_count: "size_t", max_tokens: "int64_t",
    ...many("float", "temperature top_p repetition_penalty"), penalize_prompt: "int32_t", top_k: "int64_t",
    seed: "uint64_t", draft: "int64_t", draft_text: text, stop: "dsvl_text *", stop_count: "size_t",
    constraint: "dsvl_constraint *", cancel: "dsvl_cancel *", progress: "void *", progress_user: "void *",
    ...many("int32_t", "placeholders reserved"), time_limit: "int64_t" }),
  dsvl_yes_no: sized("dsvl_yes_no", many("double", "probability mass")),
  dsvl_piece: sized("dsvl_piece", { text: given, log_probability: "double", id: "int32_t", present: "int32_t" }),
  dsvl_answer_info: sized("dsvl_answer_info", {
    ...many("int32_t", "finish whole code reserved"), message: given, text: given, ids: "void *", id_count: "size_t",
    ...many("int64_t", "prompt_tokens reused_tokens answer_tokens passes drafted accepted"),
    ...many("double", "decode_image preprocess encode prefill decode"),
    ...many("int64_t", "pictures map_tokens map_pictures map_cells") }),
  dsvl_seen: sized("dsvl_seen", {
    width: "int64_t", height: "int64_t", region: rect, low: view, high: view,
    ...many("int64_t", "tokens grid_width grid_height"),
    ...many("int32_t", "orientation turned low_from_high recognised done reserved") }),
};
const zero = (type) => koffi.decode(Buffer.alloc(koffi.sizeof(type)), type);
const made = (name, fields) => ({ ...zero(structs[name]), ...fields, size: koffi.sizeof(structs[name]) });
const finishes = ["none", "eos", "stop", "length", "cancelled", "context_full", "error", "deadline"];
const pixelFormats = ["rgb", "bgr", "rgba", "bgra", "gray"];

// --- its functions -------------------------------------------------------------------------------------------------

const call = (result, name, ...parameters) => library.func(`${result} dsvl_${name}(${parameters.join(", ")})`);
const error = "_Inout_ dsvl_error *error";
const c = {
  abi_version: call("uint32_t", "abi_version"),
  abi_minor_version: call("uint32_t", "abi_minor_version"),
  version: call("uint32_t", "version"),
  code_name: call("const char *", "code_name", "int32_t code"),
  cancel_open: call("int32_t", "cancel_open", "_Out_ dsvl_cancel **made", error),
  cancel_set: call("void", "cancel_set", "dsvl_cancel *cancel"),
  cancel_close: call("void", "cancel_close", "dsvl_cancel *cancel"),
  model_load: call("int32_t", "model_load", "const char *path", "dsvl_load_options *options",
    "_Out_ dsvl_model **made", error),
  model_get_info: call("int32_t", "model_get_info", "dsvl_model *model", "_Inout_ dsvl_model_info *info", error),
  model_close: call("void", "model_close", "dsvl_model *model"),
  plan: call("int32_t", "plan", "const char *path", "dsvl_load_options *load", "dsvl_session_options *options",
    "_Inout_ dsvl_memory_plan *plan", error),
  session_open: call("int32_t", "session_open", "dsvl_model *model", "dsvl_session_options *options",
    "_Out_ dsvl_session **made", error),
  session_rewind: call("int32_t", "session_rewind", "dsvl_session *session", "uint64_t turns", error),
  session_close: call("void", "session_close", "dsvl_session *session"),
  session_ask: call("int32_t", "session_ask", "dsvl_session *session", "dsvl_question *question",
    "_Out_ dsvl_answer **made", error),
  session_yes_no: call("int32_t", "session_yes_no", "dsvl_session *session", "dsvl_question *question",
    "_Inout_ dsvl_yes_no *made", error),
  answer_next: call("int32_t", "answer_next", "dsvl_answer *answer", "_Inout_ dsvl_piece *piece", error),
  answer_get_info: call("int32_t", "answer_get_info", "dsvl_answer *answer", "_Inout_ dsvl_answer_info *info", error),
  answer_get_picture: call("int32_t", "answer_get_picture", "dsvl_answer *answer", "int64_t picture",
    "_Inout_ dsvl_seen *seen", error),
  answer_close: call("void", "answer_close", "dsvl_answer *answer"),
};
if (c.abi_version() !== 1 || c.abi_minor_version() < 1)
  throw new Error(`dsvl's C interface is ${c.abi_version()}.${c.abi_minor_version()}, and 1.1 is needed`);

/** What dsvl refused or could not do; `code` names its kind: "not_found", "bad_file", "limit", ... */
export class DsvlError extends Error {
  constructor(code, text) {
    super(text);
    this.name = "DsvlError";
    this.code = c.code_name(code);
  }
}
const judge = (code, told) => { if (code !== 0) throw new DsvlError(code, told.text); };
/** Calls a function that is quick, here. */
function now(name, ...parameters) {
  const told = made("dsvl_error");
  judge(c[name](...parameters, told), told);
}
/** Calls a function that works, on another thread. It gives the parameters back, so that they stay until then. */
function later(name, ...parameters) {
  const told = made("dsvl_error");
  return new Promise((done, fail) => c[name].async(...parameters, told, (broken, code) => {
    try {
      if (broken) throw broken;
      judge(code, told);
      done(parameters);
    } catch (wrong) {
      fail(wrong);
    }
  }));
}
function textOf(from) {
  if (!from.bytes) return "";
  return Buffer.from(koffi.decode(from.data, koffi.array("uint8_t", Number(from.bytes)))).toString();
}
const plain = ({ size, reserved, ...values }) => values;

// --- pictures and questions ----------------------------------------------------------------------------------------

/**
 * A path, the bytes of a PNG or JPEG file, or { pixels, width, height, format, stride, region }. A part of any of these
 * is { picture, region: { x, y, width, height } }.
 */
function pictureOf(from) {
  if (typeof from === "string") return made("dsvl_picture", { path: from });
  if (from instanceof Uint8Array) return made("dsvl_picture", { bytes: from, byte_count: from.length });
  const { region, picture, format = "rgb", ...rest } = from;
  if (picture !== undefined) return { ...pictureOf(picture), ...regionOf(region) };
  if (!pixelFormats.includes(format)) throw new TypeError(`pixels are ${pixelFormats.join(", ")}, and not ${format}`);
  // What lies outside of the caller's memory cannot be told in C.
  const row = rest.width * [3, 3, 4, 4, 1][pixelFormats.indexOf(format)];
  const needed = (rest.stride || row) * (rest.height - 1) + row;
  if (!(rest.stride >= 0 || rest.stride === undefined) || !(rest.pixels?.byteLength >= needed))
    throw new RangeError(`${rest.pixels?.byteLength} bytes of pixels, and ${needed} are needed`);
  return made("dsvl_picture", { ...rest, ...regionOf(region), format: pixelFormats.indexOf(format) });
}
const regionOf = (region) => (region ? { region: { ...zero(rect), ...region } } : {});
const textFor = (words) => ({ data: words, bytes: Buffer.byteLength(words) });
/** { maxTokens, temperature, topP, topK, seed, timeLimit (seconds) }: how an answer is made. */
function questionOf(words, pictures, options, cancel) {
  const list = (pictures === undefined ? [] : Array.isArray(pictures) ? pictures : [pictures]).map(pictureOf);
  return made("dsvl_question", {
    text: textFor(words), pictures: list, picture_count: list.length, cancel, max_tokens: options.maxTokens ?? 0,
    temperature: options.temperature ?? 0, top_p: options.topP ?? 0, top_k: options.topK ?? 0, seed: options.seed ?? 0,
    time_limit: Math.round((options.timeLimit ?? 0) * 1e9) });
}

// --- what programs use ---------------------------------------------------------------------------------------------

/** The version of the library, as in "0.1.0". */
export function version() {
  const number = c.version();
  return [Math.trunc(number / 10000), Math.trunc(number / 100) % 100, number % 100].join(".");
}
/** What a model with one session will take, in bytes by purpose. */
export function plan(path, { context = 0 } = {}) {
  const found = made("dsvl_memory_plan");
  now("plan", path, null, made("dsvl_session_options", { context }), found);
  return plain(found);
}

/** A model, which any number of sessions share. */
export class Model {
  #handle;
  static async load(path, { threads = 0, read = false } = {}) {
    const model = new Model(), place = [null];
    await later("model_load", path, made("dsvl_load_options", { threads, mode: read ? 1 : 0 }), place);
    model.#handle = place[0];
    return model;
  }
  /** Sizes of the model, by name. */
  get info() {
    const found = made("dsvl_model_info");
    now("model_get_info", this.#handle, found);
    return plain(found);
  }
  /** Opens a conversation. */
  session({ system = null, context = 0, pictures = 0 } = {}) {
    const place = [null];
    now("session_open", this.#handle, made("dsvl_session_options", { system, context, pictures }), place);
    return new Session(place[0]);
  }
  close() {
    c.model_close(this.#handle);
    this.#handle = null;
  }
}

/** A conversation: what was asked before is remembered, and pictures are encoded once. */
export class Session {
  #handle;
  constructor(handle) { this.#handle = handle; }
  /**
   * Asks about no picture, one, or a list of them, and gives an Answer; see questionOf for options. An AbortSignal as
   * `signal` stops it, also while the answer is made.
   */
  async ask(words, pictures, options = {}) {
    const place = [null], stop = stopper(options.signal);
    try {
      await later("session_ask", this.#handle, questionOf(words, pictures, options, stop.cancel), place);
    } catch (wrong) {
      stop.close();
      throw wrong;
    }
    return new Answer(place[0], stop);
  }
  /** The text of an answer, piece by piece; leaving early is fine. */
  async *stream(words, pictures, options) {
    const answer = await this.ask(words, pictures, options);
    try {
      yield* answer;
    } finally {
      answer.close();
    }
  }
  /** The whole text of an answer. */
  async answer(words, pictures, options) {
    let said = "";
    for await (const piece of this.stream(words, pictures, options)) said += piece;
    return said;
  }
  /** { probability, mass }: of yes, where it is yes or no; of either. */
  async yesNo(words, pictures, options = {}) {
    const found = made("dsvl_yes_no"), stop = stopper(options.signal);
    try {
      await later("session_yes_no", this.#handle, questionOf(words, pictures, options, stop.cancel), found);
    } finally {
      stop.close();
    }
    return plain(found);
  }
  /** Goes back to the first `turns` questions. */
  rewind(turns = 0) { now("session_rewind", this.#handle, turns); }
  close() {
    c.session_close(this.#handle);
    this.#handle = null;
  }
}

/** A dsvl_cancel that follows an AbortSignal. */
function stopper(signal) {
  if (!signal) return { cancel: null, close() {} };
  const place = [null];
  now("cancel_open", place);
  const cancel = place[0], set = () => c.cancel_set(cancel);
  if (signal.aborted) set();
  signal.addEventListener("abort", set);
  return {
    cancel,
    close() {
      signal.removeEventListener("abort", set);
      c.cancel_close(cancel);
    },
  };
}

/** An answer that is made while you iterate over it: `for await (const text of answer)`. */
export class Answer {
  #handle;
  #stop;
  constructor(handle, stop) {
    this.#handle = handle;
    this.#stop = stop;
  }
  async *[Symbol.asyncIterator]() {
    for (;;) {
      const piece = made("dsvl_piece");
      await later("answer_next", this.#handle, piece);
      if (!piece.present) return;
      const words = textOf(piece.text);
      if (words) yield words;
    }
  }
  #info() {
    const found = made("dsvl_answer_info");
    now("answer_get_info", this.#handle, found);
    return found;
  }
  /** Why it ended: "eos", "stop", "length", "deadline", "cancelled", "context_full", "error"; "none" before. */
  get finish() { return finishes[this.#info().finish]; }
  /** Tokens, passes and seconds so far, by name. */
  get usage() {
    const { message, text, ids, id_count, finish, whole, code, ...numbers } = plain(this.#info());
    return numbers;
  }
  /** What the model was shown of each picture of the question. */
  get pictures() {
    return Array.from({ length: Number(this.#info().pictures) }, (_, i) => {
      const seen = made("dsvl_seen");
      now("answer_get_picture", this.#handle, i, seen);
      return plain(seen);
    });
  }
  close() {
    if (!this.#handle) return;
    c.answer_close(this.#handle);
    this.#stop.close();
    this.#handle = null;
  }
}
