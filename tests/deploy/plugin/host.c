/* A host in C that loads the plug-in, asks, and unloads it, three times; it is gone then, with its threads.
     host PLUGIN MODEL PICTURE */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static int threads(void) {
  int count = 0;
  DIR* tasks = opendir("/proc/self/task");
  while (tasks && readdir(tasks)) ++count;
  if (tasks) closedir(tasks);
  return count;
}

int main(int argc, char** argv) {
  char said[512];
  int i, before = threads();
  if (argc != 4) return 2;
  for (i = 0; i < 3; ++i) {
    int (*ask)(const char*, const char*, const char*, char*, int);
    void* plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!plugin) return fprintf(stderr, "%s\n", dlerror()), 1;
    *(void**)(void*)&ask = dlsym(plugin, "plugin_ask");
    if (ask(argv[2], argv[3], "How many bars are there?", said, sizeof said) < 0)
      return fprintf(stderr, "%s\n", said), 1;
    if (i == 0) puts(said);
    if (ask("no/such/model", argv[3], "?", said, sizeof said) >= 0) return fprintf(stderr, "no error: %s\n", said), 1;
    dlclose(plugin);
    if (dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD)) return fputs("it is still loaded after dlclose()\n", stderr), 1;
    if (threads() != before) return fprintf(stderr, "%d threads, not %d\n", threads(), before), 1;
  }
  return 0;
}
