"""The window as a person uses it: desktop.py PROGRAM SOURCE_DIRECTORY SCRATCH.

What it shows is read from its own state, and held against the pixels of the screen: two pictures of it differ where, and
only where, the states say so.
"""

import os
import shutil
import signal
import subprocess
import sys
import time

from window import Window, require, shows

require()
from PIL import Image, ImageChops  # noqa: E402

PROGRAM, SOURCE, SCRATCH = (os.path.abspath(a) for a in sys.argv[1:4])
MODEL = os.path.join(SOURCE, "examples/models/tiny-vl")
BARS = os.path.join(MODEL, "demo/000.png")
SHAPES = os.path.join(MODEL, "demo/002.png")
RAMBLING = ["--temperature", "100", "--max-tokens", "900"]


def equal(found, wanted, what):
    assert found == wanted, f"{what}: {found!r}, not {wanted!r}"


def open_window(*arguments, model=True):
    return Window(PROGRAM, SCRATCH, *(["-m", MODEL] if model else []), *arguments)


def turns(state):
    return (shows(state, "conversation") or {"turns": []})["turns"]


def pictures(state):
    return shows(state, "pictures")["pictures"]


def ready(window, count=0):
    """Waits until so many pictures were opened, and the model is there."""
    return window.settle(lambda s: s["phase"] == "ready" and len(pictures(s)) == count, f"model and {count} pictures")


def answered(window, count):
    """Waits until so many questions were answered, and what the last answer looked at is drawn."""
    return window.settle(
        lambda s: s["phase"] == "ready" and len(turns(s)) == count and turns(s)[-1]["finish"] != "none"
        and (shows(s, "seen")["drawn"] or not shows(s, "seen")["picture"]), f"answer {count}")


class Looked:
    """What the window said that it shows, and what the screen showed."""

    def __init__(self, window):
        self.state, self.picture = window.settle(), window.grab()
        equal(window.state()["frame"], self.state["frame"], "frames while nothing happens")

    def differs(self, other, place):
        x, y, width, height = place
        box = (x, y, x + width, y + height)
        return ImageChops.difference(self.picture.crop(box), other.picture.crop(box)).getbbox() is not None

    def compare(self, other):
        """Returns the names of the areas that look different, after checking that the states said so."""
        mine, theirs = ({a["name"]: a for a in s["areas"]} for s in (self.state, other.state))
        rest = ImageChops.difference(self.picture, other.picture)
        different = set()
        for name in mine.keys() | theirs.keys():
            place = (mine.get(name) or theirs[name])["place"]
            rest.paste((0, 0, 0), (place[0], place[1], place[0] + place[2], place[1] + place[3]))
            said = [dict(a[name]["shows"]) if name in a else None for a in (mine, theirs)]
            looks = self.differs(other, place)
            if said[0] == said[1]:
                assert not looks, f"{name} looks different, and shows {said[0]} in both"
            # Where only the pointer is elsewhere, nothing need be different.
            elif [dict(s or {}, pointer=0) for s in said][0] != [dict(s or {}, pointer=0) for s in said][1]:
                assert looks, f"{name} looks the same, and shows {said[0]}, then {said[1]}"
                different.add(name)
        assert rest.getbbox() is None, f"the window differs outside of its areas, in {rest.getbbox()}"
        return different


def a_question_is_asked_and_asked_again_and_the_picture_is_computed_once():
    with open_window(BARS) as w:
        ready(w, 1)
        empty = Looked(w)
        w.type("Which bar is the tallest?")
        w.settle(lambda s: shows(s, "question")["text"] == "Which bar is the tallest?", "the question")
        typed = Looked(w)
        equal(empty.compare(typed), {"question"}, "what typing changes")

        w.key("Return")
        first = turns(answered(w, 1))[0]
        equal((first["answer"], first["finish"]), ("The green bar.", "eos"), "the answer")
        equal((first["pictures_computed"], first["pictures_known"]), (1, 0), "computed pictures of the first question")
        asked = Looked(w)
        equal(typed.compare(asked), {"header", "pictures", "conversation", "question", "seen"}, "what an answer changes")
        assert shows(asked.state, "seen")["strongest"] >= 0, "no token was looked at"

        w.type("How many bars are there?")
        w.key("Return")
        second = turns(answered(w, 2))[1]
        equal((second["pictures_computed"], second["pictures_known"]), (0, 1), "computed pictures of the second question")
        assert "not computed again" in second["footer"], second["footer"]

        w.key("ctrl+r")
        time.sleep(0.2)
        again = turns(answered(w, 2))[1]
        equal(again["answer"], second["answer"], "the answer to the same question")
        equal(again["pictures_computed"], 0, "computed pictures when it is asked again")

        w.key("ctrl+c")
        w.key("ctrl+v")
        w.settle(lambda s: shows(s, "question")["text"] == again["answer"], "the copied answer in the question's field")

        w.key("ctrl+n")
        w.settle(lambda s: not turns(s), "a new conversation")


