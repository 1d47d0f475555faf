"""Takes README's pictures of the window: picture.py PROGRAM SOURCE_DIRECTORY SCRATCH, through run.sh. They are written into
examples/desktop, dark and light."""

import os
import sys

from window import Window, require, shows

require()

program, source, scratch = (os.path.abspath(a) for a in sys.argv[1:4])
os.chdir(source)  # so that paths on the picture are short
model = "examples/models/tiny-vl"

with Window(program, scratch, "-m", model, *(f"{model}/demo/{n}.png" for n in ("000", "002"))) as w:
    w.settle(lambda s: s["phase"] == "ready" and len(shows(s, "pictures")["pictures"]) == 2)
    w.click(80, 230)  # the second picture alone
    w.move(640, 20)
    for number, question in enumerate(("Describe the image.", "How many shapes are there?")):
        w.type(question)
        w.key("Return")
        state = w.settle(lambda s: s["phase"] == "ready" and len(shows(s, "conversation")["turns"]) == number + 1
                         and shows(s, "seen")["drawn"])
    for turn in shows(state, "conversation")["turns"]:
        print(turn["question"], turn["answer"])
    w.type("What colour is the triangle?")
    for name, theme in (("window", "dark"), ("window-light", "light")):
        if theme == "light":
            w.key("ctrl+t")
        w.settle(lambda s: shows(s, "question")["text"].endswith("?") and s["theme"] == theme)
        file = os.path.join(source, "examples/desktop", f"{name}.png")
        w.grab().quantize(256, kmeans=3, dither=0).save(file, optimize=True)  # half the bytes, and hardly another look
        print(os.path.relpath(file), os.path.getsize(file), "bytes")
