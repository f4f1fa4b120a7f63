// The parts of the Airflow plugin (Sources/AirflowPlugin/Python), which the binary carries.
#pragma once

#include <stddef.h>

/// UTF-8, not ended by a zero; part of the program's text, never freed.
typedef struct {
  const char *name;
  const unsigned char *bytes;
  size_t size;
} cairflow_plugin_part;

/// How many parts there are.
size_t cairflow_plugin_part_count(void);
/// The part at the index, which is below the count.
cairflow_plugin_part cairflow_plugin_part_at(size_t index);