def an_answer_streams_and_stops_and_the_next_question_is_answered():
    with open_window("-q", "Tell me everything.", *RAMBLING, BARS) as w:
        ready(w, 1)
        for attempt in range(20):  # an answer of chance may be short
            w.key("Return" if attempt == 0 else "ctrl+r")
            w.wait(lambda s: s["phase"] == "answering" or (turns(s) and turns(s)[-1]["finish"] != "none"), "an answer")
            seen = set()

            def has_grown(state):
                if turns(state) and turns(state)[-1]["answer"]:
                    seen.add(turns(state)[-1]["answer"])
                return len(seen) > 2 or state["phase"] == "ready"
            w.wait(has_grown, "growing answer")
            w.key("Escape")
            last = turns(answered(w, 1))[-1]
            if last["finish"] == "cancelled":
                break
        equal(last["finish"], "cancelled", "how the answer ended")
        assert len(seen) > 2 and all(last["answer"].startswith(s.rstrip()) for s in seen), f"{seen} became {last}"
        assert "stopped" in last["footer"], last["footer"]
        w.key("ctrl+n")
        w.settle(lambda s: not turns(s), "a new conversation")
        w.type("Again.")
        w.key("Return")
        last = turns(answered(w, 1))[0]
        assert last["answer"] and not last["error"], last
        equal((last["pictures_computed"], last["pictures_known"]), (0, 1), "computed pictures of the next conversation")


def pictures_of_a_question_that_failed_go_with_the_next():
    with open_window("-q", "word " * 300, "--context", "200", BARS) as w:
        ready(w, 1)
        w.key("Return")
        failed = answered(w, 1)
        assert turns(failed)[0]["error"], turns(failed)
        equal(pictures(failed)[0]["ticked"], True, "the frame around its picture")
        w.key("ctrl+r")
        time.sleep(0.2)
        equal(pictures(answered(w, 1))[0]["ticked"], True, "the frame when it has failed again")
        w.type("Which bar is the tallest?")
        w.key("Return")
        last = answered(w, 2)
        equal((turns(last)[1]["answer"], turns(last)[1]["pictures_computed"]), ("The green bar.", 1), "the next answer")
        equal(pictures(last)[0]["ticked"], False, "the frame when it is known")


def progress_is_shown_while_pictures_are_looked_at():
    several = [os.path.join(MODEL, f"demo/{n:03}.png") for n in range(8)]
    with open_window("-q", "Describe the image.", *several) as w:
        ready(w, 8)
        shares = []

        def is_done(state):
            status = shows(state, "status")
            if status["words"] == "Looking at the picture":
                shares.append(status["share"])
            return turns(state) and turns(state)[-1]["finish"] != "none"
        w.key("Return")
        last = turns(w.wait(is_done, "an answer"))[-1]
        equal(last["pictures_computed"], 8, "computed pictures")
        assert shares and all(0 <= s <= 1 for s in shares), f"progress: {shares}"  # of each picture


def a_file_that_is_dropped_is_opened():
    with open_window(BARS) as w:
        ready(w, 1)
        w.drop(SHAPES)
        equal([p["name"] for p in pictures(ready(w, 2))], ["000.png", "002.png"], "pictures")


def a_file_whose_name_was_copied_is_opened_as_file_managers_write_it():
    spaced = os.path.join(SCRATCH, "a b.png")
    shutil.copy(SHAPES, spaced)
    with open_window() as w:
        ready(w)
        w.type("file://" + spaced.replace(" ", "%20"))
        w.key("ctrl+a", "ctrl+x", "ctrl+v")
        state = ready(w, 1)
        equal((pictures(state)[0]["name"], shows(state, "question")["text"]), ("a b.png", ""), "what was opened")


def pictures_are_closed_with_the_pointer():
    with open_window(BARS, SHAPES) as w:
        ready(w, 2)
        w.click(128, 160)
        w.move(640, 20)
        left = ready(w, 1)
        assert [p["name"] for p in pictures(left)] in (["000.png"], ["002.png"]), pictures(left)


def a_window_that_answers_closes_at_once():
    with open_window("-q", "Tell me everything.", *RAMBLING) as w:
        ready(w)
        w.key("Return")
        w.wait(lambda s: s["phase"] == "answering" or turns(s), "an answer")
        w.program.send_signal(signal.SIGTERM)
        equal(w.program.wait(timeout=20), 0, "exit code")


