"""Answers a table of questions: CSV in, with the columns picture and question; CSV out, with the answers.

    python table.py MODEL questions.csv > answers.csv
"""
import csv
import sys

import dsvl


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[2], newline="", encoding="utf-8") as file:
        questions = [(row["picture"] or None, row["question"]) for row in csv.DictReader(file)]
    out = csv.writer(sys.stdout)
    out.writerow(dsvl.Row._fields)
    with dsvl.Model(sys.argv[1]) as model, model.session() as session:
        for row in dsvl.ask_table(session, questions):
            out.writerow(row)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
