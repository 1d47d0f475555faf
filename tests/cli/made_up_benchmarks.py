# Writes small made-up files in the official forms of nine benchmarks, which evaluation.sh runs dsvl on.
#   made_up_benchmarks.py DEMO_PICTURES FOLDER
import base64
import json
import os
import sys

demo, folder = sys.argv[1:]
os.chdir(folder)


def write(name, text):
    os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
    with open(name, "w", encoding="utf-8", newline="") as out:
        out.write(text)


def lines(records):
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def picture(i):
    with open(os.path.join(demo, f"{i:03d}.png"), "rb") as file:
        return file.read()


def put_picture(name, i):
    os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name, "wb") as out:
        out.write(picture(i))


def hellaswag():
    docs = [("Folding a shirt", "A woman stands by a table.", "she", ["folds it.", "eats [x] it.", "flies.", "sings."], 0),
            ("Sailing", "[header] Two men sail. [title] Go [step]", "the man from NYC",
             ["waves.", "[step] waves.", "barks at the moon.", "is a chair."], 1),
            ("Bars", "There are two.", "the green bar", ["is tall.", "été", "is", "1"], "3")]
    write("hellaswag_val.jsonl", lines(
        {"ind": i, "activity_label": activity, "ctx_a": a, "ctx_b": b, "ctx": a + " " + b, "split": "val",
         "split_type": "zeroshot" if i % 2 else "indomain", "label": label, "endings": endings}
        for i, (activity, a, b, endings, label) in enumerate(docs)))


def mmlu():
    for subject in ("anatomy", "virology"):
        write(f"mmlu/dev/{subject}_dev.csv", "".join(f"What is {i}+1?,1,2,3,{i + 1},{'ABCDA'[i]}\n" for i in range(5)))
        write(f"mmlu/test/{subject}_test.csv",
              "".join(f"What is {i}+2?,1,2,3,\"4, or so\",{'ABCD'[i]}\n" for i in range(3)))


def gsm8k():
    write("train.jsonl", lines({"question": f"What is {i} plus 1?", "answer": f"It is <<{i}+1={i + 1}>>{i + 1}.\n#### {i + 1}"}
                               for i in range(7)))
    write("test.jsonl", lines({"question": f"What is {i} plus 2?", "answer": f"It is {i + 2}.\n#### {i + 2}"}
                              for i in range(3)))
    write("worked.jsonl", lines([{"question": "What is 1 plus 1?", "target": "1 + 1 = 2. The answer is 2."}]))


def pope():
    asked = [("bar", "yes"), ("dog", "no"), ("circle", "yes"), ("bar", "yes"), ("cat", "no"), ("star", "no")]
    for kind in ("random", "popular", "adversarial"):
        write(f"coco_pope_{kind}.json", lines(
            {"question_id": i + 1, "image": f"{i // 3:03d}.png", "label": label,
             "text": f"Is there a {thing if label == 'yes' else kind + ' ' + thing} in the image?"}
            for i, (thing, label) in enumerate(asked)))
    write("llava_pope_test.jsonl", lines(
        {"question_id": i, "image": "000.png", "category": "random",
         "text": "Is there a bar in the image?\nAnswer the question using a single word or phrase."} for i in range(1)))
    image = base64.b64encode(picture(0)).decode()
    write("POPE.tsv", "index\tquestion\tanswer\tcategory\timage\n"
          f"1\tIs there a bar in the image?\tYes\trandom,popular\t{image}\n"
          f"2\tIs there a dog in the image?\tNo\trandom\t{image}\n")


