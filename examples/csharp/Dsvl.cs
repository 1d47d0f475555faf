// dsvl in C#: the functions of dsvl/c.h by P/Invoke, and classes over them.
//
//   using (var model = Model.Load("deepseek-vl-1.3b-chat"))
//   using (var session = model.Open())
//     foreach (var text in session.Stream("What is in this picture?", Picture.File("photo.jpg"))) Console.Write(text);
//
// With Mono: mcs Dsvl.cs Native.cs Ask.cs -out:ask.exe && mono ask.exe; with .NET, these files in a project. libdsvl.so
// (or dsvl.dll) has to be where the system looks for libraries. A session with its answers is used by one thread at a
// time.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;

namespace Dsvl {

/// <summary>What dsvl refused or could not do; Code names its kind: "not_found", "bad_file", "limit", ...</summary>
public sealed class DsvlException : Exception {
  public string Code { get; }
  internal DsvlException(string code, string text) : base(text) { Code = code; }
}

/// <summary>A picture of a question: a file, its bytes, or pixels; each may be cut to a region.</summary>
public sealed class Picture {
  internal byte[] Path, Data, Pixels;
  internal long Width, Height, Stride;
  internal PixelFormat Format;
  internal Native.Rect Part;

  public static Picture File(string path) { return new Picture { Path = Native.Text(path) }; }
  /// <summary>A PNG or JPEG file in memory.</summary>
  public static Picture Bytes(byte[] file) { return new Picture { Data = file }; }
  /// <summary>Pixels, row by row from the top; a stride of 0 means that rows follow each other.</summary>
  public static Picture Raw(byte[] pixels, int width, int height, PixelFormat format = PixelFormat.Rgb,
                            int stride = 0) {
    long row = (long)width * (format == PixelFormat.Gray ? 1 : format < PixelFormat.Rgba ? 3 : 4);
    // What lies outside of the caller's memory cannot be told in C.
    if (width < 1 || height < 1 || stride < 0 || pixels.LongLength < (stride == 0 ? row : stride) * (height - 1) + row)
      throw new ArgumentException("fewer bytes of pixels than rows and columns say");
    return new Picture { Pixels = pixels, Width = width, Height = height, Stride = stride, Format = format };
  }
  /// <summary>A part of this picture as a picture of its own, in pixels.</summary>
  public Picture Region(long x, long y, long width, long height) {
    var part = (Picture)MemberwiseClone();
    part.Part = new Native.Rect { x = x, y = y, width = width, height = height };
    return part;
  }
}
public enum PixelFormat { Rgb, Bgr, Rgba, Bgra, Gray }
public enum Finish { None, Eos, Stop, Length, Cancelled, ContextFull, Error, Deadline }

/// <summary>How an answer is made; what is not set has its default.</summary>
public sealed class Options {
  public long MaxTokens, TopK;
  public float Temperature, TopP;
  public ulong Seed;
  /// <summary>The answer ends after this time, with what was said until then.</summary>
  public TimeSpan TimeLimit;
}

/// <summary>A model, which any number of sessions and threads share.</summary>
public sealed class Model : Handle {
  private Model(IntPtr handle) : base(handle, Native.dsvl_model_close) {}
  public static Model Load(string path, int threads = 0) {
    var options = new Native.LoadOptions { size = Native.Size<Native.LoadOptions>(), threads = threads };
    IntPtr made;
    var error = Native.Error.Make();
    Native.Check(Native.dsvl_model_load(Native.Text(path), ref options, out made, ref error), error);
    return new Model(made);
  }
  /// <summary>What a model with one session will take at most, in bytes.</summary>
  public static ulong Plan(string path, long context = 0) {
    var options = new Native.SessionOptions { size = Native.Size<Native.SessionOptions>(), context = context };
    var plan = new Native.MemoryPlan { size = Native.Size<Native.MemoryPlan>() };
    var error = Native.Error.Make();
    Native.Check(Native.dsvl_plan(Native.Text(path), IntPtr.Zero, ref options, ref plan, ref error), error);
    return plan.peak;
  }
  /// <summary>Opens a conversation.</summary>
  public Session Open(long context = 0) {
    var options = new Native.SessionOptions { size = Native.Size<Native.SessionOptions>(), context = context };
    IntPtr made;
    var error = Native.Error.Make();
    Native.Check(Native.dsvl_session_open(Value, ref options, out made, ref error), error);
    GC.KeepAlive(this);
    return new Session(made);
  }
}

/// <summary>A conversation: what was asked before is remembered, and pictures are encoded once.</summary>
public sealed class Session : Handle {
  // Kept while it is the session's, so that the finalizer's thread does not close it beside a call of this one.
  private Answer last;

  internal Session(IntPtr handle) : base(handle, Native.dsvl_session_close) {}