def a_turned_photo_is_shown_upright_and_a_file_that_is_no_picture_is_named():
    photo, rubbish = os.path.join(SCRATCH, "turned.jpg"), os.path.join(SCRATCH, "rubbish.png")
    image = Image.new("RGB", (120, 80), (30, 90, 200))
    image.paste((240, 200, 40), (0, 0, 60, 80))
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter to the right: what is left becomes the top
    image.save(photo, exif=exif, quality=95)
    with open(rubbish, "w") as file:
        file.write("not a picture")
    with open_window(photo) as w:
        shown = pictures(ready(w, 1))[0]
        equal((shown["width"], shown["height"], shown["orientation"]), (80, 120, 6), "the turned picture")
        # Its thumbnail is 80 x 120 in a square whose top left corner is at (18, 145) or nearby: yellow above blue.
        screen = w.grab()
        above, below = screen.getpixel((81, 180)), screen.getpixel((81, 235))
        assert above[0] > 200 > 100 > below[0], f"{above} above {below}"
        w.key("ctrl+o")
        w.type(rubbish)
        w.key("Return")
        w.settle(lambda s: "rubbish.png" in shows(s, "pictures")["error"], "the name of the file that is no picture")
        equal(len(pictures(w.state())), 1, "pictures")


def memory_is_shown_before_a_model_is_loaded_and_precision_changes_it():
    with open_window(model=False) as w:
        full = w.settle(lambda s: (shows(s, "chooser") or {}).get("peak", 0) > 0, "a plan")
        equal(full["phase"], "empty", "phase")
        before = Looked(w)
        w.click(450, 253)  # keys and values
        w.settle(lambda s: shows(s, "chooser")["list_open"], "the list of formats")
        w.click(450, 370)  # 8 bits
        w.move(640, 20)
        less = w.settle(lambda s: shows(s, "chooser")["kv"].startswith("8 bits") and shows(s, "chooser")["peak"] > 0, "8 bits")
        assert shows(less, "chooser")["peak"] < shows(full, "chooser")["peak"], "8 bits take no less memory"
        equal(before.compare(Looked(w)), {"chooser"}, "what a choice changes")
        w.key("Return")
        loaded = ready(w)
        assert "64 tokens a picture" in shows(loaded, "header")["details"], shows(loaded, "header")


def a_model_that_is_not_there_is_named():
    with open_window("-m", "no/such/model", model=False) as w:
        state = w.settle(lambda s: "no/such/model" in (shows(s, "chooser") or {}).get("plan", ""), "what is wrong")
        assert "no/such/model" in shows(state, "status")["words"], shows(state, "status")
        w.key("Return")
        equal(w.settle()["phase"], "empty", "phase")


def a_folder_without_models_is_named_and_one_with_models_gives_its_first():
    empty, full = os.path.join(SCRATCH, "empty"), os.path.join(SCRATCH, "models")
    os.makedirs(empty, exist_ok=True)
    os.makedirs(full, exist_ok=True)
    if not os.path.lexists(os.path.join(full, "tiny")):
        os.symlink(MODEL, os.path.join(full, "tiny"))
    with open_window("-m", empty, model=False) as w:
        w.settle(lambda s: "empty" in (shows(s, "chooser") or {}).get("plan", ""), "what is wrong with the folder")
        equal(shows(w.state(), "chooser")["models"], [empty], "models")
    with open_window("-m", full, model=False) as w:
        equal(shows(ready(w), "header")["model"], "tiny", "the model that is loaded")


def a_font_that_is_none_is_refused():
    half = os.path.join(SCRATCH, "half.ttf")
    with open(half, "wb") as file:  # a font with a table that begins where the file ends
        file.write(bytes.fromhex("00010000 0001 0010 0000 0000 676c7966 00000000 0000001c 00000010"))
    for font in ("no/such/font.ttf", os.path.join(SOURCE, "README.md"), half):
        done = subprocess.run([PROGRAM, "--font", font], capture_output=True, text=True, timeout=60,
                              env=dict(os.environ, SDL_VIDEODRIVER="dummy", SDL_RENDER_DRIVER="software"))
        equal(done.returncode, 1, f"exit code with {font}: {done.stderr}")
        assert font in done.stderr, done.stderr


def without_a_screen_it_says_so():
    done = subprocess.run([PROGRAM], env=dict(os.environ, DISPLAY=":99999", SDL_VIDEODRIVER="x11"), capture_output=True,
                          text=True, timeout=60)
    equal(done.returncode, 1, "exit code")
    assert "no screen" in done.stderr, done.stderr


def dark_and_light_are_chosen_with_a_key():
    with open_window("--light") as w:
        ready(w)
        light = w.grab()
        equal(w.state()["theme"], "light", "theme")
        w.key("ctrl+t")
        w.settle(lambda s: s["theme"] == "dark", "the dark theme")
        dark = w.grab()
        for x, y in (640, 20), (20, 400), (640, 400), (1200, 600):
            assert min(light.getpixel((x, y))) > 200 and max(dark.getpixel((x, y))) < 80, (x, y)