def vqav2():
    for i in range(2):
        put_picture(f"val2014/COCO_val2014_{i:012d}.jpg", i)
    questions = [{"image_id": i // 2, "question": "What colour is it?" if i % 2 else "How many are there?",
                  "question_id": 100 + i} for i in range(4)]
    write("v2_OpenEnded_mscoco_val2014_questions.json", json.dumps(
        {"info": {}, "task_type": "Open-Ended", "data_type": "mscoco", "data_subtype": "val2014", "license": {},
         "questions": questions}))
    write("v2_mscoco_val2014_annotations.json", json.dumps({"info": {}, "annotations": [
        {"question_id": 100 + i, "image_id": i // 2, "question_type": "what color" if i % 2 else "how many",
         "answer_type": "other" if i % 2 else "number", "multiple_choice_answer": "x",
         "answers": [{"answer": ("yes", "Red.", "3")[j % 3] if i else "yes", "answer_confidence": "yes", "answer_id": j + 1}
                     for j in range(10)]} for i in range(4)]}))


def textvqa():
    for i in range(2):
        put_picture(f"train_images/ab{i}.jpg", 8 + i)
    write("TextVQA_0.5.1_val.json", json.dumps({"dataset_type": "val", "dataset_name": "textvqa", "data": [
        {"question_id": i, "question": "What word is on the sign?", "image_id": f"ab{i % 2}",
         "answers": ["stop"] * 5 + ["STOP."] * 5, "set_name": "val"} for i in range(3)]}))


def mmbench():
    def row(index, question, hint, options, answer, image):
        options = (options + [""] * 4)[:4]
        return "\t".join([str(index), question, hint, *options, answer, "count", image, "made up", "attribute_reasoning", "",
                          "dev"]) + "\n"
    pictures = [base64.b64encode(picture(i)).decode() for i in range(2)]
    many = '"How ""many""\nare there?"'
    write("MMBench_DEV_EN.tsv", "\t".join("index question hint A B C D answer category image source l2-category comment split".split())
          + "\n" + row(5, "Which side?", "", ["left", "right"], "A", pictures[0])
          + row(6, many, "A hint", ["one", "two", "three"], "C", pictures[1])
          + row(1000005, "Which side?", "", ["right", "left"], "B", "5")
          + row(1000006, many, "A hint", ["two", "three", "one"], "B", "6")
          + row(2000006, many, "A hint", ["three", "one", "two"], "A", "6"))


def mathvista():
    kinds = [("multi_choice", "text", ["1", "2"], None, None, "1"), ("free_form", "float", None, 1.0, "cm", "1.2"),
             ("free_form", "integer", None, None, None, "3")]
    problems = {}
    for i, (question_type, answer_type, choices, precision, unit, answer) in enumerate(kinds):
        put_picture(f"images/{i}.jpg", 2 + i)
        problems[str(i)] = {
            "pid": str(i), "question": "How long is it?", "image": f"images/{i}.jpg", "choices": choices, "unit": unit,
            "precision": precision, "answer": answer, "question_type": question_type, "answer_type": answer_type,
            "metadata": {"split": "testmini", "language": "english", "source": "made up", "category": "math-targeted-vqa",
                         "task": "math word problem", "context": "table", "grade": "daily life",
                         "skills": ["arithmetic reasoning"]}}
    write("testmini.json", json.dumps(problems, indent=1))
    write("query.json", json.dumps({"1": "A prompt of its own"}))


def mmvet():
    entries = {}
    for i in range(3):
        put_picture(f"images/v1_{i}.png", 2 + i)
        entries[f"v1_{i}"] = {"imagename": f"v1_{i}.png", "question": "What is y?", "answer": "-2<AND>3",
                              "imagesource": "made up", "capability": ["ocr", "math"] if i else ["rec"]}
    write("mm-vet.json", json.dumps(entries, indent=1))
    write("grades.json", json.dumps({f"v1_{i}": {"model": ["judge-1"], "content": [str(i / 2)], "score": [i / 2]}
                                     for i in range(3)}))
    write("bard_set.json", json.dumps(["v1_1"]))


for make in (hellaswag, mmlu, gsm8k, pope, vqav2, textvqa, mmbench, mathvista, mmvet):
    make()
