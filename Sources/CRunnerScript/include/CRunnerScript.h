// The shell scripts that a job's VM runs (Sources/Clash/Machine/Script), which the binary carries.
#pragma once

#include <stddef.h>

/// UTF-8, not ended by a zero; part of the program's text, never freed.
typedef struct {
  const char *name;
  const unsigned char *bytes;
  size_t size;
} crunner_script;

/// How many parts the runner has.
size_t crunner_script_part_count(void);
/// The part at the index, which is below the count.
crunner_script crunner_script_part_at(size_t index);

/// What mounts buckets in a container, without the calls that do it.
crunner_script crunner_script_mount_entry(void);
