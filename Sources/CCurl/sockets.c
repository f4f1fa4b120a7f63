#include "CCurl.h"
#include <errno.h>
#include <sys/epoll.h>

int ccurl_sockets_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int ccurl_sockets_set(int sockets, curl_socket_t socket, int what) {
  if (what == CURL_POLL_REMOVE) {
    // A socket that is closed already has left by itself.
    return epoll_ctl(sockets, EPOLL_CTL_DEL, socket, NULL) == 0 || errno == ENOENT || errno == EBADF ? 0 : -1;
  }
  struct epoll_event event = {.events = 0, .data = {.fd = socket}};
  if (what & CURL_POLL_IN) event.events |= EPOLLIN;
  if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
  if (epoll_ctl(sockets, EPOLL_CTL_ADD, socket, &event) == 0) return 0;
  return errno == EEXIST ? epoll_ctl(sockets, EPOLL_CTL_MOD, socket, &event) : -1;
}

int ccurl_sockets_ready(int sockets, curl_socket_t *ready, int *events, int count) {
  struct epoll_event found[64];
  if (count > 64) count = 64;
  int found_count = epoll_wait(sockets, found, count, 0);
  for (int i = 0; i < found_count; i++) {
    ready[i] = found[i].data.fd;
    events[i] = (found[i].events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
                (found[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                (found[i].events & EPOLLERR ? CURL_CSELECT_ERR : 0);
  }
  return found_count;
}
