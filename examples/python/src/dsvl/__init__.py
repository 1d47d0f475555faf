"""dsvl: ask DeepSeek-VL questions about pictures, on the CPU.

    pip install examples/python            # builds libdsvl, for a minute or two

    import dsvl
    with dsvl.Model("deepseek-vl-1.3b-chat") as model, model.session() as session:
        for text in session.stream("What is in this picture?", "photo.jpg"):
            print(text, end="", flush=True)

A picture is a path, the bytes of a PNG or JPEG file, a NumPy array or a PIL image; arrays and images are read where
they lie. A session with its answers is used by one thread at a time; different sessions, forks too, may work at once,
because a call that works releases the interpreter's lock. Errors are dsvl.Error.
"""
import ctypes
import os
from typing import NamedTuple

from . import _c, _pictures
from ._c import Error

__all__ = ["Answer", "Cancel", "Constraint", "Error", "Model", "Row", "Session", "ask_table", "plan", "region",
           "version"]


def version():
    """The version of the library, as in "0.1.0"."""
    number = _c.library.dsvl_version()
    return f"{number // 10000}.{number // 100 % 100}.{number % 100}"


class _Handle:
    """A handle that is closed once: by close(), at the end of a with block, or when nobody refers to it any more."""
    _close = None  # the function of c.h

    def __init__(self, handle):
        self._handle = handle

    def close(self):
        handle, self._handle = getattr(self, "_handle", None), None
        if handle:
            getattr(_c.library, self._close)(handle)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def __del__(self):
        self.close()


class Cancel(_Handle):
    """A flag that stops long work, from any thread: cancel.set(). cancel.reset() makes it usable again."""
    _close = "dsvl_cancel_close"

    def __init__(self):
        super().__init__(_c.make("cancel_open"))

    def set(self):
        _c.library.dsvl_cancel_set(self._handle)

    def reset(self):
        _c.library.dsvl_cancel_reset(self._handle)


class Constraint(_Handle):
    """What an answer is held to. The model must have been loaded with constraints=True."""
    _close = "dsvl_constraint_close"

    @classmethod
    def schema(cls, text, pretty=False, ascii=False):
        """JSON that a schema (draft 2020-12) accepts; what is not enforced is refused by name."""
        return cls(_c.make("constraint_schema", _c.Text.of(text), int(pretty) + 2 * int(ascii)))

    @classmethod
    def regex(cls, pattern):
        """A text that a regular expression matches from its beginning to its end."""
        return cls(_c.make("constraint_regex", _c.Text.of(pattern)))

    @classmethod
    def choices(cls, *choices):
        """One of these texts."""
        return cls(_c.make("constraint_choices", _c.texts(choices), len(choices)))

    def matches(self, text):
        result = ctypes.c_int32()
        _c.call("constraint_matches", self._handle, _c.Text.of(text), ctypes.byref(result))
        return bool(result.value)


def _path(path):
    return os.fsencode(path)


def _progress(report):
    """A callback for c.h that calls report(stage, done, total)."""
    if not report:
        return _c.PROGRESS()
    return _c.PROGRESS(lambda user, stage, done, total: report(_c.STAGES[stage], done, total))


def _session_options(system=None, context=0, pictures=0, cached_tokens=0, kv="auto", apply_exif_orientation=False,
                     background=None, keep_generated_ids=False, attention_maps=0):
    options = _c.SessionOptions(context=context, pictures=pictures, cached_tokens=cached_tokens,
                                kv=("auto", "f32", "bf16", "q8").index(kv),
                                apply_exif_orientation=apply_exif_orientation, keep_generated_ids=keep_generated_ids,
                                attention_maps=attention_maps)
    if system is not None:
        options.system = system.encode()
    if background is not None:
        options.has_background, options.background[:3] = 1, background
    return options


def plan(path, **session):
    """What a model with one session will take, in bytes by purpose; arguments as for Model.session()."""
    made = _c.MemoryPlan()
    _c.call("plan", _path(path), None, ctypes.byref(_session_options(**session)), ctypes.byref(made))
    return {name: getattr(made, name) for name, _ in made._fields_[1:]}


def region(picture, x, y, width, height):
    """A part of a picture as a picture of its own, cut out before it is scaled: small print becomes legible."""
    given = _pictures.of(picture)
    given.struct.region = _c.Rect(x, y, width, height)
    return given


