#ifndef DAGRUN_CCURL_H
#define DAGRUN_CCURL_H
#include <curl/curl.h>
#endif