  public Answer Ask(string question, Options options, params Picture[] pictures) {
    using (var asked = new Question(question, options, pictures)) {
      IntPtr made;
      var error = Native.Error.Make();
      Native.Check(Native.dsvl_session_ask(Value, ref asked.Struct, out made, ref error), error);
      GC.KeepAlive(last);
      GC.KeepAlive(this);
      return last = new Answer(made);
    }
  }
  public Answer Ask(string question, params Picture[] pictures) { return Ask(question, null, pictures); }
  /// <summary>The text of an answer, piece by piece; leaving early is fine.</summary>
  public IEnumerable<string> Stream(string question, params Picture[] pictures) {
    using (var answer = Ask(question, null, pictures))
      foreach (var text in answer) yield return text;
  }
  /// <summary>The probability of yes, where it is yes or no.</summary>
  public double YesNo(string question, params Picture[] pictures) {
    using (var asked = new Question(question, null, pictures)) {
      var found = new Native.YesNo { size = Native.Size<Native.YesNo>() };
      var error = Native.Error.Make();
      Native.Check(Native.dsvl_session_yes_no(Value, ref asked.Struct, ref found, ref error), error);
      GC.KeepAlive(this);
      return found.probability;
    }
  }
  /// <summary>Goes back to the first questions.</summary>
  public void Rewind(ulong turns = 0) {
    var error = Native.Error.Make();
    Native.Check(Native.dsvl_session_rewind(Value, turns, ref error), error);
    GC.KeepAlive(this);
  }
}

/// <summary>An answer, which is made while it is enumerated: pieces of text, of whole characters.</summary>
public sealed class Answer : Handle, IEnumerable<string> {
  internal Answer(IntPtr handle) : base(handle, Native.dsvl_answer_close) {}

  public IEnumerator<string> GetEnumerator() {
    for (;;) {
      var piece = new Native.Piece { size = Native.Size<Native.Piece>() };
      var error = Native.Error.Make();
      Native.Check(Native.dsvl_answer_next(Value, ref piece, ref error), error);
      if (piece.present == 0) yield break;
      if ((ulong)piece.text.bytes > 0) yield return piece.text.ToString();
    }
  }
  System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() { return GetEnumerator(); }

  /// <summary>Why it ended; None before.</summary>
  public Finish Finish { get { return (Finish)Info().finish; } }
  /// <summary>What was said so far.</summary>
  public string Text { get { return Info().text.ToString(); } }

  private Native.AnswerInfo Info() {
    var info = new Native.AnswerInfo { size = Native.Size<Native.AnswerInfo>() };
    var error = Native.Error.Make();
    Native.Check(Native.dsvl_answer_get_info(Value, ref info, ref error), error);
    GC.KeepAlive(this);
    return info;
  }
}

/// <summary>A handle of dsvl's that is closed once: by Dispose, or when nobody refers to it any more.</summary>
public abstract class Handle : IDisposable {
  private readonly Action<IntPtr> close;
  internal IntPtr Value;
  internal Handle(IntPtr value, Action<IntPtr> close) {
    Value = value;
    this.close = close;
  }
  ~Handle() { Close(); }
  public void Dispose() {
    Close();
    GC.SuppressFinalize(this);
  }
  private void Close() {
    if (Value != IntPtr.Zero) close(Value);
    Value = IntPtr.Zero;
  }
}

/// <summary>A dsvl_question with all that it points to, which does not move until it is disposed.</summary>
internal sealed class Question : IDisposable {
  internal Native.Question Struct;
  private readonly List<GCHandle> pinned = new List<GCHandle>();

  internal Question(string question, Options options, Picture[] pictures) {
    options = options ?? new Options();
    var text = Encoding.UTF8.GetBytes(question);
    Struct = new Native.Question {
      size = Native.Size<Native.Question>(), text = { data = Pin(text), bytes = (UIntPtr)text.Length },
      pictures = Pin(pictures.Select(picture => Pin(ToStruct(picture))).ToArray()),
      picture_count = (UIntPtr)pictures.Length, max_tokens = options.MaxTokens, temperature = options.Temperature,
      top_p = options.TopP, top_k = options.TopK, seed = options.Seed, time_limit = options.TimeLimit.Ticks * 100 };
  }
  private object ToStruct(Picture picture) {
    return new Native.Picture {
      size = Native.Size<Native.Picture>(), path = Pin(picture.Path), bytes = Pin(picture.Data),
      byte_count = (UIntPtr)(picture.Data == null ? 0 : picture.Data.Length), pixels = Pin(picture.Pixels),
      width = picture.Width, height = picture.Height, stride = picture.Stride, format = (int)picture.Format,
      region = picture.Part };
  }
  private IntPtr Pin(object memory) {
    if (memory == null) return IntPtr.Zero;
    pinned.Add(GCHandle.Alloc(memory, GCHandleType.Pinned));
    return pinned[pinned.Count - 1].AddrOfPinnedObject();
  }
  public void Dispose() { pinned.ForEach(handle => handle.Free()); }
}
}