class Model(_Handle):
    """A model from a folder or a GGUF file. Any number of sessions and threads share it."""
    _close = "dsvl_model_close"

    def __init__(self, path, threads=0, constraints=False, read=False, progress=None, cancel=None):
        """threads: 0 for as many as useful; read: weights into memory, for files that may change; progress: called with
        (stage, done, total)."""
        options = _c.LoadOptions(threads=threads, constraints=constraints, mode=int(read), progress=_progress(progress),
                                 cancel=cancel._handle if cancel else None)
        super().__init__(_c.make("model_load", _path(path), ctypes.byref(options)))

    @property
    def info(self):
        """Sizes of the model, by name."""
        info = _c.ModelInfo()
        _c.call("model_get_info", self._handle, ctypes.byref(info))
        return {name: getattr(info, name) for name, _ in info._fields_[1:]}

    def session(self, **options):
        """Opens a conversation: system, context, pictures, cached_tokens, kv ("f32", "bf16", "q8"),
        apply_exif_orientation, background (r, g, b), keep_generated_ids, attention_maps (tokens; Answer.attention)."""
        return Session(_c.make("session_open", self._handle, ctypes.byref(_session_options(**options))))

    def load_session(self, path, **options):
        """Opens a conversation that Session.save() wrote."""
        return Session(_c.make("session_load", self._handle, _path(path), ctypes.byref(_session_options(**options))))


class _Asked:
    """A dsvl_question and all that it points to."""

    def __init__(self, text, pictures, max_tokens=0, temperature=0, top_p=0, top_k=0, repetition_penalty=0, seed=0,
                 draft=0, stop=(), constraint=None, cancel=None, progress=None, placeholders=False, time_limit=0):
        given = [] if pictures is None else list(pictures) if isinstance(pictures, (list, tuple)) else [pictures]
        self.pictures = [_pictures.of(picture) for picture in given]
        pointers = [ctypes.pointer(picture.struct) for picture in self.pictures]
        self.list = (ctypes.POINTER(_c.Picture) * len(pointers))(*pointers)
        self.stop = _c.texts(stop)
        self.progress = _progress(progress)
        self.struct = _c.Question(
            text=_c.Text.of(text), pictures=self.list, picture_count=len(pointers), max_tokens=max_tokens,
            temperature=temperature, top_p=top_p, top_k=top_k, repetition_penalty=repetition_penalty, seed=seed,
            draft=draft, stop=self.stop, stop_count=len(self.stop), progress=self.progress,
            constraint=constraint._handle if constraint else None, cancel=cancel._handle if cancel else None,
            placeholders=placeholders, time_limit=round(time_limit * 1e9))


class Session(_Handle):
    """A conversation: what was asked before is remembered, and pictures are encoded once."""
    _close = "dsvl_session_close"

    def ask(self, question, pictures=None, **options):
        """Asks about no picture, one, or a list of them. Returns an Answer, which works when it is asked for more.

        Options: max_tokens (512), temperature (0: the likeliest), top_p, top_k, repetition_penalty, seed, draft, stop
        (texts), constraint, cancel, progress, placeholders, time_limit (seconds, after which the answer ends).
        """
        return self._answer("session_ask", _Asked(question, pictures, **options))

    def complete(self, text, pictures=None, **options):
        """Continues a text, without template and history: for base models."""
        return self._answer("session_complete", _Asked(text, pictures, **options))

    def _answer(self, function, asked):
        return Answer(_c.make(function, self._handle, ctypes.byref(asked.struct)), asked)

    def stream(self, question, pictures=None, **options):
        """A generator of the answer's text, piece by piece; options as for ask(). Leaving it early is fine."""
        with self.ask(question, pictures, **options) as answer:
            yield from answer

    def answer(self, question, pictures=None, **options):
        """The whole text of an answer; options as for ask()."""
        return "".join(self.stream(question, pictures, **options))

    def score(self, question, texts, pictures=None, **options):
        """The logarithm of each text's likelihood as the beginning of the answer."""
        return self._numbers("session_score", question, texts, pictures, options)

    def classify(self, question, choices, pictures=None, **options):
        """The choices' probabilities, as if the model could say nothing else."""
        return self._numbers("session_classify", question, choices, pictures, options)

    def yes_no(self, question, pictures=None, **options):
        """The probability of yes where it is yes or no, and how much of all answers begins with either, in one pass."""
        asked, found = _Asked(question, pictures, **options), _c.YesNo()
        _c.call("session_yes_no", self._handle, ctypes.byref(asked.struct), ctypes.byref(found))
        return found.probability, found.mass

    def _numbers(self, function, question, texts, pictures, options):
        asked, numbers = _Asked(question, pictures, **options), (ctypes.c_double * len(texts))()
        _c.call(function, self._handle, ctypes.byref(asked.struct), _c.texts(texts), len(texts), numbers)
        return list(numbers)

    def save(self, path, sync=False):
        """Writes the conversation with its pictures to a file, which is there whole or not at all."""
        _c.call("session_save", self._handle, _path(path), int(sync))

    def fork(self, context=0):
        """Another session in the same state, for another thread if you like."""
        return Session(_c.make("session_fork", self._handle, context))

    def rewind(self, turns=0):
        """Goes back to the first `turns` questions and their answers."""
        _c.call("session_rewind", self._handle, turns)

    def _info(self):
        info = _c.SessionInfo()
        _c.call("session_get_info", self._handle, ctypes.byref(info))
        return info

    @property
    def turns(self):
        """Questions that were answered."""
        return self._info().turns

    @property
    def context(self):
        """Tokens that there is room for."""
        return self._info().context


