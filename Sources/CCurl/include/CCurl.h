// libcurl, loaded at the first use and not linked, and what of it Swift cannot call: variadic functions, and epoll.
#ifndef DAGRUN_CCURL_H
#define DAGRUN_CCURL_H

#include <curl/curl.h>
#include <stddef.h>

/// Loads the library and finds its functions. To be called until it has succeeded once.
///
/// Returns 0, or writes the reason to `error` and returns -1.
int ccurl_load(const char *name, char *error, size_t error_size);

// Everything below needs a `ccurl_load` that succeeded.

const char *ccurl_version(void);
const char *ccurl_error_text(CURLcode code);
const char *ccurl_multi_error_text(CURLMcode code);

CURL *ccurl_easy_create(void);
void ccurl_easy_reset(CURL *easy);
void ccurl_easy_destroy(CURL *easy);
CURLcode ccurl_easy_set_long(CURL *easy, CURLoption option, long value);
CURLcode ccurl_easy_set_offset(CURL *easy, CURLoption option, curl_off_t value);
/// Also for strings, which curl copies.
CURLcode ccurl_easy_set_pointer(CURL *easy, CURLoption option, const void *value);
/// For headers and bodies: `size_t callback(char *bytes, size_t size, size_t count, void *context)`.
CURLcode ccurl_easy_set_writer(CURL *easy, CURLoption option, curl_write_callback callback);
/// HTTP and HTTPS only, no signals, sockets closed on exec: what holds for every request.
CURLcode ccurl_easy_set_defaults(CURL *easy);
CURLcode ccurl_easy_get_long(CURL *easy, CURLINFO info, long *value);

struct curl_slist *ccurl_list_append(struct curl_slist *list, const char *text);
void ccurl_list_free(struct curl_slist *list);

CURLM *ccurl_multi_create(void);
CURLMcode ccurl_multi_destroy(CURLM *multi);
CURLMcode ccurl_multi_add(CURLM *multi, CURL *easy);
CURLMcode ccurl_multi_remove(CURLM *multi, CURL *easy);
CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value);
CURLMcode ccurl_multi_set_socket_function(CURLM *multi, curl_socket_callback callback, void *context);
CURLMcode ccurl_multi_set_timer_function(CURLM *multi, curl_multi_timer_callback callback, void *context);
/// `events` are `CURL_CSELECT_…`; the socket `CCURL_TIMEOUT` says that the timer ran out.
CURLMcode ccurl_multi_socket_action(CURLM *multi, curl_socket_t socket, int events);
/// The next transfer that has ended; NULL when there is none.
CURL *ccurl_multi_next_done(CURLM *multi, CURLcode *result);

enum { CCURL_TIMEOUT = CURL_SOCKET_TIMEOUT };

/// What curl waits for on its sockets, in one descriptor (epoll) that is readable when any of them is ready. -1 and errno.
///
/// Changes act at once, in the callback that asks for them. A Dispatch source for each socket could not promise that: it
/// ends a moment after it is cancelled, when curl has closed the socket and the system has given its number to another.
int ccurl_sockets_create(void);
/// `what` is `CURL_POLL_…`. 0, or -1 and errno.
int ccurl_sockets_set(int sockets, curl_socket_t socket, int what);
/// Does not wait. Fills in sockets that are ready and their `CURL_CSELECT_…`; returns how many, or -1 and errno.
int ccurl_sockets_ready(int sockets, curl_socket_t *ready, int *events, int count);

#endif
