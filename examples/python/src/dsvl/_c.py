"""The functions and structs of dsvl/c.h. Names and order are those of the header; tests compare the sizes."""
import ctypes
import os
import sys
from ctypes import POINTER, c_char, c_char_p, c_double, c_float, c_int32, c_int64, c_size_t, c_uint8, c_uint32, c_uint64
from ctypes import c_void_p
from pathlib import Path

ABI, MINOR = 1, 1  # what is used here of the interface
CODES = ("ok", "not_found", "io", "bad_file", "unsupported", "bad_shape", "bad_argument", "bad_text", "out_of_memory",
         "limit", "cancelled")
FINISHES = ("none", "eos", "stop", "length", "cancelled", "context_full", "error", "deadline")
FORMATS = ("rgb", "bgr", "rgba", "bgra", "gray", "rgb16", "bgr16", "rgba16", "bgra16", "gray16", "rgb32f", "bgr32f",
           "rgba32f", "bgra32f", "gray32f", "nv12", "nv21", "i420", "yuy2", "uyvy")
STAGES = ("load", "decode image", "preprocess", "encode", "prefill", "decode")

PROGRESS = ctypes.CFUNCTYPE(None, c_void_p, c_int32, c_double, c_double)
LOG = ctypes.CFUNCTYPE(None, c_void_p, c_int32, POINTER(c_char), c_size_t)


