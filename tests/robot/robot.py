"""The robot's program as people use it: robot.py PROGRAM [CLIP_PROGRAM], from the top of the repository.

Frames are drawn here: a square of a colour on white, which the shipped model knows. What an answer says of its frame's
age is checked twice: by the program's own lines, and by the clock of this script, which wrote the frame.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

PROGRAM = os.path.abspath(sys.argv[1])
CLIP = os.path.abspath(sys.argv[2]) if len(sys.argv) > 2 else None
DEMO = "examples/models/tiny-vl/demo"
WIDTH, HEIGHT = 160, 120
COLOURS = {"red": (220, 30, 30), "blue": (30, 60, 220), "green": (30, 160, 60)}
WHAT = "Describe the image."
failed = []


def check(name, true, seen=""):
    print(("ok      " if true else "FAILED  ") + name + ("" if true else f": {seen}"), flush=True)
    if not true:
        failed.append(name)


def rgb(colour, left=40):
    """A picture: rows of pixels."""
    square, white = bytes(COLOURS[colour]), bytes((255, 255, 255))
    across = white * left + square * 80 + white * (WIDTH - left - 80)
    return [across if 20 <= y < 100 else white * WIDTH for y in range(HEIGHT)]


def samples(rows):
    return [[tuple(row[3 * x:3 * x + 3]) for x in range(WIDTH)] for row in rows]


def yuv(pixel):
    r, g, b = pixel
    return (round(16 + 0.257 * r + 0.504 * g + 0.098 * b), round(128 - 0.148 * r - 0.291 * g + 0.439 * b),
            round(128 + 0.439 * r - 0.368 * g - 0.071 * b))


def encoded(rows, encoding):
    """The picture's bytes in an encoding of ROS."""
    pixels = samples(rows)
    flat = [p for row in pixels for p in row]
    if encoding in ("rgb8", "bgr8", "rgba8", "bgra8"):
        order = (0, 1, 2) if encoding.startswith("rgb") else (2, 1, 0)
        tail = (0,) if "a" in encoding else ()
        return b"".join(bytes(tuple(p[i] for i in order) + tail) for p in flat)
    if encoding in ("rgb16", "bgr16"):
        order = (0, 1, 2) if encoding == "rgb16" else (2, 1, 0)
        return b"".join(bytes((77, p[i])) for p in flat for i in order)
    if encoding in ("mono8", "mono16"):
        gray = [round(0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2]) for p in flat]
        return bytes(gray) if encoding == "mono8" else b"".join(bytes((5, g)) for g in gray)
    if encoding in ("nv12", "nv21"):
        luma = bytes(yuv(p)[0] for p in flat)
        order = (1, 2) if encoding == "nv12" else (2, 1)
        corners = [yuv(pixels[y][x]) for y in range(0, HEIGHT, 2) for x in range(0, WIDTH, 2)]
        return luma + bytes(corner[i] for corner in corners for i in order)
    out = bytearray()
    for i in range(0, len(flat), 2):
        (y0, u, v), y1 = yuv(flat[i]), yuv(flat[i + 1])[0]
        out += bytes((u, y0, v, y1) if encoding in ("yuv422", "uyvy") else (y0, u, y1, v))
    return bytes(out)


def frame(colour, left=40):
    return b"".join(rgb(colour, left))


def run(*arguments, stdin=b""):
    """Exit code, lines, and what was said on stderr."""
    done = subprocess.run([PROGRAM, *arguments], input=stdin, capture_output=True, timeout=120)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


def kinds(lines, *wanted):
    return [line for line in lines if line["kind"] in wanted]