def pages_of_a_pdf_are_chosen():
    if "PDF" not in subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True).stdout:
        print("SKIPPED: pages of PDF files in a window: this build has no poppler-cpp")
        return
    file = os.path.join(SCRATCH, "pages.pdf")
    a4 = [Image.new("RGB", (595, 842), colour) for colour in ((250, 250, 250), (60, 160, 90), (200, 60, 60))]
    a4[0].save(file, save_all=True, append_images=a4[1:], resolution=72)
    other = os.path.join(SCRATCH, "other.pdf")
    a4[0].save(other, resolution=72)
    with open_window(file, other) as w:
        w.settle(lambda s: "other.pdf: open it again when pages of pages.pdf" in shows(s, "pictures")["error"],
                 "that pages of one file are chosen at a time")
        w.settle(lambda s: (shows(s, "pages") or {}).get("drawn") == 3, "three pages")
        equal(shows(w.state(), "pages")["pages"], 3, "pages")
        green, red = (w.grab().getpixel((x, 300)) for x in (620, 810))
        assert green[1] > 140 and green[0] < 90, f"the second page is {green}"
        assert red[0] > 180 and red[2] < 90, f"the third page is {red}"
        w.click(620, 300)
        w.move(640, 20)
        page = pictures(w.settle(lambda s: len(pictures(s)) == 1, "the page"))[0]
        # 150 dots an inch, to the nearest pixel: what poppler-cpp makes of A4.
        equal((page["name"], page["width"], page["height"]), ("pages.pdf, page 2", 1240, 1754), "the page")
        w.key("Escape")
        w.settle(lambda s: shows(s, "pages") is None and s["phase"] == "ready", "the end of choosing")
        w.type("What colour is it?")
        w.key("Return")
        equal(turns(answered(w, 1))[0]["pictures_computed"], 1, "computed pages")


def idle_windows_take_no_time():
    with open_window(BARS) as w:
        state = ready(w, 1)
        before = w.cpu_seconds()
        time.sleep(2)
        spent = w.cpu_seconds() - before
        equal(w.state()["frame"], state["frame"], "frames while nothing happens")
        assert spent <= 0.05, f"{spent} s of processor time in two seconds of nothing"
        print(f"idle: {spent:.2f} s of processor time in 2 s")


def frames_are_recorded_while_it_answers():
    with open_window("-q", "Tell me everything.", *RAMBLING, BARS, SHAPES) as w:
        ready(w, 2)
        w.key("Return")
        for _ in range(8):
            answered(w, 1)
            w.key("ctrl+r")
            time.sleep(0.2)
        times = answered(w, 1)["times"]["answering"]
        assert times["frames"] > 20 and 0 < times["p50_ms"] <= times["p99_ms"] <= times["longest_ms"], times
        print("frames while it answers, 1280 x 720, drawn by the processor: {frames}, p50 {p50_ms:.1f} ms, "
              "p99 {p99_ms:.1f} ms, longest {longest_ms:.1f} ms".format(**times))


TESTS = [a_question_is_asked_and_asked_again_and_the_picture_is_computed_once,
         an_answer_streams_and_stops_and_the_next_question_is_answered,
         pictures_of_a_question_that_failed_go_with_the_next,
         progress_is_shown_while_pictures_are_looked_at,
         a_file_that_is_dropped_is_opened,
         a_file_whose_name_was_copied_is_opened_as_file_managers_write_it,
         pictures_are_closed_with_the_pointer,
         a_window_that_answers_closes_at_once,
         a_turned_photo_is_shown_upright_and_a_file_that_is_no_picture_is_named,
         memory_is_shown_before_a_model_is_loaded_and_precision_changes_it,
         a_model_that_is_not_there_is_named,
         a_folder_without_models_is_named_and_one_with_models_gives_its_first,
         a_font_that_is_none_is_refused,
         without_a_screen_it_says_so,
         dark_and_light_are_chosen_with_a_key,
         pages_of_a_pdf_are_chosen,
         idle_windows_take_no_time,
         frames_are_recorded_while_it_answers]

failed = 0
for test in TESTS:
    if len(sys.argv) > 4 and sys.argv[4] not in test.__name__:
        continue
    began = time.monotonic()
    try:
        test()
        print(f"ok      {test.__name__.replace('_', ' ')} ({time.monotonic() - began:.1f} s)", flush=True)
    except Exception as error:  # also what a machine that hangs makes of a process
        failed += 1
        print(f"FAILED  {test.__name__.replace('_', ' ')}: {type(error).__name__}: {error}", flush=True)
sys.exit(1 if failed else 0)