class Error(RuntimeError):
    """What dsvl refused or could not do; `code` names its kind ("not_found", "limit", ...)."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


class Sized(ctypes.Structure):
    """A struct that begins with its size, which is filled in. All else is zero, the default."""

    def __init__(self, **fields):
        super().__init__(size=ctypes.sizeof(type(self)), **fields)


class Text(ctypes.Structure):
    _fields_ = [("data", c_char_p), ("bytes", c_size_t)]

    @classmethod
    def of(cls, text):
        """The text as UTF-8. ctypes keeps the bytes as long as this object."""
        data = text.encode() if isinstance(text, str) else bytes(text)
        return cls(data, len(data))


class View(ctypes.Structure):
    """A dsvl_text that dsvl hands out: it may contain zero bytes."""
    _fields_ = [("data", c_void_p), ("bytes", c_size_t)]

    def text(self):
        return ctypes.string_at(self.data, self.bytes).decode() if self.bytes else ""


class Rect(ctypes.Structure):
    _fields_ = [("x", c_int64), ("y", c_int64), ("width", c_int64), ("height", c_int64)]


class SeenView(ctypes.Structure):
    _fields_ = [("side", c_int64), ("content", Rect), ("scale", c_double)]


class CError(Sized):
    _fields_ = [("size", c_size_t), ("code", c_int32), ("text", c_char * 384)]


class Host(Sized):
    _fields_ = [("size", c_size_t), ("allocate", c_void_p), ("deallocate", c_void_p), ("memory_user", c_void_p),
                ("workers", c_void_p), ("run", c_void_p), ("executor_user", c_void_p), ("log", LOG),
                ("log_user", c_void_p)]


class LoadOptions(Sized):
    _fields_ = [("size", c_size_t), ("host", POINTER(Host)), ("threads", c_int32), ("mode", c_int32),
                ("constraints", c_int32), ("reserved", c_int32), ("file", c_char_p), ("mmproj", c_char_p),
                ("cancel", c_void_p), ("progress", PROGRESS), ("progress_user", c_void_p)]


class ModelInfo(Sized):
    _fields_ = [("size", c_size_t), ("image_tokens", c_int64), ("hidden", c_int64), ("layers", c_int64),
                ("vocab", c_int64), ("max_context", c_int64), ("default_context", c_int64), ("file_bytes", c_uint64),
                ("hybrid", c_int32), ("has_tokenizer", c_int32)]


class SessionOptions(Sized):
    _fields_ = [("size", c_size_t), ("host", POINTER(Host)), ("system", c_char_p), ("context", c_int64),
                ("chunk", c_int64), ("pictures", c_int64), ("picture_side", c_int64), ("picture_pixels", c_int64),
                ("text_bytes", c_int64), ("logit_rows", c_int64), ("cached_tokens", c_int64), ("kv", c_int32),
                ("activations", c_int32), ("keep_generated_ids", c_int32), ("apply_exif_orientation", c_int32),
                ("clip_gray16", c_int32), ("has_background", c_int32), ("background", c_uint8 * 4),
                ("reserved", c_int32), ("attention_maps", c_int64)]


class MemoryPlan(Sized):
    _fields_ = [("size", c_size_t)] + [(name, c_uint64) for name in (
        "model", "decoder", "cache", "vision", "session", "load_peak", "peak", "file_bytes")]


class SessionInfo(Sized):
    _fields_ = [("size", c_size_t), ("turns", c_uint64), ("context", c_int64), ("bytes", c_uint64)]


class Picture(Sized):
    _fields_ = [("size", c_size_t), ("path", c_char_p), ("bytes", c_void_p), ("byte_count", c_size_t),
                ("pixels", c_void_p), ("width", c_int64), ("height", c_int64), ("stride", c_int64),
                ("format", c_int32), ("full_range", c_int32), ("bt709", c_int32), ("linear", c_int32),
                ("chroma", c_void_p * 2), ("chroma_stride", c_int64 * 2), ("has_background", c_int32),
                ("background", c_uint8 * 4), ("region", Rect)]


class Question(Sized):
    _fields_ = [("size", c_size_t), ("text", Text), ("pictures", POINTER(POINTER(Picture))),
                ("picture_count", c_size_t), ("max_tokens", c_int64), ("temperature", c_float), ("top_p", c_float),
                ("repetition_penalty", c_float), ("penalize_prompt", c_int32), ("top_k", c_int64), ("seed", c_uint64),
                ("draft", c_int64), ("draft_text", Text), ("stop", POINTER(Text)), ("stop_count", c_size_t),
                ("constraint", c_void_p), ("cancel", c_void_p), ("progress", PROGRESS), ("progress_user", c_void_p),
                ("placeholders", c_int32), ("reserved", c_int32), ("time_limit", c_int64)]


class YesNo(Sized):
    _fields_ = [("size", c_size_t), ("probability", c_double), ("mass", c_double)]


class Piece(Sized):
    _fields_ = [("size", c_size_t), ("text", View), ("log_probability", c_double), ("id", c_int32),
                ("present", c_int32)]


class AnswerInfo(Sized):
    _fields_ = ([("size", c_size_t), ("finish", c_int32), ("whole", c_int32), ("code", c_int32), ("reserved", c_int32),
                 ("message", View), ("text", View), ("ids", POINTER(c_int32)), ("id_count", c_size_t)]
                + [(name, c_int64) for name in ("prompt_tokens", "reused_tokens", "answer_tokens", "passes", "drafted",
                                                "accepted")]
                + [(name, c_double) for name in ("decode_image", "preprocess", "encode", "prefill", "decode")]
                + [(name, c_int64) for name in ("pictures", "map_tokens", "map_pictures", "map_cells")])


class Seen(Sized):
    _fields_ = ([("size", c_size_t), ("width", c_int64), ("height", c_int64), ("region", Rect), ("low", SeenView),
                 ("high", SeenView), ("tokens", c_int64), ("grid_width", c_int64), ("grid_height", c_int64)]
                + [(name, c_int32) for name in ("orientation", "turned", "low_from_high", "recognised", "done",
                                                "reserved")])


STRUCTS = {"dsvl_error": CError, "dsvl_host": Host, "dsvl_load_options": LoadOptions, "dsvl_model_info": ModelInfo,
           "dsvl_session_options": SessionOptions, "dsvl_memory_plan": MemoryPlan, "dsvl_session_info": SessionInfo,
           "dsvl_picture": Picture, "dsvl_question": Question, "dsvl_piece": Piece, "dsvl_answer_info": AnswerInfo,
           "dsvl_yes_no": YesNo, "dsvl_seen": Seen}

# Handles are c_void_p. What returns a code takes a CError behind its other arguments.
_CALLS = {
    "cancel_open": [POINTER(c_void_p)],
    "model_load": [c_char_p, POINTER(LoadOptions), POINTER(c_void_p)],
    "model_get_info": [c_void_p, POINTER(ModelInfo)],
    "constraint_schema": [Text, c_int32, POINTER(c_void_p)],
    "constraint_regex": [Text, POINTER(c_void_p)],
    "constraint_choices": [POINTER(Text), c_size_t, POINTER(c_void_p)],
    "constraint_matches": [c_void_p, Text, POINTER(c_int32)],
    "plan": [c_char_p, POINTER(LoadOptions), POINTER(SessionOptions), POINTER(MemoryPlan)],
    "session_open": [c_void_p, POINTER(SessionOptions), POINTER(c_void_p)],
    "session_load": [c_void_p, c_char_p, POINTER(SessionOptions), POINTER(c_void_p)],
    "session_save": [c_void_p, c_char_p, c_int32],
    "session_fork": [c_void_p, c_int64, POINTER(c_void_p)],
    "session_rewind": [c_void_p, c_uint64],
    "session_get_info": [c_void_p, POINTER(SessionInfo)],
    "session_ask": [c_void_p, POINTER(Question), POINTER(c_void_p)],
    "session_complete": [c_void_p, POINTER(Question), POINTER(c_void_p)],
    "session_score": [c_void_p, POINTER(Question), POINTER(Text), c_size_t, POINTER(c_double)],
    "session_classify": [c_void_p, POINTER(Question), POINTER(Text), c_size_t, POINTER(c_double)],
    "session_yes_no": [c_void_p, POINTER(Question), POINTER(YesNo)],
    "answer_next": [c_void_p, POINTER(Piece)],
    "answer_get_info": [c_void_p, POINTER(AnswerInfo)],
    "answer_get_picture": [c_void_p, c_int64, POINTER(Seen)],
    "answer_get_attention": [c_void_p, c_int64, c_int64, c_int64, POINTER(c_float), c_size_t],
}
_VOID_CALLS = ("cancel_set", "cancel_reset", "cancel_close", "model_close", "constraint_close", "session_close",
               "answer_close")


def _open():
    name = {"win32": "dsvl.dll", "darwin": "libdsvl.dylib"}.get(sys.platform, "libdsvl.so")
    path = os.environ.get("DSVL_LIBRARY") or str(Path(__file__).with_name(name))
    opened = ctypes.CDLL(path)  # calls release the interpreter's lock
    opened.dsvl_abi_version.restype = c_uint32
    if opened.dsvl_abi_version() != ABI:
        raise ImportError(f"{path} has version {opened.dsvl_abi_version()} of dsvl's C interface, and {ABI} is needed")
    minor = opened.dsvl_abi_minor_version() if hasattr(opened, "dsvl_abi_minor_version") else 0
    if minor < MINOR:
        raise ImportError(f"{path} has version {ABI}.{minor} of dsvl's C interface, and {ABI}.{MINOR} is needed")
    for call, arguments in _CALLS.items():
        function = getattr(opened, "dsvl_" + call)
        function.restype, function.argtypes = c_int32, arguments + [POINTER(CError)]
    for call in _VOID_CALLS:
        function = getattr(opened, "dsvl_" + call)
        function.restype, function.argtypes = None, [c_void_p]
    return opened


library = _open()


def call(name, *arguments):
    """Calls dsvl_NAME; raises Error where it fails."""
    error = CError()
    code = getattr(library, "dsvl_" + name)(*arguments, ctypes.byref(error))
    if code:
        raise Error(CODES[code] if code < len(CODES) else str(code), error.text.decode(errors="replace"))


def make(name, *arguments):
    """Calls a function whose last argument is the place for a handle, and gives the handle."""
    made = c_void_p()
    call(name, *arguments, ctypes.byref(made))
    return made


def texts(items):
    """An array of dsvl_text."""
    return (Text * len(items))(*[Text.of(item) for item in items])
