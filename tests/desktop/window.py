"""A window of dsvl-desktop on a screen of its own: pressed and typed at as a person does, and looked at from outside."""

import json
import os
import shutil
import subprocess
import sys
import time

SKIPPED = 77  # ctest's SKIP_RETURN_CODE


def require():
    """Ends the script with a line that says why, where the machine lacks what it needs."""
    missing = [name for name in ("Xvfb", "xdotool") if not shutil.which(name)]
    try:
        from PIL import features
        if not features.check("xcb"):
            missing.append("Pillow with xcb")
    except ImportError:
        missing.append("python3-pil")
    if missing:
        print(f"SKIPPED: the window's tests, which need {', '.join(missing)} (examples/install-dependencies.sh desktop)")
        sys.exit(SKIPPED)


class Window:
    """`with Window(program, folder, *arguments) as w:` starts a screen and the program, and ends both."""

    def __init__(self, program, folder, *arguments, size="1280x720", environment=None):
        self.state_file = os.path.join(folder, "state.json")
        if os.path.exists(self.state_file):
            os.remove(self.state_file)
        reading, writing = os.pipe()
        self.screen = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{size}x24", "-nolisten", "tcp"],
            pass_fds=[writing], stderr=subprocess.DEVNULL)
        os.close(writing)
        with os.fdopen(reading) as number:
            self.display = ":" + number.readline().strip()
        self.environment = dict(os.environ, DISPLAY=self.display, SDL_VIDEODRIVER="x11", SDL_RENDER_DRIVER="software",
                                XDG_RUNTIME_DIR=folder, **(environment or {}))
        self.program = subprocess.Popen([program, "--state", self.state_file, *arguments], env=self.environment)

    def __enter__(self):
        try:
            self.wait(lambda s: True, "a first frame")
            self.id = self.xdotool("search", "--sync", "--onlyvisible", "--pid", str(self.program.pid)).split()[0]
            self.xdotool("windowmove", self.id, "0", "0")
            self.xdotool("windowfocus", "--sync", self.id)  # there is no window manager here
            self.move(640, 20)
            return self
        except BaseException:
            self.__exit__(True)
            raise

    def __exit__(self, failure=None, *_):
        for process in (self.program, self.screen):
            if process.poll() is None:
                process.terminate()  # SDL makes it a request to close, like the frame's button
            process.wait()
        if not failure and self.program.returncode != 0:
            raise AssertionError(f"the program closed with {self.program.returncode}")

    def xdotool(self, *arguments):
        return subprocess.run(["xdotool", *arguments], env=self.environment, check=True, capture_output=True, text=True,
                              timeout=30).stdout

    # What a person does.

    def type(self, text):
        self.xdotool("type", "--delay", "12", text)

    def key(self, *keys):
        self.xdotool("key", *keys)

    def move(self, x, y):
        self.xdotool("mousemove", str(x), str(y))

    def click(self, x, y):
        self.move(x, y)
        time.sleep(0.1)
        self.xdotool("click", "1")

    def drop(self, file):
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "drop.py")
        subprocess.run([sys.executable, script, self.display, self.id, file], check=True, timeout=60)

    # What a person sees.

    def state(self):
        with open(self.state_file) as file:
            return json.load(file)

    def wait(self, condition, what, seconds=60):
        """The first state for which `condition` holds. While it is being computed, a state has settled or not."""
        end = time.monotonic() + seconds
        state = None
        while time.monotonic() < end:
            if self.program.poll() is not None:
                raise AssertionError(f"the program ended with {self.program.returncode}, waiting for {what}")
            if os.path.exists(self.state_file):
                state = self.state()
                if condition(state):
                    return state
            time.sleep(0.02)
        raise AssertionError(f"no {what} within {seconds} s; the last state: {json.dumps(state)[:3000]}")

    def settle(self, condition=lambda state: True, what="rest"):
        """Waits until no frame follows another: `condition` holds, and the picture on the screen is that of the state."""
        while True:
            state = self.wait(lambda s: s["settled"] and condition(s), what)
            time.sleep(0.06)  # what was done last may not have arrived
            if self.state()["frame"] == state["frame"]:
                return state

    def grab(self):
        """The screen's pixels, which the program has no hand in."""
        from PIL import ImageGrab
        return ImageGrab.grab(xdisplay=self.display).convert("RGB")

    def cpu_seconds(self):
        with open(f"/proc/{self.program.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def shows(state, area):
    """What an area of a state shows; nothing when it is not there."""
    return next((a["shows"] for a in state["areas"] if a["name"] == area), None)
