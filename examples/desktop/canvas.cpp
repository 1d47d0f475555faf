#include "canvas.hpp"

#include <imgui.h>
#if __has_include(<backends/imgui_impl_sdl2.h>)  // its name since ImGui 1.89
#include <backends/imgui_impl_sdl2.h>
#else
#include <backends/imgui_impl_sdl.h>
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace desktop {

namespace {

dsvl::Status sdl_error(const char* what) { return dsvl::fail(dsvl::Code::unsupported, "%s: %s", what, SDL_GetError()); }

/// The part of the window that a command may draw in; false when it is nothing.
bool clip(const ImDrawCmd& command, const ImDrawData& data, SDL_Rect& to) {
  const float left = std::max(0.0f, command.ClipRect.x), top = std::max(0.0f, command.ClipRect.y);
  const float right = std::min(data.DisplaySize.x, command.ClipRect.z);
  const float bottom = std::min(data.DisplaySize.y, command.ClipRect.w);
  to = {static_cast<int>(left), static_cast<int>(top), static_cast<int>(right - left), static_cast<int>(bottom - top)};
  return to.w > 0 && to.h > 0;
}

/// Dear ImGui's vertices are laid out as SDL's geometry takes them, so they are drawn where they lie. (Debian's package
/// has ImGui's own backend for this as a source file among its documents only.)
void draw(SDL_Renderer* renderer, const ImDrawList& list, const ImDrawData& data) {
  for (const ImDrawCmd& command : list.CmdBuffer) {
    SDL_Rect part;
    if (command.UserCallback || !clip(command, data, part)) continue;
    SDL_RenderSetClipRect(renderer, &part);
    const auto* const vertex = list.VtxBuffer.Data + command.VtxOffset;
    SDL_RenderGeometryRaw(renderer, static_cast<SDL_Texture*>(command.GetTexID()), &vertex->pos.x, sizeof(ImDrawVert),
                          reinterpret_cast<const SDL_Color*>(&vertex->col), sizeof(ImDrawVert), &vertex->uv.x,
                          sizeof(ImDrawVert), list.VtxBuffer.Size - static_cast<int>(command.VtxOffset),
                          list.IdxBuffer.Data + command.IdxOffset, static_cast<int>(command.ElemCount),
                          sizeof(ImDrawIdx));
  }
}

}  // namespace

dsvl::Result<std::unique_ptr<Canvas>> Canvas::open(const char* title, int width, int height) {
  SDL_SetHint(SDL_HINT_RENDER_SCALE_QUALITY, "linear");
  SDL_SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0");  // what the processor drew takes no detour through OpenGL
  SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
  if (SDL_Init(SDL_INIT_VIDEO) != 0) return sdl_error("no screen");
  SDL_Window* const window = SDL_CreateWindow(title, SDL_WINDOWPOS_CENTERED, SDL_WINDOWPOS_CENTERED, width, height,
                                              SDL_WINDOW_RESIZABLE | SDL_WINDOW_ALLOW_HIGHDPI);
  if (!window) return sdl_error("no window");
  SDL_EnableScreenSaver();
  SDL_SetWindowMinimumSize(window, 1000, 560);
  // What SDL finds best; SDL_RENDER_DRIVER=software draws on the processor.
  SDL_Renderer* const renderer = SDL_CreateRenderer(window, -1, 0);
  if (!renderer) return sdl_error("no renderer");
  return std::unique_ptr<Canvas>(new Canvas(window, renderer));
}

Canvas::Canvas(SDL_Window* window, SDL_Renderer* renderer) : window_(window), renderer_(renderer) {
  IMGUI_CHECKVERSION();
  ImGui::CreateContext();
  ImGuiIO& io = ImGui::GetIO();
  io.IniFilename = nullptr;               // nothing is left behind on the user's disk
  io.ConfigInputTextCursorBlink = false;  // a cursor that blinks would need frames
  io.BackendFlags |= ImGuiBackendFlags_RendererHasVtxOffset;
#if IMGUI_VERSION_NUM >= 18700
  ImGui_ImplSDL2_InitForSDLRenderer(window_, renderer_);
#else
  ImGui_ImplSDL2_InitForSDLRenderer(window_);
#endif
}

Canvas::~Canvas() {
  letters_.reset();
  destroy_left();
  ImGui_ImplSDL2_Shutdown();
  ImGui::DestroyContext();
  SDL_DestroyRenderer(renderer_);
  SDL_DestroyWindow(window_);
  SDL_Quit();
}

dsvl::Status Canvas::upload_fonts() {
  unsigned char* pixels = nullptr;
  int width = 0, height = 0;
  ImFontAtlas& atlas = *ImGui::GetIO().Fonts;
  atlas.GetTexDataAsRGBA32(&pixels, &width, &height);
  letters_ = keep(SDL_CreateTexture(renderer_, SDL_PIXELFORMAT_RGBA32, SDL_TEXTUREACCESS_STATIC, width, height));
  if (!letters_ || SDL_UpdateTexture(letters_.get(), nullptr, pixels, 4 * width) != 0) return sdl_error("no letters");
  SDL_SetTextureBlendMode(letters_.get(), SDL_BLENDMODE_BLEND);
  SDL_SetTextureScaleMode(letters_.get(), SDL_ScaleModeNearest);
  atlas.SetTexID(letters_.get());
  return {};
}

Texture Canvas::texture(const dsvl::Pixels& rgb) {
  Texture made = keep(SDL_CreateTexture(renderer_, SDL_PIXELFORMAT_RGB24, SDL_TEXTUREACCESS_STATIC,
                                        static_cast<int>(rgb.width), static_cast<int>(rgb.height)));
  if (made) SDL_UpdateTexture(made.get(), nullptr, rgb.data, static_cast<int>(rgb.row_stride()));
  return made;
}

Texture Canvas::keep(SDL_Texture* made) {
  if (!made) return {};
  return {made, [this](SDL_Texture* texture) { left_.push_back(texture); }};
}

void Canvas::destroy_left() {
  for (SDL_Texture* const texture : left_) SDL_DestroyTexture(texture);
  left_.clear();
}

void Canvas::handle(const SDL_Event& event) {
  ImGui_ImplSDL2_ProcessEvent(&event);
#if IMGUI_VERSION_NUM < 18700
  // It asks whether Ctrl is down by now, and drops letters that were typed before.
  if (event.type != SDL_KEYDOWN && event.type != SDL_KEYUP) return;
  ImGuiIO& io = ImGui::GetIO();
  io.KeyCtrl = (event.key.keysym.mod & KMOD_CTRL) != 0, io.KeyShift = (event.key.keysym.mod & KMOD_SHIFT) != 0;
  io.KeyAlt = (event.key.keysym.mod & KMOD_ALT) != 0, io.KeySuper = (event.key.keysym.mod & KMOD_GUI) != 0;
#endif
}

void Canvas::begin_frame() {
  destroy_left();
  ImGui_ImplSDL2_NewFrame();
#if IMGUI_VERSION_NUM < 18700
  // It asks where the pointer is on the whole screen, which SDL may learn late. The window's own events say it in time.
  int x = 0, y = 0;
  SDL_GetMouseState(&x, &y);
  if (SDL_GetMouseFocus() == window_) ImGui::GetIO().MousePos = {static_cast<float>(x), static_cast<float>(y)};
#endif
  ImGui::NewFrame();
}

void Canvas::end_frame(const float background[3]) {
  const auto level = [](float share) { return static_cast<std::uint8_t>(share * 255 + 0.5f); };
  ImGui::Render();
  const ImDrawData& data = *ImGui::GetDrawData();
  SDL_RenderSetScale(renderer_, data.FramebufferScale.x, data.FramebufferScale.y);
  SDL_RenderSetClipRect(renderer_, nullptr);
  SDL_SetRenderDrawColor(renderer_, level(background[0]), level(background[1]), level(background[2]), 255);
  SDL_RenderClear(renderer_);
  for (int i = 0; i < data.CmdListsCount; ++i) draw(renderer_, *data.CmdLists[i], data);
  SDL_RenderPresent(renderer_);
}

}  // namespace desktop
