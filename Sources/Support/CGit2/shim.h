#pragma once
#include <git2.h>

// Swift cannot call variadic functions. With no search path for any level, nobody's own Git configuration changes what we do.
static inline int enpire_git_ignore_user_configuration(void) {
  const int levels[] = { GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_PROGRAMDATA };
  for (unsigned i = 0; i < sizeof levels / sizeof *levels; i++) {
    int code = git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
    if (code < 0) return code;
  }
  return 0;
}
