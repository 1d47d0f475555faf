"""Pictures of Python's libraries as dsvl_picture, where they lie: nothing is copied unless it is said."""
import ctypes
import os
import warnings

from . import _c


class Given:
    """A dsvl_picture and what has to stay as long as it is used."""

    def __init__(self, struct, *keep):
        self.struct, self.keep = struct, keep


def of_path(path):
    return Given(_c.Picture(path=os.fsencode(path)))


def of_bytes(data):
    """A picture file in memory. Read-only views other than bytes are copied."""
    if not isinstance(data, bytes):
        view = memoryview(data).cast("B")
        if not view.readonly:
            buffer = (ctypes.c_char * len(view)).from_buffer(view)
            return Given(_c.Picture(bytes=ctypes.addressof(buffer), byte_count=len(view)), buffer)
        data = bytes(view)
    address = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p)
    return Given(_c.Picture(bytes=address, byte_count=len(data)), data)


_SAMPLES = {"|u1": ("", 1), "<u2": ("16", 2), "<f4": ("32f", 4)}
_ORDERS = {1: "gray", 3: "rgb", 4: "rgba"}


def of_array(array):
    """An array (height, width[, 1, 3 or 4 channels]) of uint8, uint16 or float32 (0 to 1).

    Rows may be padded or upside down, and channels turned round (OpenCV's frames as frame[..., ::-1], which are RGB).
    Other views, such as every second column, are copied.
    """
    face = array.__array_interface__
    shape = face["shape"]
    if len(shape) == 2:
        shape += (1,)
    if len(shape) != 3 or shape[2] not in _ORDERS or face["typestr"] not in _SAMPLES:
        raise TypeError(f"an array of shape {face['shape']} and type {face['typestr']} is no picture: it has "
                        "(height, width[, 1, 3 or 4]) of uint8, uint16 or float32")
    suffix, sample = _SAMPLES[face["typestr"]]
    height, width, channels = shape
    strides = face.get("strides") or (width * channels * sample, channels * sample, sample)
    strides = (tuple(strides) + (sample,))[:3]
    address, order = face["data"][0], _ORDERS[channels]
    if channels == 3 and strides[1:] == (3 * sample, -sample):
        address, order = address - 2 * sample, "bgr"
    elif strides[1:] != (channels * sample, sample) and not (channels == 1 and strides[1] == sample):
        return of_array(array.copy(order="C"))
    struct = _c.Picture(pixels=address, width=width, height=height, stride=strides[0],
                        format=_c.FORMATS.index(order + suffix))
    return Given(struct, array)


def _pillow_rows(image, name, bytes_per_pixel):
    """Address of the first row and distance of rows of a PIL image, if Pillow tells and the rows lie evenly."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pointers = dict(getattr(image.im, "unsafe_ptrs", ()))
    table = pointers.get(name)
    if not table:
        return None
    rows = (ctypes.c_void_p * image.height).from_address(table)
    step = rows[1] - rows[0] if image.height > 1 else image.width * bytes_per_pixel
    if abs(step) < image.width * bytes_per_pixel or any(rows[i] != rows[0] + i * step for i in range(image.height)):
        return None
    return rows[0], step


def of_pillow(image):
    """A PIL image of mode RGB, RGBA, RGBX or L, in Pillow's own memory; others are converted to RGB, which copies.

    Large pictures lie in several blocks, and some versions of Pillow do not tell where: these are copied too. Alpha is
    dropped, as the reference does it.
    """
    if image.mode not in ("RGB", "RGBA", "RGBX", "L"):
        image = image.convert("RGB")
    image.load()
    if image.mode == "L":
        name, order, pixel = "image8", "gray", 1
    else:
        name, order, pixel = "image32", "rgba", 4  # Pillow has four bytes for a pixel of RGB, too
    rows = _pillow_rows(image, name, pixel)
    if rows:
        struct = _c.Picture(pixels=rows[0], width=image.width, height=image.height, stride=rows[1],
                            format=_c.FORMATS.index(order))
        return Given(struct, image)
    order = {"L": "gray", "RGB": "rgb"}.get(image.mode, "rgba")
    data = image.tobytes()
    struct = _c.Picture(pixels=ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p), width=image.width,
                        height=image.height, format=_c.FORMATS.index(order))
    return Given(struct, data)


def of(picture):
    """Whatever stands for a picture: a path, bytes of a file, an array, a PIL image, a region of one of these."""
    if isinstance(picture, Given):
        return picture
    if isinstance(picture, (str, os.PathLike)):
        return of_path(picture)
    if isinstance(picture, (bytes, bytearray, memoryview)):
        return of_bytes(picture)
    if hasattr(picture, "im") and hasattr(picture, "mode"):  # first: Pillow's images say they are arrays, and copy
        return of_pillow(picture)
    if hasattr(picture, "__array_interface__"):
        return of_array(picture)
    raise TypeError(f"{type(picture).__name__} is no picture: give a path, bytes, an array or a PIL image")
