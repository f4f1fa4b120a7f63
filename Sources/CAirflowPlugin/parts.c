#include "CAirflowPlugin.h"

// The compiler reads the files and remembers that it did. SwiftPM's own way (.embedInCode) makes them into a list of
// numbers, which takes the Swift compiler half a minute.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char head[] = {
#if __has_embed("../AirflowPlugin/Python/10_head.py")
#embed "../AirflowPlugin/Python/10_head.py"
#else
10
#endif
};
static const unsigned char binary[] = {
#if __has_embed("../AirflowPlugin/Python/20_binary.py")
#embed "../AirflowPlugin/Python/20_binary.py"
#else
10
#endif
};
static const unsigned char job_config[] = {
#if __has_embed("../AirflowPlugin/Python/30_job_config.py")
#embed "../AirflowPlugin/Python/30_job_config.py"
#else
10
#endif
};
static const unsigned char job_operators[] = {
#if __has_embed("../AirflowPlugin/Python/40_job_operators.py")
#embed "../AirflowPlugin/Python/40_job_operators.py"
#else
10
#endif
};
static const unsigned char job_trigger[] = {
#if __has_embed("../AirflowPlugin/Python/50_job_trigger.py")
#embed "../AirflowPlugin/Python/50_job_trigger.py"
#else
10
#endif
};
static const unsigned char trigger_operator[] = {
#if __has_embed("../AirflowPlugin/Python/60_trigger_operator.py")
#embed "../AirflowPlugin/Python/60_trigger_operator.py"
#else
10
#endif
};
static const unsigned char dags[] = {
#if __has_embed("../AirflowPlugin/Python/70_dags.py")
#embed "../AirflowPlugin/Python/70_dags.py"
#else
10
#endif
};
static const unsigned char plugin[] = {
#if __has_embed("../AirflowPlugin/Python/90_plugin.py")
#embed "../AirflowPlugin/Python/90_plugin.py"
#else
10
#endif
};

// In the order of the plugin, which is that of their names: a test compares it with the folder.
static const cairflow_plugin_part parts[] = {
  {"10_head.py", head, sizeof head},
  {"20_binary.py", binary, sizeof binary},
  {"30_job_config.py", job_config, sizeof job_config},
  {"40_job_operators.py", job_operators, sizeof job_operators},
  {"50_job_trigger.py", job_trigger, sizeof job_trigger},
  {"60_trigger_operator.py", trigger_operator, sizeof trigger_operator},
  {"70_dags.py", dags, sizeof dags},
  {"90_plugin.py", plugin, sizeof plugin},
};

size_t cairflow_plugin_part_count(void) { return sizeof parts / sizeof *parts; }

cairflow_plugin_part cairflow_plugin_part_at(size_t index) { return parts[index]; }
