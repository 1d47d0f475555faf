// The structs and functions of dsvl/c.h. Names and order are those of the header; tests compare the layout.
using System;
using System.Runtime.InteropServices;
using System.Text;

namespace Dsvl {

/// <summary>dsvl/c.h as it is. Structs begin with their size; all else that is zero has its default.</summary>
internal static class Native {
  internal struct View {  // dsvl_text
    public IntPtr data;
    public UIntPtr bytes;
    public override string ToString() {
      var copy = new byte[(int)bytes];
      if (copy.Length > 0) Marshal.Copy(data, copy, 0, copy.Length);
      return Encoding.UTF8.GetString(copy);
    }
  }
  internal struct Rect { public long x, y, width, height; }
  internal struct Error {
    public UIntPtr size;
    public int code;
    [MarshalAs(UnmanagedType.ByValArray, SizeConst = 384)] public byte[] text;
    internal static Error Make() { return new Error { size = Size<Error>(), text = new byte[384] }; }
  }
  internal struct LoadOptions {
    public UIntPtr size;
    public IntPtr host;
    public int threads, mode, constraints, reserved;
    public IntPtr file, mmproj, cancel, progress, progress_user;
  }
  internal struct SessionOptions {
    public UIntPtr size;
    public IntPtr host, system;
    public long context, chunk, pictures, picture_side, picture_pixels, text_bytes, logit_rows, cached_tokens;
    public int kv, activations, keep_generated_ids, apply_exif_orientation, clip_gray16, has_background;
    public uint background;  // r, g, b, and 0
    public int reserved;
    public long attention_maps;
  }
  internal struct MemoryPlan {
    public UIntPtr size;
    public ulong model, decoder, cache, vision, session, load_peak, peak, file_bytes;
  }
  internal struct Picture {
    public UIntPtr size;
    public IntPtr path, bytes;
    public UIntPtr byte_count;
    public IntPtr pixels;
    public long width, height, stride;
    public int format, full_range, bt709, linear;
    public IntPtr chroma, second_chroma;
    public long chroma_stride, second_chroma_stride;
    public int has_background;
    public uint background;  // r, g, b, and 0
    public Rect region;
  }
  internal struct Question {
    public UIntPtr size;
    public View text;
    public IntPtr pictures;
    public UIntPtr picture_count;
    public long max_tokens;
    public float temperature, top_p, repetition_penalty;
    public int penalize_prompt;
    public long top_k;
    public ulong seed;
    public long draft;
    public View draft_text;
    public IntPtr stop;
    public UIntPtr stop_count;
    public IntPtr constraint, cancel, progress, progress_user;
    public int placeholders, reserved;
    public long time_limit;
  }
  internal struct YesNo { public UIntPtr size; public double probability, mass; }
  internal struct Piece {
    public UIntPtr size;
    public View text;
    public double log_probability;
    public int id, present;
  }
  internal struct AnswerInfo {
    public UIntPtr size;
    public int finish, whole, code, reserved;
    public View message, text;
    public IntPtr ids;
    public UIntPtr id_count;
    public long prompt_tokens, reused_tokens, answer_tokens, passes, drafted, accepted;
    public double decode_image, preprocess, encode, prefill, decode;
    public long pictures, map_tokens, map_pictures, map_cells;
  }

  private const string Library = "dsvl";  // libdsvl.so, libdsvl.dylib, dsvl.dll
  private const CallingConvention C = CallingConvention.Cdecl;
  [DllImport(Library, CallingConvention = C)] private static extern uint dsvl_abi_version();
  [DllImport(Library, CallingConvention = C)] private static extern uint dsvl_abi_minor_version();
  [DllImport(Library, CallingConvention = C)] private static extern IntPtr dsvl_code_name(int code);
  [DllImport(Library, CallingConvention = C)] internal static extern int dsvl_model_load(
    byte[] path, ref LoadOptions options, out IntPtr made, ref Error error);
  [DllImport(Library, CallingConvention = C)] internal static extern void dsvl_model_close(IntPtr model);
  [DllImport(Library, CallingConvention = C)] internal static extern int dsvl_plan(
    byte[] path, IntPtr load, ref SessionOptions options, ref MemoryPlan plan, ref Error error);
  [DllImport(Library, CallingConvention = C)] internal static extern int dsvl_session_open(
    IntPtr model, ref SessionOptions options, out IntPtr made, ref Error error);
  [DllImport(Library, CallingConvention = C)] internal static extern int dsvl_session_rewind(
    IntPtr session, ulong turns, ref Error error);
  [DllImport(Library, CallingConvention = C)] internal static extern int dsvl_session_ask(
    IntPtr session, ref Question question, out IntPtr made, ref Error error);
  [DllImport(Library, CallingConvention = C)] internal static extern int dsvl_session_yes_no(
    IntPtr session, ref Question question, ref YesNo made, ref Error error);
  [DllImport(Library, CallingConvention = C)] internal static extern void dsvl_session_close(IntPtr session);
  [DllImport(Library, CallingConvention = C)] internal static extern int dsvl_answer_next(
    IntPtr answer, ref Piece piece, ref Error error);
  [DllImport(Library, CallingConvention = C)] internal static extern int dsvl_answer_get_info(
    IntPtr answer, ref AnswerInfo info, ref Error error);
  [DllImport(Library, CallingConvention = C)] internal static extern void dsvl_answer_close(IntPtr answer);

  static Native() {
    if (dsvl_abi_version() != 1 || dsvl_abi_minor_version() < 1)
      throw new NotSupportedException("the library has another version of dsvl's C interface: 1.1 is needed");
  }
  internal static UIntPtr Size<T>() { return (UIntPtr)Marshal.SizeOf(typeof(T)); }
  /// <summary>Text for C: UTF-8 with a zero byte behind it.</summary>
  internal static byte[] Text(string text) { return Encoding.UTF8.GetBytes(text + "\0"); }
  internal static void Check(int code, Error error) {
    if (code == 0) return;
    string text = Encoding.UTF8.GetString(error.text, 0, Array.IndexOf(error.text, (byte)0));
    throw new DsvlException(Marshal.PtrToStringAnsi(dsvl_code_name(code)), text);
  }
}
}
