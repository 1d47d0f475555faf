/* Asks a question about a picture from C, and shows the answer as it comes.
     hello [MODEL PICTURE QUESTION] */
#include <dsvl/c.h>

#include <stdio.h>
#include <string.h>

int main(int argc, char** argv) {
  const char* model_path = argc > 3 ? argv[1] : "examples/models/tiny-vl";
  dsvl_model* model = NULL;
  dsvl_session* session = NULL;
  dsvl_answer* answer = NULL;
  dsvl_error error = {.size = sizeof error};
  dsvl_piece piece = {.size = sizeof piece};
  dsvl_picture picture = {.size = sizeof picture}; /* what is zero has its default */
  const dsvl_picture* pictures[] = {&picture};
  dsvl_question question = {.size = sizeof question, .pictures = pictures, .picture_count = 1};
  picture.path = argc > 3 ? argv[2] : "examples/models/tiny-vl/demo/000.png";
  question.text.data = argc > 3 ? argv[3] : "Which bar is the tallest?";
  question.text.bytes = strlen(question.text.data);

  if (dsvl_model_load(model_path, NULL, &model, &error) == DSVL_OK &&
      dsvl_session_open(model, NULL, &session, &error) == DSVL_OK &&
      dsvl_session_ask(session, &question, &answer, &error) == DSVL_OK)
    while (dsvl_answer_next(answer, &piece, &error) == DSVL_OK && piece.present)
      fwrite(piece.text.data, 1, piece.text.bytes, stdout);
  puts("");
  if (error.code != DSVL_OK) fprintf(stderr, "error: %s\n", error.text);
  dsvl_answer_close(answer); /* in any order, and NULL is fine */
  dsvl_session_close(session);
  dsvl_model_close(model);
  return error.code != DSVL_OK;
}
