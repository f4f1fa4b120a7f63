#include "CRunnerScript.h"

// The compiler reads the files and remembers that it did, as in CAirflowPlugin.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char begin[] = {
#embed "../Clash/Machine/Script/01_begin.sh"
};
static const unsigned char json[] = {
#embed "../Clash/Machine/Script/02_json.sh"
};
static const unsigned char cloud[] = {
#embed "../Clash/Machine/Script/03_cloud.sh"
};
static const unsigned char news[] = {
#embed "../Clash/Machine/Script/04_news.sh"
};
static const unsigned char attend[] = {
#embed "../Clash/Machine/Script/05_attend.sh"
};
static const unsigned char prepare[] = {
#embed "../Clash/Machine/Script/06_prepare.sh"
};
static const unsigned char storage[] = {
#embed "../Clash/Machine/Script/07_storage.sh"
};
static const unsigned char logging[] = {
#embed "../Clash/Machine/Script/08_logging.sh"
};
static const unsigned char container[] = {
#embed "../Clash/Machine/Script/09_container.sh"
};
static const unsigned char result[] = {
#embed "../Clash/Machine/Script/10_result.sh"
};
static const unsigned char end[] = {
#embed "../Clash/Machine/Script/11_end.sh"
};
static const unsigned char mount_entry[] = {
#embed "../Clash/Machine/Script/mount-entry.sh"
};

// In the order in which they are read, which is that of their names: a test compares it with the folder.
static const crunner_script parts[] = {
  {"01_begin.sh", begin, sizeof begin},
  {"02_json.sh", json, sizeof json},
  {"03_cloud.sh", cloud, sizeof cloud},
  {"04_news.sh", news, sizeof news},
  {"05_attend.sh", attend, sizeof attend},
  {"06_prepare.sh", prepare, sizeof prepare},
  {"07_storage.sh", storage, sizeof storage},
  {"08_logging.sh", logging, sizeof logging},
  {"09_container.sh", container, sizeof container},
  {"10_result.sh", result, sizeof result},
  {"11_end.sh", end, sizeof end},
};

size_t crunner_script_part_count(void) { return sizeof parts / sizeof *parts; }

crunner_script crunner_script_part_at(size_t index) { return parts[index]; }

crunner_script crunner_script_mount_entry(void) {
  return (crunner_script){"mount-entry.sh", mount_entry, sizeof mount_entry};
}
