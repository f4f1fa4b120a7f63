#define _GNU_SOURCE
#include "CLinux.h"

#include <regex.h>
#include <stddef.h>

int clinux_fits(const char *expression, const char *text) {
  regex_t compiled;
  if (regcomp(&compiled, expression, REG_EXTENDED | REG_NOSUB)) return 0;
  int fits = !regexec(&compiled, text, 0, NULL, 0);
  regfree(&compiled);
  return fits;
}
