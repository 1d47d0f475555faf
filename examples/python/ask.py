"""Asks a question about a picture, and shows the answer as it comes.

    python ask.py MODEL PICTURE QUESTION
    python ask.py ../models/tiny-vl ../models/tiny-vl/demo/000.png "Which bar is the tallest?"
    The green bar.
"""
import sys

import dsvl


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    model, picture, question = sys.argv[1:]
    with dsvl.Model(model) as loaded, loaded.session() as session:
        for text in session.stream(question, picture):
            print(text, end="", flush=True)
    print()


if __name__ == "__main__":
    main()