class Camera:
    """The program with frames on its standard input, written when this script likes; its lines are read at once."""

    def __init__(self, *arguments, encoding="rgb8"):
        self.process = subprocess.Popen([PROGRAM, "--raw", f"{WIDTH}x{HEIGHT}:{encoding}", *arguments],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.written = []  # when frame i + 1 was whole
        self.lines = []
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def write(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()
        self.written.append(time.time())

    def wait_for(self, true, seconds=60):
        until = time.time() + seconds
        while time.time() < until and self.process.poll() is None:
            if any(true(line) for line in list(self.lines)):
                return True
            time.sleep(0.01)
        return any(true(line) for line in self.lines)

    def resident(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))

    def end(self):
        """Exit code and processor seconds."""
        if self.process.stdin:
            self.process.stdin.close()
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.reader.join()
        self.process.stdout.close()
        return self.process.returncode, usage.ru_utime + usage.ru_stime


def test_command_line():
    done = subprocess.run([PROGRAM, "--help"], capture_output=True)
    check("--help helps", done.returncode == 0 and b"--cpu-share" in done.stdout)
    for name, arguments, words in [
        ("no source", ["--ask", WHAT], "--folder, --raw, --video and --camera"),
        ("two sources", ["--ask", WHAT, "--folder", DEMO, "--camera", "0"], "one of"),
        ("no question", ["--folder", DEMO], "--ask, --gate or --questions"),
        ("an encoding that is not taken", ["--ask", WHAT, "--raw", "4x4:bayer_rggb8"], "image_proc"),
        ("--each with a camera", ["--ask", WHAT, "--camera", "0", "--each"], "does not wait"),
        ("--range without YUV", ["--ask", WHAT, "--raw", "4x4:rgb8", "--range", "full"], "nv12"),
        ("a file of questions that is none", ["--folder", DEMO, "--questions", "README.md"], "array of questions"),
    ]:
        code, lines, said = run(*arguments)
        check(f"{name} is an error that says what to do", code == 2 and words in said and not lines, said)
    code, _, said = run("--folder", "no/such/folder", "--ask", WHAT)
    check("a folder that is not there is named", code == 1 and "no/such/folder" in said, said)
    code, _, said = run("--video", "no/such/film.avi", "--ask", WHAT)
    check("a video that is not there is named, or OpenCV is",
          code == 1 and ("film.avi" in said or "OpenCV" in said), said)


def test_folder():
    code, lines, _ = run("--folder", DEMO, "--ask", "Which bar is the tallest?", "--gate",
                         "Is there a yellow square in the image?")
    answers, gates = kinds(lines, "answer"), kinds(lines, "gate")
    check("every picture of a folder is answered", code == 0 and len(answers) == 48 and len(gates) == 48, len(answers))
    check("answers are right", answers[0]["value"] == "The green bar.", answers[0])
    check("gates are right", gates[2]["probability"] < 0.5 < gates[3]["probability"], gates[2:4])
    check("it ends with a summary", lines[-1]["kind"] == "summary" and lines[-1]["answers"] == 48, lines[-1])


def test_encodings():
    gray = [bytes(g for r, g, b in row for _ in range(3))
            for row in ([(v, v, v) for v in encoded(rgb("red"), "mono8")[y * WIDTH:(y + 1) * WIDTH]]
                        for y in range(HEIGHT))]
    _, lines, _ = run("--raw", f"{WIDTH}x{HEIGHT}:rgb8", "--ask", WHAT, stdin=b"".join(gray))
    without_colour = kinds(lines, "answer")[0]["value"]
    for encoding in ("rgb8", "bgr8", "rgba8", "bgra8", "rgb16", "bgr16", "nv12", "nv21", "yuv422", "uyvy",
                     "yuv422_yuy2", "yuyv", "mono8", "mono16"):
        _, lines, _ = run("--raw", f"{WIDTH}x{HEIGHT}:{encoding}", "--ask", WHAT, stdin=encoded(rgb("red"), encoding))
        said = [line["value"] for line in kinds(lines, "answer")]
        mono = encoding.startswith("mono")
        check(f"{encoding} is seen as it is",
              len(said) == 1 and (said[0] == without_colour if mono else "red square" in said[0]), said)
    code, _, said = run("--raw", f"{WIDTH}x{HEIGHT}:rgb8", "--ask", WHAT, stdin=frame("red")[:-1])
    check("half a frame is an error", code == 1 and "ends within a frame" in said, said)


def check_ages(name, camera):
    about = kinds(camera.lines, "answer", "gate", "deadline")
    interval = max(line["frame_interval_ms"] or 0 for line in about)
    over = [line for line in about
            if line["frame_age_ms"] > line["duration_ms"] + (line["frame_interval_ms"] or interval) + 0.2]
    check(f"{name}: no answer is about a frame older than its own duration and one frame", about and not over, over[:1])
    # By this script's clock; the program may be stopped between two looks at its own. The first frame waits in the pipe
    # while the program starts.
    late = [line for line in about if line["frame"] > 1 and
            1000 * (line["time"] - camera.written[line["frame"] - 1]) >
            line["duration_ms"] + (line["frame_interval_ms"] or interval) + 50]
    check(f"{name}: nor by another clock", len(late) <= max(1, 0.05 * len(about)), late[:1])


def test_live():
    """Every frame is new, and there is too little processor for all."""
    questions = ["--ask", WHAT, "--ask", "How many shapes are there?", "--gate", "Is there a red square in the image?"]
    camera = Camera(*questions, "--cpu-share", "0.1")
    began = time.time()
    frames = [frame(colour, left) for colour in COLOURS for left in (5, 40, 70)]
    for i in range(80):
        camera.write(frames[i % len(frames)])
        time.sleep(0.05)
    wall = time.time() - began
    code, used = camera.end()
    summary = camera.lines[-1]
    check("a live camera ends with a summary", code == 0 and summary["kind"] == "summary", summary)
    check_ages("live", camera)
    check("frames that came in between are dropped, and said",
          summary["dropped"] > 0 and summary["dropped"] + summary["looked_at"] == 80 and
          summary["dropped"] == sum(line["to"] - line["from"] + 1 for line in kinds(camera.lines, "dropped")), summary)
    asked = {line["question"] for line in kinds(camera.lines, "answer", "gate")}
    check("every question gets its turn", len(asked) == 3, asked)
    check("the share of processors stays below its limit", summary["cpu_share"] <= 0.11, summary)
    check("and so by the system's account", used <= 0.1 * wall + 0.3, f"{used:.2f} s in {wall:.2f} s")


def test_same_frame():
    camera = Camera("--same-frame", "--ask", WHAT, "--gate", "Is there a red square in the image?", "--cpu-share", "0.2")
    for i in range(20):
        camera.write(frame(("red", "blue")[i % 2]))
        time.sleep(0.03)
    camera.end()
    answers, gates = kinds(camera.lines, "answer"), kinds(camera.lines, "gate")
    check("--same-frame asks all questions about one frame",
          answers and [line["frame"] for line in answers] == [line["frame"] for line in gates], camera.lines)


def test_frozen():
    """A camera that hangs: nothing more is said about its last frame, until there is another."""
    camera = Camera("--ask", WHAT, "--ask", "How many shapes are there?", "--cpu-share", "0.03")
    for i in range(4):
        camera.write(frame("red"))
        time.sleep(0.03)
    camera.wait_for(lambda line: line["kind"] == "answer")
    check("a frame that should have been followed by another is called stale",
          camera.wait_for(lambda line: line["kind"] == "stale", 10), camera.lines)
    before = len(kinds(camera.lines, "answer"))
    time.sleep(0.3)
    check("and not asked about", len(kinds(camera.lines, "answer")) == before == 1, camera.lines)
    camera.write(frame("red"))
    check("what was still to be asked is asked about the next",
          camera.wait_for(lambda line: line["kind"] == "answer" and line["frame"] == 5, 10), camera.lines)
    camera.end()
    check_ages("frozen", camera)


def test_deadline():
    camera = Camera("--ask", WHAT, "--deadline-ms", "60", "--cpu-share", "0.05")
    for i in range(20):
        camera.write(frame(("red", "blue")[i % 2]))
        time.sleep(0.05)
    camera.end()
    late = kinds(camera.lines, "deadline")
    check("an answer that is not there in time is cut off, and said", len(late) > 0, camera.lines[-1])
    check("at its deadline", all(line["value"] is None and 59 < line["frame_age_ms"] for line in late), late)
    check_ages("deadline", camera)


def test_interrupt():
    for name, number in (("Ctrl-C", signal.SIGINT), ("SIGTERM", signal.SIGTERM)):
        camera = Camera("--ask", WHAT)
        camera.write(frame("red"))
        camera.wait_for(lambda line: line["kind"] == "answer")
        camera.process.send_signal(number)
        began = time.time()
        camera.reader.join(20)
        code, _ = camera.end()
        check(f"{name} ends it with a summary", code == 0 and camera.lines[-1]["kind"] == "summary",
              (code, camera.lines))
        check(f"{name}: soon", time.time() - began < 10)


def test_memory():
    if not os.path.exists("/proc/self/status"):
        print("SKIPPED: the robot's memory over 10 000 frames, which /proc tells")
        return
    # Each: 10 000 frames are looked at, one in twenty shows something else and is asked about.
    camera = Camera("--each", "--ask", WHAT, "--gate", "Is there a red square in the image?", "--status-every", "100")
    frames = [frame(colour, left) for left in (5, 40, 70) for colour in COLOURS]
    resident = {}
    for i in range(10_000):
        camera.write(frames[i // 20 % len(frames)])
        if i + 1 in (100, 10_000):
            camera.wait_for(lambda line: line["kind"] == "status" and line["frame"] == i + 1)
            time.sleep(0.2)  # the questions about it are answered
            resident[i + 1] = camera.resident()
    camera.end()
    summary = camera.lines[-1]
    print(f"        resident after 100 frames: {resident[100]} KiB, after 10 000: {resident[10_000]} KiB "
          f"({resident[10_000] / resident[100]:.4f}); {summary['seconds']} s, {summary['answers']} answers")
    check("memory after 10 000 frames is at most 1.02 of that after 100",
          resident[10_000] <= 1.02 * resident[100], resident)
    check("frames that show nothing new cost no answer",
          summary["answers"] == summary["gates"] == 500 and summary["unchanged"] == 9500, summary)


def test_video():
    if not CLIP:
        print("SKIPPED: videos, without OpenCV (Debian: libopencv-videoio-dev)")
        return
    with tempfile.TemporaryDirectory() as scratch:
        film = os.path.join(scratch, "film.avi")
        pictures = []
        for colour in ("red", "blue"):
            pictures += [os.path.join(scratch, colour), str(WIDTH), str(HEIGHT)]
            with open(pictures[-3], "wb") as file:
                file.write(frame(colour))
        code = subprocess.run([CLIP, film, "10", "0.5", *pictures], stderr=subprocess.DEVNULL).returncode
        if code == 77:
            print("SKIPPED: videos: this OpenCV writes no MJPEG")
            return
        check("a film can be made", code == 0, code)
        _, lines, said = run("--video", film, "--each", "--ask", WHAT)
        answers = [(line["frame"], line["value"]) for line in kinds(lines, "answer")]
        check("a film is asked about where it changes", [n for n, _ in answers] == [1, 6] and "red" in answers[0][1]
              and "blue" in answers[1][1], (answers, said))
        began = time.time()
        _, lines, _ = run("--video", film, "--ask", WHAT)
        check("at the speed of the film unless told otherwise", time.time() - began > 0.8 and
              lines[-1]["looked_at"] + lines[-1]["dropped"] == 10, lines[-1])
        code, _, said = run("--camera", "no/such/camera", "--ask", WHAT)
        check("a camera that is not there is named", code == 1 and "no/such/camera" in said, said)


for test in (test_command_line, test_folder, test_encodings, test_live, test_same_frame, test_frozen, test_deadline,
             test_interrupt, test_memory, test_video):
    if len(sys.argv) < 4 or test.__name__ in sys.argv[3:]:
        test()
sys.exit(1 if failed else 0)