class Answer(_Handle):
    """An answer that is made while you iterate over it: each step gives a piece of text, of whole characters."""
    _close = "dsvl_answer_close"

    def __init__(self, handle, asked):
        super().__init__(handle)
        self._asked = asked  # the callback for progress lives in it

    def __iter__(self):
        piece = _c.Piece()
        while self._handle:
            _c.call("answer_next", self._handle, ctypes.byref(piece))
            if not piece.present:
                return
            text = piece.text.text()
            if text:
                yield text

    def _info(self):
        info = _c.AnswerInfo()
        _c.call("answer_get_info", self._handle, ctypes.byref(info))
        return info

    @property
    def text(self):
        """What was said so far."""
        return self._info().text.text()

    @property
    def ids(self):
        """The tokens so far."""
        info = self._info()
        return info.ids[: info.id_count]

    @property
    def finish(self):
        """Why it ended: "eos", "stop", "length", "deadline", "cancelled", "context_full" or "error"; "none" before."""
        return _c.FINISHES[self._info().finish]

    @property
    def is_whole(self):
        """True when it has ended and is a whole of what its constraint asks for."""
        return bool(self._info().whole)

    @property
    def usage(self):
        """Tokens, passes and seconds so far, by name."""
        info = self._info()
        return {name: getattr(info, name) for name, _ in info._fields_[9:20]}

    @property
    def pictures(self):
        """What the model was shown of each picture of the question, by name: sizes, region, views, grid of tokens."""
        return [self._picture(i) for i in range(self._info().pictures)]

    def _picture(self, number):
        seen = _c.Seen()
        _c.call("answer_get_picture", self._handle, number, ctypes.byref(seen))
        return _plain(seen)

    def attention(self, picture=0, first=0, count=None):
        """How much each image token of a picture of the prompt was looked at, rows of the grid one after the other:
        the mean over `count` tokens of the answer (None: all that are kept, see Model.session())."""
        info = self._info()
        if not 0 <= picture < info.map_pictures:
            raise Error("bad_argument", f"no attention to picture {picture}: there are maps of {info.map_pictures} "
                                        "pictures (attention_maps of the session)")
        shares = (ctypes.c_float * info.map_cells)()
        count = info.map_tokens - first if count is None else count
        _c.call("answer_get_attention", self._handle, first, count, picture, shares, len(shares))
        return list(shares)


def _plain(struct):
    """A struct as a dict, without what is for C alone."""
    values = {name: getattr(struct, name) for name, _ in struct._fields_ if name not in ("size", "reserved")}
    return {name: _plain(value) if isinstance(value, ctypes.Structure) else value for name, value in values.items()}


class Row(NamedTuple):
    """A line of a table of answers."""
    question: str
    picture: object
    answer: str   # "" where there is an error
    finish: str   # as Answer.finish
    tokens: int   # of the answer
    error: str    # "" where there is none


def ask_table(session, questions, **options):
    """Answers a table: (picture, question) pairs, each as a conversation of its own. A generator of Rows.

    A picture that stands in several rows is encoded once, as long as the session keeps it. A row that cannot be
    answered has an error, and the others go on; a Cancel ends the table.
    """
    for picture, question in questions:
        session.rewind(0)
        try:
            with session.ask(question, picture, **options) as answer:
                text = "".join(answer)
                yield Row(question, picture, text, answer.finish, answer.usage["answer_tokens"], "")
        except Error as error:
            if error.code == "cancelled":
                raise
            yield Row(question, picture, "", "error", 0, str(error))
