# Shows dsvl's Status, Result, View, Volume and Matrix in gdb as what they mean. Installed as share/dsvl/dsvl_gdb.py.
#   (gdb) source examples/debugger/dsvl_gdb.py        or in ~/.gdbinit, with the whole path
#   (gdb) print status
#   $1 = bad_file: model.gguf: header of 3 bytes
#   (gdb) print view
#   $2 = (2, 3) float = {[0] = {1, 2, 3}, [1] = {4, 5, 6}}
import gdb
import gdb.printing


def short(enumerator):
    """The last part of an enumerator: dsvl::v0_1::Code::bad_file is bad_file."""
    return str(enumerator).rsplit("::", 1)[-1]


class Status:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        code = short(self.value["code_"])
        return code if code == "ok" else code + ": " + self.value["text_"].string(errors="replace")


class Result:
    """The value, or the Status that says why there is none."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        ok = short(self.value["error_"]["code_"]) == "ok"
        return "value" if ok else "error, " + Status(self.value["error_"]).to_string()

    def children(self):
        if short(self.value["error_"]["code_"]) == "ok":
            yield "value", self.value["value_"]


def numbers(data, count):
    """`count` values from the address `data`, as an array."""
    return data.dereference().cast(data.type.target().array(count - 1)) if count > 0 else "empty"


class View:
    """Rows of a matrix; columns between `cols` and `stride` belong to somebody else and are not shown."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        rows, cols, stride = (int(self.value[name]) for name in ("rows", "cols", "stride"))
        text = "(%d, %d) %s" % (rows, cols, self.value["data"].type.target())
        if stride != cols:
            text += ", %d from row to row" % stride
        return text if int(self.value["data"]) else text + " without memory"

    def children(self):
        data = self.value["data"]
        if int(data):
            for row in range(int(self.value["rows"])):
                yield "[%d]" % row, numbers(data + row * self.value["stride"], int(self.value["cols"]))


class Volume:
    """Channels of a picture; each has rows behind rows."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        sizes = tuple(int(self.value[name]) for name in ("channels", "height", "width"))
        return "(%d, %d, %d) %s" % (sizes + (self.value["data"].type.target(),))

    def children(self):
        data, size = self.value["data"], int(self.value["height"] * self.value["width"])
        if int(data):
            for channel in range(int(self.value["channels"])):
                yield "[%d]" % channel, numbers(data + channel * size, size)


class Matrix:
    """A weight: its bytes mean little without the format, so the blocks of rows are shown, not the numbers."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        if not int(self.value["block_count"]):
            return "empty"
        return "(%d, %d) %s" % (int(self.value["rows"]), int(self.value["cols"]), short(self.value["format"]))

    def children(self):
        for i in range(int(self.value["block_count"])):
            block = self.value["blocks"][i]
            yield "[%d]" % i, "%d rows of %s at %s" % (
                int(block["rows"]), short(block["format"]), block["data"].format_string(symbols=False))


def printers():
    collection = gdb.printing.RegexpCollectionPrettyPrinter("dsvl")
    for name, printer in (("Status", Status), ("Result<.*>", Result), ("View<.*>", View), ("Volume<.*>", Volume),
                          ("Matrix", Matrix)):
        collection.add_printer(name, r"^dsvl::(v\d+_\d+::)?" + name + "$", printer)
    return collection


gdb.printing.register_pretty_printer(gdb.current_objfile(), printers(), replace=True)
