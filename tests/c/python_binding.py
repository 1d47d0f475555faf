"""Tests of the Python binding in examples/python, as it is installed.

    python_binding.py SOURCE_DIR WORK_DIR
"""
import ctypes
import re
import sys
import threading
import unittest
from pathlib import Path

import dsvl
import numpy
from dsvl import _c, _pictures
from PIL import Image

SOURCE, WORK = Path(sys.argv[1]), Path(sys.argv[2])
MODEL = SOURCE / "examples/models/tiny-vl"
PICTURE = MODEL / "demo/000.png"
QUESTION = "Which bar is the tallest?"
GREEN = "The green bar."


class Structs(unittest.TestCase):
    def test_sizes_and_offsets_are_the_frozen_ones(self):
        layout = (SOURCE / "tests/c/layout.c").read_text()
        sizes = re.findall(r"^  SIZE\((\w+), (\d+)\);", layout, re.M)
        fields = re.findall(r"^  FIELD\((\w+), (\w+), (\d+)\);", layout, re.M)
        self.assertEqual({name for name, _ in sizes}, set(_c.STRUCTS))
        for name, size in sizes:
            self.assertEqual(ctypes.sizeof(_c.STRUCTS[name]), int(size), name)
        for name, field, offset in fields:
            self.assertEqual(getattr(_c.STRUCTS[name], field).offset, int(offset), (name, field))
        self.assertEqual(len(fields) + len(sizes), sum(len(struct._fields_) for struct in _c.STRUCTS.values()))


class Pictures(unittest.TestCase):
    """Each way in shows the model the same pixels: the picture is known and not encoded again."""

    @classmethod
    def setUpClass(cls):
        cls.model = dsvl.Model(MODEL, constraints=True)
        cls.session = cls.model.session()
        assert cls.session.answer(QUESTION, PICTURE) == GREEN
        cls.image = Image.open(PICTURE).convert("RGB")

    @classmethod
    def tearDownClass(cls):
        cls.session.close()
        cls.model.close()

    def expect_known(self, picture):
        self.session.rewind()
        with self.session.ask(QUESTION, picture) as answer:
            self.assertEqual("".join(answer), GREEN)
            self.assertEqual(answer.text, GREEN)
            self.assertEqual(answer.usage["encode"], 0)
            self.assertEqual(answer.finish, "eos")

    def test_files_in_memory(self):
        data = PICTURE.read_bytes()
        for form in (data, bytearray(data), memoryview(data)):
            self.expect_known(form)

    def test_pillow_images_where_they_lie(self):
        for mode in ("RGB", "RGBA"):
            image = self.image.convert(mode)
            given = _pictures.of(image)
            self.assertIs(given.keep[0], image, "it was copied")
            self.expect_known(image)
        self.expect_known(Image.open(PICTURE))
        gray = Image.new("L", (8, 8), 100)
        self.assertIs(_pictures.of(gray).keep[0], gray)
        self.assertIsInstance(self.session.answer("Describe the image.", gray, max_tokens=3), str)

    def test_pillow_images_in_several_blocks_are_copied(self):
        image = Image.new("RGB", (2048, 4096))  # 32 MiB: two of Pillow's blocks
        image.paste(self.image, (0, 0))
        given = _pictures.of_pillow(image)
        if given.keep[0] is not image:
            self.assertEqual(given.keep[0], image.tobytes())

    def test_arrays_where_they_lie(self):
        array = numpy.array(self.image)
        given = _pictures.of(array)
        self.assertEqual(given.struct.pixels, array.ctypes.data)
        self.expect_known(array)
        height, width, _ = array.shape
        padded = numpy.zeros((height, width + 7, 3), numpy.uint8)
        padded[:, :width] = array
        view = padded[:, :width]
        self.assertEqual(_pictures.of(view).struct.pixels, padded.ctypes.data)
        self.expect_known(view)
        upside_down = array[::-1].copy()
        self.expect_known(upside_down[::-1])
        frame = array[..., ::-1].copy()  # as OpenCV has it
        self.assertEqual(_pictures.of(frame[..., ::-1]).struct.pixels, frame.ctypes.data)
        self.expect_known(frame[..., ::-1])
        self.expect_known(array.astype(numpy.uint16) * 257)
        self.expect_known((array / 255).astype(numpy.float32))
        self.expect_known(numpy.dstack([array, numpy.zeros((height, width), numpy.uint8)]))
        read_only = array.copy()
        read_only.flags.writeable = False
        self.expect_known(read_only)

    def test_other_views_are_copied(self):
        array = numpy.repeat(numpy.array(self.image), 2, axis=1)
        self.expect_known(array[:, ::2])
        self.expect_known(numpy.asfortranarray(numpy.array(self.image)))

    def test_what_is_no_picture_is_refused(self):
        for wrong in (numpy.zeros((4, 4, 2), numpy.uint8), numpy.zeros((4, 4), numpy.int64), 7, object()):
            with self.assertRaises(TypeError):
                self.session.ask(QUESTION, wrong)
        with self.assertRaises(dsvl.Error) as caught:
            self.session.ask(QUESTION, "no/such.png")
        self.assertEqual(caught.exception.code, "not_found")
        self.assertIn("no/such.png", str(caught.exception))


