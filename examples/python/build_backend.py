"""Builds the wheel of dsvl by the rules of PEP 517, with the standard library alone.

The shared library comes from CMake (and a C++20 compiler), or ready-made from the environment variable DSVL_LIBRARY.
"""
import base64
import hashlib
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]  # of dsvl's sources
LIBRARY = {"win32": "dsvl.dll", "darwin": "libdsvl.dylib"}.get(sys.platform, "libdsvl.so")


def version():
    config = (ROOT / "include/dsvl/base/config.hpp").read_text(encoding="utf-8")
    return re.search(r'DSVL_VERSION_STRING "(.*)"', config).group(1)


def tag():
    # Any Python 3 can load it: it has no symbols of Python's.
    return "py3-none-" + re.sub(r"[-.]", "_", sysconfig.get_platform())


def library_bytes():
    ready = os.environ.get("DSVL_LIBRARY")
    if ready:
        return Path(ready).read_bytes()
    with tempfile.TemporaryDirectory() as build:
        options = ["-DCMAKE_BUILD_TYPE=Release", "-DDSVL_BUILD_SHARED=ON"]
        options += [f"-DDSVL_{part}=OFF" for part in ("TESTS", "EXAMPLES", "BENCHMARKS", "INSTALL")]
        subprocess.check_call(["cmake", "-S", str(ROOT), "-B", build, *options])
        # Files of kernels take up to 1 GB each. CMAKE_BUILD_PARALLEL_LEVEL says another number.
        jobs = [] if "CMAKE_BUILD_PARALLEL_LEVEL" in os.environ else ["--parallel", str(min(os.cpu_count() or 1, 7))]
        subprocess.check_call(["cmake", "--build", build, "--target", "dsvl_shared", "--config", "Release", *jobs])
        return next(Path(build).rglob(LIBRARY)).read_bytes()


def metadata():
    return f"Metadata-Version: 2.1\nName: dsvl\nVersion: {version()}\nLicense: MIT\nRequires-Python: >=3.9\n"


def get_requires_for_build_wheel(config_settings=None):
    return []


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    info = f"dsvl-{version()}.dist-info"
    files = {f"dsvl/{source.name}": source.read_bytes() for source in sorted((HERE / "src/dsvl").glob("*.py"))}
    files["dsvl/" + LIBRARY] = library_bytes()
    files[info + "/METADATA"] = metadata().encode()
    files[info + "/LICENSE"] = (ROOT / "LICENSE").read_bytes()
    files[info + "/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: dsvl\nRoot-Is-Purelib: false\nTag: {tag()}\n".encode()
    record = ""
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(data)}\n"
    files[info + "/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    wheel = f"dsvl-{version()}-{tag()}.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, wheel), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            # The same bytes from the same sources: archives begin in 1980.
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return wheel
