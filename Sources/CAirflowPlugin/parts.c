#include "CAirflowPlugin.h"

// The compiler reads the files and remembers that it did. SwiftPM's own way (.embedInCode) makes them into a list of
// numbers, which takes the Swift compiler half a minute.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char head[] = {
#embed "../AirflowPlugin/Python/10_head.py"
};
static const unsigned char binary[] = {
#embed "../AirflowPlugin/Python/20_binary.py"
};
static const unsigned char credentials[] = {
#embed "../AirflowPlugin/Python/25_credentials.py"
};
static const unsigned char job_config[] = {
#embed "../AirflowPlugin/Python/30_job_config.py"
};
static const unsigned char job_operators[] = {
#embed "../AirflowPlugin/Python/40_job_operators.py"
};
static const unsigned char job_trigger[] = {
#embed "../AirflowPlugin/Python/50_job_trigger.py"
};
static const unsigned char trigger_operator[] = {
#embed "../AirflowPlugin/Python/60_trigger_operator.py"
};
static const unsigned char dags[] = {
#embed "../AirflowPlugin/Python/70_dags.py"
};
static const unsigned char maintenance[] = {
#embed "../AirflowPlugin/Python/80_maintenance.py"
};
static const unsigned char plugin[] = {
#embed "../AirflowPlugin/Python/90_plugin.py"
};

// In the order of the plugin, which is that of their names: a test compares it with the folder.
static const cairflow_plugin_part parts[] = {
  {"10_head.py", head, sizeof head},
  {"20_binary.py", binary, sizeof binary},
  {"25_credentials.py", credentials, sizeof credentials},
  {"30_job_config.py", job_config, sizeof job_config},
  {"40_job_operators.py", job_operators, sizeof job_operators},
  {"50_job_trigger.py", job_trigger, sizeof job_trigger},
  {"60_trigger_operator.py", trigger_operator, sizeof trigger_operator},
  {"70_dags.py", dags, sizeof dags},
  {"80_maintenance.py", maintenance, sizeof maintenance},
  {"90_plugin.py", plugin, sizeof plugin},
};

size_t cairflow_plugin_part_count(void) { return sizeof parts / sizeof *parts; }

cairflow_plugin_part cairflow_plugin_part_at(size_t index) { return parts[index]; }
