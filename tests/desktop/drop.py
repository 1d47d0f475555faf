"""Drops a file on a window as file managers do (the XDND protocol, version 5): drop.py DISPLAY WINDOW FILE."""

import ctypes
import pathlib
import sys
import time

X = ctypes.CDLL("libX11.so.6")
Atom = Window = Time = ctypes.c_ulong
X.XOpenDisplay.restype = ctypes.c_void_p
for function in (X.XCreateSimpleWindow, X.XDefaultRootWindow, X.XInternAtom):
    function.restype = ctypes.c_ulong

CLIENT_MESSAGE, SELECTION_REQUEST, SELECTION_NOTIFY = 33, 30, 31


class ClientMessage(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("sent", ctypes.c_int), ("display", ctypes.c_void_p),
                ("window", Window), ("message", Atom), ("format", ctypes.c_int), ("data", ctypes.c_long * 5)]


class SelectionRequest(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("sent", ctypes.c_int), ("display", ctypes.c_void_p),
                ("owner", Window), ("requestor", Window), ("selection", Atom), ("target", Atom), ("property", Atom),
                ("time", Time)]


class Selection(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("sent", ctypes.c_int), ("display", ctypes.c_void_p),
                ("requestor", Window), ("selection", Atom), ("target", Atom), ("property", Atom), ("time", Time)]


class Event(ctypes.Union):
    _fields_ = [("type", ctypes.c_int), ("client", ClientMessage), ("request", SelectionRequest), ("selection", Selection),
                ("pad", ctypes.c_long * 24)]


def drop(display_name, target, file):
    display = ctypes.c_void_p(X.XOpenDisplay(display_name.encode()))
    atom = lambda name: ctypes.c_ulong(X.XInternAtom(display, name.encode(), 0))  # noqa: E731
    mine = ctypes.c_ulong(X.XCreateSimpleWindow(display, ctypes.c_ulong(X.XDefaultRootWindow(display)), 0, 0, 1, 1, 0, 0, 0))
    there, now = ctypes.c_ulong(target), ctypes.c_ulong(0)
    X.XSetSelectionOwner(display, atom("XdndSelection"), mine, now)

    def send(message, *data):
        event = Event()
        event.client = ClientMessage(CLIENT_MESSAGE, 0, 1, display, there, atom(message), 32,
                                     (ctypes.c_long * 5)(mine.value, *data))
        X.XSendEvent(display, there, 0, ctypes.c_long(0), ctypes.byref(event))

    send("XdndEnter", 5 << 24, atom("text/uri-list").value)
    send("XdndPosition", 0, 400 << 16 | 300, 0, atom("XdndActionCopy").value)
    X.XFlush(display)
    end, dropped = time.monotonic() + 20, False
    words = (pathlib.Path(file).resolve().as_uri() + "\r\n").encode()
    while time.monotonic() < end:
        if not X.XPending(display):
            time.sleep(0.01)
            continue
        event = Event()
        X.XNextEvent(display, ctypes.byref(event))
        if event.type == CLIENT_MESSAGE and event.client.message == atom("XdndStatus").value and not dropped:
            dropped = True
            send("XdndDrop", 0, 0)
        elif event.type == CLIENT_MESSAGE and event.client.message == atom("XdndFinished").value:
            return
        elif event.type == SELECTION_REQUEST:
            asked = event.request
            X.XChangeProperty(display, ctypes.c_ulong(asked.requestor), ctypes.c_ulong(asked.property),
                              ctypes.c_ulong(asked.target), 8, 0, words, len(words))
            answer = Event()
            answer.selection = Selection(SELECTION_NOTIFY, 0, 1, display, asked.requestor, asked.selection, asked.target,
                                         asked.property, asked.time)
            X.XSendEvent(display, ctypes.c_ulong(asked.requestor), 0, ctypes.c_long(0), ctypes.byref(answer))
        X.XFlush(display)
    sys.exit("the window did not take the file")


drop(sys.argv[1], int(sys.argv[2]), sys.argv[3])