class Calls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = dsvl.Model(str(MODEL), constraints=True)

    @classmethod
    def tearDownClass(cls):
        cls.model.close()

    def test_versions_info_and_plans(self):
        self.assertRegex(dsvl.version(), r"^\d+\.\d+\.\d+$")
        self.assertEqual(self.model.info["image_tokens"], 64)
        planned = dsvl.plan(MODEL, context=512)
        self.assertEqual(planned["session"], planned["decoder"] + planned["cache"] + planned["vision"])

    def test_a_stream_comes_in_pieces_and_may_be_left(self):
        with self.model.session() as session:
            pieces = list(session.stream(QUESTION, PICTURE))
            self.assertGreater(len(pieces), 1)
            self.assertEqual("".join(pieces), GREEN)
            session.rewind()
            for text in session.stream(QUESTION, PICTURE):
                break
            self.assertTrue(GREEN.startswith(text))
            session.rewind()
            self.assertEqual(session.answer(QUESTION, PICTURE), GREEN)
            self.assertEqual(session.turns, 1)

    def test_a_table_goes_on_behind_errors(self):
        with self.model.session() as session:
            rows = list(dsvl.ask_table(session, [(PICTURE, QUESTION), ("no/such.png", "What?"), (PICTURE, QUESTION)]))
        self.assertEqual([row.answer for row in rows], [GREEN, "", GREEN])
        self.assertIn("no/such.png", rows[1].error)
        self.assertEqual([row.finish for row in rows], ["eos", "error", "eos"])

    def test_constraints_and_choices(self):
        with self.model.session() as session, dsvl.Constraint.choices("purple", "yellow") as choices:
            self.assertTrue(choices.matches("purple") and not choices.matches("pur"))
            with session.ask(QUESTION, PICTURE, constraint=choices) as answer:
                self.assertIn("".join(answer), ("purple", "yellow"))
                self.assertTrue(answer.is_whole)
            chances = session.classify(QUESTION, [" The red bar.", " The green bar."], PICTURE)
            self.assertAlmostEqual(sum(chances), 1)
            self.assertGreater(chances[1], 0.9)
            self.assertLess(session.score(QUESTION, [" The red bar."], PICTURE)[0], -1)
        with self.assertRaises(dsvl.Error) as caught:
            dsvl.Constraint.schema('{"uniqueItems": true}')
        self.assertEqual(caught.exception.code, "unsupported")
        self.assertTrue(dsvl.Constraint.schema('{"type": "null"}').matches("null"))
        self.assertTrue(dsvl.Constraint.regex("a+").matches("aaa"))

    def test_yes_or_no_is_a_probability(self):
        with self.model.session() as session:
            probability, mass = session.yes_no("Is there a red bar?", PICTURE)
            self.assertTrue(0 <= probability <= 1 and 0 < mass <= 1)
            self.assertEqual(session.turns, 0)

    def test_what_the_model_saw_of_a_region(self):
        with self.model.session(attention_maps=2) as session:
            with session.ask(QUESTION, [PICTURE, dsvl.region(PICTURE, 10, 0, 40, 60)], max_tokens=3) as answer:
                "".join(answer)
                whole, part = answer.pictures
                self.assertEqual(whole["region"]["width"], whole["width"])
                self.assertEqual(part["region"], {"x": 10, "y": 0, "width": 40, "height": 60})
                self.assertEqual(part["high"]["side"], 256)
                shares = answer.attention(1)
                self.assertEqual(len(shares), 64)
                self.assertTrue(0 < sum(shares) < 1)
                with self.assertRaises(dsvl.Error):
                    answer.attention(2)

    def test_an_answer_ends_when_its_time_is_over(self):
        with self.model.session() as session, session.ask(QUESTION, PICTURE, time_limit=1e-9) as answer:
            self.assertEqual("".join(answer), "")
            self.assertEqual(answer.finish, "deadline")

    def test_saving_forks_and_threads(self):
        with self.model.session() as session:
            session.answer(QUESTION, PICTURE)
            session.save(WORK / "saved.session")
            forks = [session.fork() for _ in range(2)]
        said = [None, None]

        def ask(i):
            said[i] = forks[i].answer("And which is the shortest?")

        threads = [threading.Thread(target=ask, args=(i,)) for i in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with self.model.load_session(WORK / "saved.session") as loaded:
            self.assertEqual(loaded.turns, 1)
            self.assertEqual([loaded.answer("And which is the shortest?")] * 2, said)

    def test_cancelling_and_progress(self):
        stages = []
        cancel = dsvl.Cancel()
        with self.model.session() as session:
            with session.ask(QUESTION, PICTURE, cancel=cancel,
                             progress=lambda stage, done, total: stages.append(stage)) as answer:
                cancel.set()
                with self.assertRaises(dsvl.Error) as caught:
                    list(answer)
                self.assertEqual(caught.exception.code, "cancelled")
                self.assertEqual(answer.finish, "cancelled")
            self.assertIn("prefill", stages)
            with self.assertRaises(dsvl.Error):
                list(dsvl.ask_table(session, [(PICTURE, QUESTION)], cancel=cancel))
            cancel.reset()
            session.rewind()
            self.assertEqual(session.answer(QUESTION, PICTURE, cancel=cancel), GREEN)

    def test_a_closed_handle_is_an_error(self):
        session = self.model.session()
        session.close()
        session.close()
        with self.assertRaises(dsvl.Error) as caught:
            session.ask("?")
        self.assertEqual(caught.exception.code, "bad_argument")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
