// The macros that check types need curl to be linked.
#define CURL_DISABLE_TYPECHECK
#include "CCurl.h"
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

// The name and the type of each function are those of curl/curl.h.
#define FUNCTIONS(X)                                                                                                   \
  X(curl_global_init)                                                                                                  \
  X(curl_version_info)                                                                                                 \
  X(curl_easy_strerror)                                                                                                \
  X(curl_easy_init)                                                                                                    \
  X(curl_easy_reset)                                                                                                   \
  X(curl_easy_cleanup)                                                                                                 \
  X(curl_easy_setopt)                                                                                                  \
  X(curl_easy_getinfo)                                                                                                 \
  X(curl_slist_append)                                                                                                 \
  X(curl_slist_free_all)                                                                                               \
  X(curl_multi_strerror)                                                                                               \
  X(curl_multi_init)                                                                                                   \
  X(curl_multi_cleanup)                                                                                                \
  X(curl_multi_add_handle)                                                                                             \
  X(curl_multi_remove_handle)                                                                                          \
  X(curl_multi_setopt)                                                                                                 \
  X(curl_multi_socket_action)                                                                                          \
  X(curl_multi_info_read)

struct functions {
#define MEMBER(name) __typeof__(&name) name;
  FUNCTIONS(MEMBER)
#undef MEMBER
};

static struct functions curl;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int load(const char *name, char *error, size_t error_size) {
  void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *reason = dlerror();
    snprintf(error, error_size, "%s", reason ? reason : name);
    return -1;
  }
  struct functions found;
#define FIND(function)                                                                                                 \
  if (!(found.function = (__typeof__(found.function))dlsym(library, #function))) {                                    \
    snprintf(error, error_size, "%s has no %s", name, #function);                                                      \
    dlclose(library);                                                                                                  \
    return -1;                                                                                                         \
  }
  FUNCTIONS(FIND)
#undef FIND
  CURLcode code = found.curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) {
    snprintf(error, error_size, "%s: %s", name, found.curl_easy_strerror(code));
    dlclose(library);
    return -1;
  }
  curl = found;
  return 0;
}

int ccurl_load(const char *name, char *error, size_t error_size) {
  pthread_mutex_lock(&lock);
  int result = load(name, error, error_size);
  pthread_mutex_unlock(&lock);
  return result;
}

const char *ccurl_version(void) { return curl.curl_version_info(CURLVERSION_NOW)->version; }
const char *ccurl_error_text(CURLcode code) { return curl.curl_easy_strerror(code); }
const char *ccurl_multi_error_text(CURLMcode code) { return curl.curl_multi_strerror(code); }

CURL *ccurl_easy_create(void) { return curl.curl_easy_init(); }
void ccurl_easy_reset(CURL *easy) { curl.curl_easy_reset(easy); }
void ccurl_easy_destroy(CURL *easy) { curl.curl_easy_cleanup(easy); }

CURLcode ccurl_easy_set_long(CURL *easy, CURLoption option, long value) {
  return curl.curl_easy_setopt(easy, option, value);
}

CURLcode ccurl_easy_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
  return curl.curl_easy_setopt(easy, option, value);
}

CURLcode ccurl_easy_set_pointer(CURL *easy, CURLoption option, const void *value) {
  return curl.curl_easy_setopt(easy, option, value);
}

CURLcode ccurl_easy_set_writer(CURL *easy, CURLoption option, curl_write_callback callback) {
  return curl.curl_easy_setopt(easy, option, callback);
}

static int close_on_exec(void *context, curl_socket_t socket, curlsocktype purpose) {
  (void)context, (void)purpose;
  fcntl(socket, F_SETFD, FD_CLOEXEC);
  return CURL_SOCKOPT_OK;
}

#pragma GCC diagnostic push
// Versions before 7.85 know only the number; the newest still take it.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static CURLcode set_protocols(CURL *easy) {
  return curl.curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
}
#pragma GCC diagnostic pop

CURLcode ccurl_easy_set_defaults(CURL *easy) {
  CURLcode code = set_protocols(easy);
  if (code == CURLE_OK) code = curl.curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  if (code == CURLE_OK) code = curl.curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, close_on_exec);
  // Whoever cancels while a name is looked up does not wait for the thread that looks. Unknown before 7.87.
  curl.curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  return code;
}

CURLcode ccurl_easy_get_long(CURL *easy, CURLINFO info, long *value) {
  return curl.curl_easy_getinfo(easy, info, value);
}

struct curl_slist *ccurl_list_append(struct curl_slist *list, const char *text) {
  return curl.curl_slist_append(list, text);
}
void ccurl_list_free(struct curl_slist *list) { curl.curl_slist_free_all(list); }

CURLM *ccurl_multi_create(void) { return curl.curl_multi_init(); }
CURLMcode ccurl_multi_destroy(CURLM *multi) { return curl.curl_multi_cleanup(multi); }
CURLMcode ccurl_multi_add(CURLM *multi, CURL *easy) { return curl.curl_multi_add_handle(multi, easy); }
CURLMcode ccurl_multi_remove(CURLM *multi, CURL *easy) { return curl.curl_multi_remove_handle(multi, easy); }

CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
  return curl.curl_multi_setopt(multi, option, value);
}

CURLMcode ccurl_multi_set_socket_function(CURLM *multi, curl_socket_callback callback, void *context) {
  CURLMcode code = curl.curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, callback);
  return code == CURLM_OK ? curl.curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context) : code;
}

CURLMcode ccurl_multi_set_timer_function(CURLM *multi, curl_multi_timer_callback callback, void *context) {
  CURLMcode code = curl.curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, callback);
  return code == CURLM_OK ? curl.curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context) : code;
}

CURLMcode ccurl_multi_socket_action(CURLM *multi, curl_socket_t socket, int events) {
  int running;
  return curl.curl_multi_socket_action(multi, socket, events, &running);
}

CURL *ccurl_multi_next_done(CURLM *multi, CURLcode *result) {
  int left;
  CURLMsg *message;
  while ((message = curl.curl_multi_info_read(multi, &left))) {
    if (message->msg != CURLMSG_DONE) continue;
    *result = message->data.result;
    return message->easy_handle;
  }
  return NULL;
}
