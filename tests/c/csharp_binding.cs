// Tests of the C# binding in examples/csharp, compiled together with it.
//   csharp_binding.exe SOURCE_DIR
using System;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Dsvl;

static class CsharpBinding {
  const string Bars = "Which bar is the tallest?", Green = "The green bar.";
  static int checks, failed;
  static void Check(bool right, string what) {
    ++checks;
    if (right) return;
    ++failed;
    Console.Error.WriteLine("not so: {0}", what);
  }
  static void Refused(string code, string words, Action action) {
    try {
      action();
      Check(false, code + " is thrown");
    } catch (DsvlException error) {
      Check(error.Code == code && error.Message.Contains(words), code + ", " + words + ": " + error.Message);
    }
  }

  static void SizesAndOffsetsAreTheFrozenOnes(string layout) {
    var structs = typeof(Native).GetNestedTypes(BindingFlags.NonPublic)
      .Where(type => type.IsValueType && type.GetField("size") != null)
      .ToDictionary(type => "dsvl_" + Regex.Replace(type.Name, "(?<=[a-z])([A-Z])", "_$1").ToLowerInvariant());
    int compared = 0;
    foreach (Match size in Regex.Matches(layout, @"^  SIZE\((\w+), (\d+)\);", RegexOptions.Multiline))
      if (structs.ContainsKey(size.Groups[1].Value)) {
        ++compared;
        Check(Marshal.SizeOf(structs[size.Groups[1].Value]) == int.Parse(size.Groups[2].Value), size.Value);
      }
    Check(compared == structs.Count, "each struct has a frozen size");
    foreach (Match field in Regex.Matches(layout, @"^  FIELD\((\w+), (\w+), (\d+)\);", RegexOptions.Multiline))
      if (structs.ContainsKey(field.Groups[1].Value))
        Check((int)Marshal.OffsetOf(structs[field.Groups[1].Value], field.Groups[2].Value) ==
              int.Parse(field.Groups[3].Value), field.Value);
  }

  static void Conversations(Model model, Picture bars, byte[] file) {
    using (var session = model.Open()) {
      var pieces = session.Stream(Bars, bars).ToList();
      Check(pieces.Count > 1 && string.Concat(pieces) == Green, "a stream comes in pieces");
      Check(Green.Contains(session.Stream(Bars).First()), "a stream may be left");
      session.Rewind();
      Check(string.Concat(session.Stream(Bars, Picture.Bytes(file))) == Green, "pictures in memory");
      session.Rewind();
      var pixels = new byte[40 * 30 * 3];
      using (var answer = session.Ask("Describe the image.", new Options { MaxTokens = 3 },
                                      Picture.Raw(pixels, 40, 30), bars.Region(10, 0, 40, 60))) {
        Check(answer.Finish == Finish.None && answer.Count() <= 3, "pixels, and a part of a picture");
        Check(answer.Finish == Finish.Length && answer.Text.Length > 0, "the answer is as long as it may be");
      }
      try {
        Picture.Raw(pixels, 41, 30);
        Check(false, "pixels that are not there are refused");
      } catch (ArgumentException) {}
      double yes = session.YesNo("Is there a red bar?", bars);
      Check(yes >= 0 && yes <= 1, "yes or no is a probability");
      using (var late = session.Ask(Bars, new Options { TimeLimit = TimeSpan.FromTicks(1) }))
        Check(!late.Any() && late.Finish == Finish.Deadline, "an answer ends when its time is over");
      Refused("not_found", "no/such.png", () => session.Ask(Bars, Picture.File("no/such.png")));
      Refused("bad_argument", "region", () => session.Ask(Bars, bars.Region(0, 0, 100000, 1)));
      session.Dispose();
      session.Dispose();
      Refused("bad_argument", "NULL", () => session.Ask(Bars));
    }
  }

  static int Main(string[] arguments) {
    string source = arguments[0], path = source + "/examples/models/tiny-vl", picture = path + "/demo/000.png";
    SizesAndOffsetsAreTheFrozenOnes(File.ReadAllText(source + "/tests/c/layout.c"));
    Refused("not_found", "no/such/model", () => Model.Load("no/such/model"));
    Check(Model.Plan(path, 512) > 1000000, "a plan");
    using (var model = Model.Load(path)) Conversations(model, Picture.File(picture), File.ReadAllBytes(picture));
    Console.WriteLine("{0} checks, {1} failed", checks, failed);
    return failed == 0 && checks > 20 ? 0 : 1;
  }
}
