// Starts a Windows program, presses Ctrl-C after a while, and ends with the program's exit code.
//   platform_interrupt MILLISECONDS COMMAND_LINE
#include <windows.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

BOOL WINAPI stay(DWORD) { return TRUE; }  // the key is meant for the other

}  // namespace

int wmain(int argc, wchar_t** argv) {
  if (argc != 3) return 2;
  SetConsoleCtrlHandler(stay, TRUE);
  if (!GetConsoleWindow() && !AllocConsole() && GetLastError() != ERROR_ACCESS_DENIED)
    std::fprintf(stderr, "no console: system error %lu\n", GetLastError());
  std::wstring command = argv[2];
  STARTUPINFOW how = {};
  how.cb = sizeof how;
  how.dwFlags = STARTF_USESTDHANDLES;
  how.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
  how.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
  how.hStdError = GetStdHandle(STD_ERROR_HANDLE);
  PROCESS_INFORMATION child = {};
  if (!CreateProcessW(nullptr, command.data(), nullptr, nullptr, TRUE, 0, nullptr, nullptr, &how, &child)) return 3;
  if (WaitForSingleObject(child.hProcess, static_cast<DWORD>(_wtoi(argv[1]))) == WAIT_OBJECT_0)
    std::fprintf(stderr, "it ended before Ctrl-C\n");
  if (!GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0)) std::fprintf(stderr, "no Ctrl-C: system error %lu\n", GetLastError());
  if (WaitForSingleObject(child.hProcess, 60000) != WAIT_OBJECT_0) {
    TerminateProcess(child.hProcess, 4);
    return 4;
  }
  DWORD code = 5;
  GetExitCodeProcess(child.hProcess, &code);
  return static_cast<int>(code);
}
