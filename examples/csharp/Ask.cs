// Asks a question about a picture, and shows the answer as it comes.
//   ask.exe MODEL PICTURE QUESTION
using System;
using Dsvl;

static class Ask {
  static int Main(string[] arguments) {
    if (arguments.Length != 3) {
      Console.Error.WriteLine("usage: ask.exe MODEL PICTURE QUESTION");
      return 2;
    }
    try {
      Console.Error.WriteLine("{0:F1} MB at most", Model.Plan(arguments[0]) / 1e6);
      using (var model = Model.Load(arguments[0]))
      using (var session = model.Open())
        foreach (var text in session.Stream(arguments[2], Picture.File(arguments[1]))) Console.Write(text);
      Console.WriteLine();
      return 0;
    } catch (DsvlException error) {
      Console.Error.WriteLine("{0}: {1}", error.Code, error.Message);
      return 1;
    }
  }
}
